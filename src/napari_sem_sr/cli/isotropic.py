"""``sem-sr isotropic``: slices to an isotropic volume, learned from their own planes."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.cli.options import (
    DeviceOption,
    ElsewhereFlag,
    GreyFlag,
    JsonFlag,
    TiltOption,
    VoxelOption,
    read,
)
from napari_sem_sr.terminal import follow, print_json, say


def isotropic(
    input_path: Annotated[Path, typer.Argument(metavar="INPUT", help="A stack of slices.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="*.zarr or *.tif")],
    minutes: Annotated[
        float | None, typer.Option(help="For learning, the test and, if it is short, the volume.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="AXIAL", help="What was learned before: a volume, or its axial.safetensors."
        ),
    ] = None,
    leave_out: Annotated[
        int,
        typer.Option(
            metavar="N", help="For the test one of every N slices is kept; 0 for no test."
        ),
    ] = 2,
    steps: Annotated[
        int | None, typer.Option(help="Steps of learning instead of minutes: the same bytes again.")
    ] = None,
    thick: Annotated[
        bool,
        typer.Option("--thick", help="A slice shows the mean over its thickness, not its face."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 0,
    device: DeviceOption = "auto",
    voxel: VoxelOption = None,
    tilt: TiltOption = None,
    grey: GreyFlag = False,
    elsewhere: ElsewhereFlag = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing output.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an isotropic volume, and test it on slices left out."""
    from napari_sem_sr.axial.bundle import load_axial_model
    from napari_sem_sr.axial.run import iter_isotropic
    from napari_sem_sr.axial.settings import DEFAULT_MINUTES, IsotropicSettings

    if resume and overwrite:
        raise typer.BadParameter("give either --resume or --overwrite", param_hint="--resume")
    for name, given in (("--minutes", minutes), ("--steps", steps)):
        if given is not None and model is not None:
            raise typer.BadParameter(
                "a model that was learned before learns no more", param_hint=name
            )
    if minutes is not None and steps is not None:
        raise typer.BadParameter("give either --minutes or --steps", param_hint="--minutes")
    settings = IsotropicSettings(
        minutes=DEFAULT_MINUTES if minutes is None else minutes,
        steps=steps,
        leave_out=leave_out,
        section="thick" if thick else "thin",
        device=device,
        seed=seed,
    )
    axial = None if model is None else load_axial_model(model)
    stack = read(input_path, voxel, tilt, grey=grey, elsewhere=elsewhere)
    result = follow(
        iter_isotropic(stack, output, settings, model=axial, resume=resume, overwrite=overwrite)
    )
    if as_json:
        print_json(asdict(result))
        return
    say(f"{result.output}: {result.total} slices. {result.sentence}")
