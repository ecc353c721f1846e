"""``sem-sr train``: a model from teacher images."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from napari_sem_sr.cli.options import (
    DeviceOption,
    ElsewhereFlag,
    FactorOption,
    GreyFlag,
    JsonFlag,
    KeepDatabarFlag,
    PixelOption,
    VoxelOption,
    check_factor,
    read,
    read_teacher_files,
)
from napari_sem_sr.terminal import follow, print_json, say

if TYPE_CHECKING:
    from napari_sem_sr.model.bundle import Model


def train(
    teachers: Annotated[
        list[Path] | None, typer.Argument(help="Images and folders of images.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="Model to write: a folder, or a .semsr file.")],
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="NAME|PATH|chance",
            help="Model to start from, twin and SRGAN; by default the bundled one of that factor.",
        ),
    ] = "bundled",
    factor: FactorOption = None,
    lr: Annotated[
        Path | None,
        typer.Option(
            help="Stack that the model is for: pixel size and image quality are matched to it."
        ),
    ] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of a pair made by register, or of several; may be repeated."),
    ] = None,
    pixel_nm: PixelOption = None,
    voxel: VoxelOption = None,
    keep_databar: KeepDatabarFlag = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Budget in epochs.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Budget in minutes; 30 by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted training.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
    device: DeviceOption = "auto",
    devices: Annotated[int, typer.Option(min=1, help="GPUs that share the work.")] = 1,
    vgg: Annotated[
        Path | None,
        typer.Option(help="Weights of VGG19, for SRGAN's perceptual loss; never downloaded."),
    ] = None,
    grey: GreyFlag = False,
    elsewhere: ElsewhereFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Train a model from high-resolution teacher images."""
    began = time.monotonic()
    from napari_sem_sr.teachers.measured_pairs import read_pairs
    from napari_sem_sr.training.settings import TrainSettings
    from napari_sem_sr.training.trainer import iter_train

    check_factor(factor)
    if epochs is not None and minutes is not None:
        raise typer.BadParameter("give either --epochs or --minutes", param_hint="--epochs")
    if not teachers and not pairs:
        raise typer.BadParameter("give teacher images, or --pairs", param_hint="TEACHERS")
    images = (
        read_teacher_files(teachers, grey=grey, keep_databar=keep_databar, elsewhere=elsewhere)
        if teachers
        else []
    )
    settings = TrainSettings(
        **({} if factor is None else {"factor": cast("Literal[2, 3, 4, 8]", factor)}),
        epochs=epochs,
        minutes=None if epochs else minutes or 30.0,
        seed=seed,
        device=device,
        devices=devices,
        vgg=vgg,
    )
    model = follow(
        iter_train(
            [*images, *read_pairs(pairs or ())],
            settings,
            out,
            lr=None if lr is None else read(lr, voxel, grey=grey, elsewhere=elsewhere),
            pixel_nm=pixel_nm,
            start=_start(start),
            resume=resume,
            began=began,
        )
    )
    if as_json:
        print_json(model.card.model_dump(mode="json"))
    else:
        say(model.card.summary())


def _start(asked: str) -> "Model | Literal['bundled'] | None":
    """Model to start from; None for chance."""
    from napari_sem_sr.model.zoo import load_model

    if asked == "bundled":
        return "bundled"
    return None if asked == "chance" else load_model(asked)
