"""``sem-sr upscale``: a stack, slice by slice."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_sem_sr.cli.options import (
    BlurOption,
    DeviceOption,
    ElsewhereFlag,
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
from napari_sem_sr.io.atomic_write import translate_os_errors
from napari_sem_sr.stack import SemStack
from napari_sem_sr.terminal import follow, print_json, say, tell

if TYPE_CHECKING:
    from napari_sem_sr.checking.report.document import Report
    from napari_sem_sr.events import Event
    from napari_sem_sr.inference.runs.queue import RunEnded
    from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
    from napari_sem_sr.model.card import Card


def upscale(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT... OUTPUT", help="A stack and *.zarr or *.tif; or stacks and --out."
        ),
    ],
    model: Annotated[str, typer.Option(help="Name or path of a model.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Upscale several stacks one after the other into this folder."
        ),
    ] = None,
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
    elsewhere: ElsewhereFlag = False,
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
    """Upscale a stack slice by slice, or several one after the other."""
    from napari_sem_sr.inference.settings import UpscaleSettings
    from napari_sem_sr.model.zoo import load_model

    if resume and overwrite:
        raise typer.BadParameter("give either --resume or --overwrite", param_hint="--resume")
    if check and scheduler is not None:
        raise typer.BadParameter(
            "on a cluster upscale first, then sem-sr check --scheduler", param_hint="--check"
        )
    if out is None and len(paths) != 2:
        raise typer.BadParameter(
            "give one stack and the output, or stacks and a folder with --out", param_hint="INPUT"
        )
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
    loaded = load_model(model)

    def open_(path: Path) -> SemStack:
        # workers may run in another folder
        given = path if scheduler is None else path.absolute()
        return read(given, voxel, tilt, without, grey=grey, elsewhere=elsewhere)

    reports: dict[Path, tuple[Report, Path]] = {}

    def begin(stack: SemStack, output: Path) -> "Generator[Event, None, UpscaleResult]":
        if check:
            from napari_sem_sr.checking.alongside import iter_upscale_and_check

            folder = output.with_name(f"{output.stem}_check")
            result, report = yield from iter_upscale_and_check(
                stack, output, loaded, settings, out=folder, resume=resume, overwrite=overwrite
            )
            reports[result.output] = report, folder
            return result
        if scheduler is None:
            from napari_sem_sr.inference.runner import iter_upscale

            return (
                yield from iter_upscale(
                    stack, output, loaded, settings, resume=resume, overwrite=overwrite
                )
            )
        from napari_sem_sr.inference.cluster import iter_upscale_on

        return (
            yield from iter_upscale_on(
                scheduler, stack, output, loaded, settings, resume=resume, overwrite=overwrite
            )
        )

    if out is None:
        given, output = paths
        result = follow(begin(open_(given), output))
        if as_json:
            print_json(_document(result, reports))
        else:
            _say(result, reports)
        return
    ended = _upscale_all(paths, out, loaded.card, settings, open_, begin)
    results = [e.result for e in ended if e.result is not None]
    failed = {e.run.name: e.error for e in ended if e.result is None}
    if as_json:
        documents = [_document(result, reports) for result in results]
        print_json({"results": documents, "failed": failed})
    else:
        for result in results:
            _say(result, reports)
    for name, error in failed.items():
        tell(f"'{name}' was not upscaled: {error}")
    if failed:
        raise typer.Exit(1)


def _upscale_all(
    inputs: list[Path],
    out: Path,
    card: "Card",
    settings: "UpscaleSettings",
    open_: Callable[[Path], SemStack],
    begin: "Callable[[SemStack, Path], Generator[Event, None, UpscaleResult]]",
) -> "tuple[RunEnded, ...]":
    """Upscale one stack after the other."""
    from napari_sem_sr.inference.runs.queue import QueuedRun, iter_queue
    from napari_sem_sr.inference.runs.recorded import output_stem

    with translate_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    taken: Counter[str] = Counter()

    def run(path: Path) -> "Generator[Event, None, UpscaleResult]":
        stack = open_(path)
        stem = output_stem(stack, card, settings)
        taken[stem] += 1
        # stacks of one name from different folders
        name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        return (yield from begin(stack, out / f"{name}.zarr"))

    return follow(iter_queue([QueuedRun(str(path), out, partial(run, path)) for path in inputs]))


def _document(
    result: "UpscaleResult", reports: "Mapping[Path, tuple[Report, Path]]"
) -> dict[str, Any]:
    checked = reports.get(result.output)
    return asdict(result) | ({} if checked is None else {"check": checked[0].document()})


def _say(result: "UpscaleResult", reports: "Mapping[Path, tuple[Report, Path]]") -> None:
    stages = ", ".join(f"{s.name} {s.seconds:.1f} s" for s in result.stages)
    say(
        f"{result.output}: {result.total} slices, {result.computed} computed in {result.seconds:.1f} s ({stages})"
    )
    if result.output in reports:
        report, folder = reports[result.output]
        say(report.verdict)
        say(f"Report: {folder / 'report.html'}")
