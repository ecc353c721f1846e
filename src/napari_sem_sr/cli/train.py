"""``sem-sr train``: a model from teacher images."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from napari_sem_sr.cli.options import DeviceOption, GreyFlag, JsonFlag, read
from napari_sem_sr.terminal import follow, print_json, say, tell


def train(
    teachers: Annotated[list[Path], typer.Argument(help="Images and folders of images.")],
    out: Annotated[Path, typer.Option(help="Model to write: a folder, or a .semsr file.")],
    factor: Annotated[
        int | None,
        typer.Option(help="Upscale factor: 2, 3, 4 or 8; from pixel sizes by default, else 4."),
    ] = None,
    lr: Annotated[
        Path | None, typer.Option(help="Stack that the model is for: its pixel size is followed.")
    ] = None,
    pixel_nm: Annotated[
        float | None, typer.Option(min=0, help="Pixel size of the teachers in nm.")
    ] = None,
    keep_databar: Annotated[
        bool, typer.Option("--keep-databar", help="Learn from what looks like a databar, too.")
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Budget in epochs.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Budget in minutes; 30 by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted training.")
    ] = False,
    seed: int = 0,
    device: DeviceOption = "auto",
    grey: GreyFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Train a model from high-resolution teacher images."""
    from napari_sem_sr.model.generator import SHUFFLES
    from napari_sem_sr.pairing.prepare import iter_prepare
    from napari_sem_sr.pairing.teachers import read_teachers
    from napari_sem_sr.training.settings import TrainSettings
    from napari_sem_sr.training.trainer import iter_train

    if factor is not None and factor not in SHUFFLES:
        raise typer.BadParameter(f"{factor} is not one of 2, 3, 4, 8", param_hint="--factor")
    if epochs is not None and minutes is not None:
        raise typer.BadParameter("give either --epochs or --minutes", param_hint="--epochs")
    images, notices = read_teachers(teachers, grey=grey)
    for notice in notices:
        tell(notice)
    if keep_databar:
        images = [replace(image, databar=None) for image in images]
    stack = None if lr is None else read(lr, grey=grey)
    prepared = follow(
        iter_prepare(
            images,
            factor=factor,
            lr_pixel_nm=None if stack is None else stack.voxel_nm[2],
            pixel_nm=pixel_nm,
        )
    )
    settings = TrainSettings(
        factor=cast("Literal[2, 3, 4, 8]", prepared.factor),
        epochs=epochs,
        minutes=None if epochs else minutes or 30.0,
        seed=seed,
        device=device,
    )
    model = follow(iter_train(prepared.teachers, settings, out, resume=resume))
    if as_json:
        print_json(model.card.model_dump(mode="json"))
    else:
        say(model.card.summary())
