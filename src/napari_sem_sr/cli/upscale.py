"""``sem-sr upscale``: a stack, slice by slice."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_sem_sr.cli.options import (
    BlurOption,
    DeviceOption,
    GreyFlag,
    JsonFlag,
    NoiseOption,
    TiltOption,
    VoxelOption,
    WithoutOption,
    parse_blur,
    parse_noise,
    parse_region,
    parse_slices,
    read,
)
from napari_sem_sr.terminal import follow, print_json, say

if TYPE_CHECKING:
    from napari_sem_sr.inference.runner import UpscaleResult


def upscale(
    input_path: Annotated[Path, typer.Argument(metavar="INPUT")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="*.zarr or *.tif")],
    model: Annotated[str, typer.Option(help="Name or path of a model.")],
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    sharpness: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 twin to 1 SRGAN; the card's by default.")
    ] = None,
    noise: NoiseOption = "auto",
    blur: BlurOption = "auto",
    tile: Annotated[int | None, typer.Option(help="Tile width in LR pixels.")] = None,
    slices: Annotated[str | None, typer.Option(metavar="A:B", help="First and end slice.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="Y0:Y1,X0:X1", help="Part in LR pixels.")
    ] = None,
    voxel: VoxelOption = None,
    tilt: TiltOption = None,
    without: WithoutOption = None,
    grey: GreyFlag = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing output.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Check each slice as well: OUTPUT's name with _check.")
    ] = False,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Upscale a stack slice by slice."""
    from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale
    from napari_sem_sr.model.zoo import load_model

    if resume and overwrite:
        raise typer.BadParameter("give either --resume or --overwrite", param_hint="--resume")
    settings = UpscaleSettings(
        sharpness=sharpness,
        device=device,
        precision=precision,
        tile=tile,
        slices=parse_slices(slices),
        region=parse_region(region),
        noise=parse_noise(noise),
        blur=parse_blur(blur),
    )
    # workers may run in another folder
    given = input_path if scheduler is None else input_path.absolute()
    stack = read(given, voxel, tilt, without, grey=grey)
    loaded = load_model(model)
    if check:
        if scheduler is not None:
            raise typer.BadParameter(
                "on a cluster upscale first, then sem-sr check --scheduler", param_hint="--check"
            )
        from napari_sem_sr.checking.alongside import iter_upscale_and_check

        folder = output.with_name(f"{output.stem}_check")
        result, report = follow(
            iter_upscale_and_check(
                stack, output, loaded, settings, out=folder, resume=resume, overwrite=overwrite
            )
        )
        if as_json:
            print_json({**asdict(result), "check": report.document()})
        else:
            _say(result)
            say(report.verdict)
            say(f"Report: {folder / 'report.html'}")
        return
    if scheduler is None:
        work = iter_upscale(stack, output, loaded, settings, resume=resume, overwrite=overwrite)
    else:
        from napari_sem_sr.inference.cluster import iter_upscale_on

        work = iter_upscale_on(
            scheduler, stack, output, loaded, settings, resume=resume, overwrite=overwrite
        )
    result = follow(work)
    if as_json:
        print_json(asdict(result))
        return
    _say(result)


def _say(result: "UpscaleResult") -> None:
    stages = ", ".join(f"{s.name} {s.seconds:.1f} s" for s in result.stages)
    say(
        f"{result.output}: {result.total} slices, {result.computed} computed in {result.seconds:.1f} s ({stages})"
    )
