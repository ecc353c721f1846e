"""``sem-sr train``: a model from teacher images."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from napari_sem_sr.cli.options import DeviceOption, GreyFlag, JsonFlag
from napari_sem_sr.terminal import follow, print_json, say, tell


def train(
    teachers: Annotated[list[Path], typer.Argument(help="Images and folders of images.")],
    out: Annotated[Path, typer.Option(help="Model to write: a folder, or a .semsr file.")],
    factor: Annotated[int, typer.Option(help="Upscale factor: 2, 3, 4 or 8.")] = 4,
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
    from napari_sem_sr.pairing.teachers import read_teachers
    from napari_sem_sr.training.settings import TrainSettings
    from napari_sem_sr.training.trainer import iter_train

    if factor not in SHUFFLES:
        raise typer.BadParameter(f"{factor} is not one of 2, 3, 4, 8", param_hint="--factor")
    if epochs is not None and minutes is not None:
        raise typer.BadParameter("give either --epochs or --minutes", param_hint="--epochs")
    settings = TrainSettings(
        factor=cast("Literal[2, 3, 4, 8]", factor),
        epochs=epochs,
        minutes=None if epochs else minutes or 30.0,
        seed=seed,
        device=device,
    )
    images, notices = read_teachers(teachers, grey=grey)
    for notice in notices:
        tell(notice)
    model = follow(iter_train(images, settings, out, resume=resume))
    if as_json:
        print_json(model.card.model_dump(mode="json"))
    else:
        say(model.card.summary())
