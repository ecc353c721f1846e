"""The command ``sem-sr``: parses input, calls one core function, shows the result."""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from napari_sem_sr import events
from napari_sem_sr.errors import SemSrError

Result = TypeVar("Result")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Super-resolution of FIB-SEM stacks, with evidence of what is true and what the network made up. "
    "Add --debug to any command to see the traceback of an error.",
)
models_app = typer.Typer(help="Installed models.", invoke_without_command=True)
app.add_typer(models_app, name="models")
stdout = Console()
stderr = Console(stderr=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
VoxelOption = Annotated[
    str | None,
    typer.Option(
        metavar="Z,Y,X", help="Voxel size in nm where the file does not say it or is wrong."
    ),
]
GreyFlag = Annotated[
    bool, typer.Option("--grey", help="Consent to converting a colour photograph.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def main() -> None:
    """Run the command line; one clear line and exit code 1 for what a person can mend."""
    debug = "--debug" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    try:
        app(args=arguments)
    except SemSrError as error:
        if debug:
            raise
        stderr.print(f"Error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C wait for the end of a step, so that what is kept is whole; a second one does not wait."""
    asked = threading.Event()

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def follow(work: Generator[events.Event, None, Result]) -> Result:
    """Show long work as a progress bar on stderr and return its result; Ctrl-C leaves it resumable."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown = stderr.is_terminal
    with (
        _interrupts() as asked_to_stop,
        contextlib.closing(work),
        Progress(*columns, console=stderr, transient=True, disable=not shown) as bars,
    ):
        bar = bars.add_task("starting", total=None, state="")
        while True:
            if asked_to_stop():
                work.close()
                stderr.print(
                    "Stopped; what is done is kept, the same command with --resume goes on."
                )
                raise SystemExit(130)
            try:
                event = next(work)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            if isinstance(event, events.Notice):
                stderr.print(event.message, markup=False, highlight=False, soft_wrap=True)
            else:
                bars.update(bar, **_bar_state(event))


def _bar_state(event: events.Event) -> dict[str, Any]:
    match event:
        case events.Progress(what, done, total, unit):
            return {
                "description": what,
                "completed": done,
                "total": total,
                "state": f"{done}/{total} {unit}",
            }
        case events.UpscaleStarted(output, done, total):
            return {"description": f"upscaling to {output.name}", "completed": done, "total": total,
                    "state": f"{done}/{total} slices"}  # fmt: skip
        case events.SliceDone(_, done, total):
            return {"completed": done, "total": total, "state": f"{done}/{total} slices"}
        case events.StageStarted(stage):
            return {"description": f"training the {stage}", "completed": 0, "total": 1.0}
        case events.StepDone():
            return {
                "completed": event.done,
                "total": 1.0,
                "state": f"epoch {event.epoch} step {event.step}",
            }
        case events.Evaluated():
            gain = event.scores["psnr"] - event.scores["bicubic_psnr"]
            return {"description": f"training the {event.stage}, {gain:+.2f} dB over bicubic"}
        case _:
            return {}


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(document, indent=1, default=str, allow_nan=False))


def _numbers(text: str, option: str, form: str, count: int) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.replace(",", ":").split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise typer.BadParameter(f"'{text}' is not of the form {form}", param_hint=option)
    return numbers


def _slices(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, end = _numbers(text, "--slices", "A:B", 2)
    return first, end


def _region(text: str | None) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if text is None:
        return None
    y0, y1, x0, x1 = _numbers(text, "--region", "Y0:Y1,X0:X1", 4)
    return (y0, y1), (x0, x1)


def _voxel(text: str | None) -> tuple[float | None, float | None, float | None] | None:
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not of the form Z,Y,X", param_hint="--voxel"
        ) from None
    return z, y, x


def _read(path: Path, voxel: str | None = None, *, grey: bool = False) -> Any:
    from napari_sem_sr.io import read_stack

    stack = read_stack(path, voxel_nm=_voxel(voxel), grey=grey)
    for notice in stack.notices:
        stderr.print(notice, markup=False, highlight=False, soft_wrap=True)
    return stack


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("sem-sr-demo"),
) -> None:
    """Do the main job on a bundled real sample: upscale, check against HR, report."""
    from napari_sem_sr.study.demo import iter_demo

    result = follow(iter_demo(out))
    stdout.print(result.summary(), markup=False, highlight=False, soft_wrap=True)


@app.command("app")
def open_napari(
    paths: Annotated[list[Path] | None, typer.Argument(help="Stacks to open.")] = None,
) -> None:
    """Open napari with the plugin's docks."""
    from napari_sem_sr.widgets.app import run_app

    run_app(paths or [])


@app.command()
def info(
    path: Path, as_json: JsonFlag = False, voxel: VoxelOption = None, grey: GreyFlag = False
) -> None:
    """Say what a file or folder holds: shape, voxel size, geometry, instrument."""
    stack = _read(path, voxel, grey=grey)
    document = stack.describe()
    if as_json:
        print_json(document)
        return
    table = Table(show_header=False, box=None)
    instrument = document.pop("instrument")
    for key, value in {
        **document,
        **{k: v for k, v in instrument.items() if v is not None},
    }.items():
        unknown = value is None or value == [None, None, None]
        table.add_row(key, "unknown" if unknown else str(value))
    stdout.print(table)


@models_app.callback()
def models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the installed models."""
    if context.invoked_subcommand is not None:
        return
    from napari_sem_sr.model.zoo import damaged_models, list_models

    found = list_models()
    for problem in damaged_models():
        stderr.print(problem, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        print_json([entry.describe() for entry in found])
        return
    table = Table(
        "model",
        "factor",
        "teachers",
        "twin over bicubic, unseen",
        "SRGAN over bicubic",
        "from",
        box=None,
    )
    for entry in found:
        row = entry.describe()
        table.add_row(
            entry.name,
            f"×{row['factor']}",
            str(row["teachers"]),
            f"{row['twin_gain_db']:+.1f} dB",
            f"{row['gan_gain_db']:+.1f} dB",
            "package" if entry.bundled else "you",
        )
    stdout.print(table)


@models_app.command("show")
def show_model(name: str, as_json: JsonFlag = False) -> None:
    """Show the card of a model, given by name or path."""
    from napari_sem_sr.model.zoo import load_model

    card = load_model(name).card.model_dump(mode="json")
    if not as_json:
        card["training"].pop("curve")
        card["teachers"].pop("hashes")
    print_json(card)


@models_app.command("import")
def import_model(file: Path) -> None:
    """Install a bundle under the name on its card."""
    from napari_sem_sr.model.zoo import import_model as install

    entry = install(file)
    stdout.print(f"Installed '{entry.name}' in {entry.path}", markup=False, soft_wrap=True)


@models_app.command("export")
def export_model(name: str, file: Path) -> None:
    """Write a model as one .semsr file to give to a colleague."""
    from napari_sem_sr.model.zoo import export_model as write

    write(name, file)
    stdout.print(f"Wrote {file}", markup=False, soft_wrap=True)


@app.command()
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
        stderr.print(notice, markup=False, highlight=False, soft_wrap=True)
    model = follow(iter_train(images, settings, out, resume=resume))
    if as_json:
        print_json(model.card.model_dump(mode="json"))
    else:
        stdout.print(model.card.summary(), markup=False, soft_wrap=True)


@app.command()
def upscale(
    input_path: Annotated[Path, typer.Argument(metavar="INPUT")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="*.zarr or *.tif")],
    model: Annotated[str, typer.Option(help="Name or path of a model.")],
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    sharpness: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 twin to 1 SRGAN; the card's by default.")
    ] = None,
    tile: Annotated[int | None, typer.Option(help="Tile width in LR pixels.")] = None,
    slices: Annotated[str | None, typer.Option(metavar="A:B", help="First and end slice.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="Y0:Y1,X0:X1", help="Part in LR pixels.")
    ] = None,
    voxel: VoxelOption = None,
    grey: GreyFlag = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing output.")
    ] = False,
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
        slices=_slices(slices),
        region=_region(region),
    )
    stack = _read(input_path, voxel, grey=grey)
    result = follow(
        iter_upscale(stack, output, load_model(model), settings, resume=resume, overwrite=overwrite)
    )
    if as_json:
        print_json(asdict(result))
        return
    stages = ", ".join(f"{s.name} {s.seconds:.1f} s" for s in result.stages)
    stdout.print(
        f"{result.output}: {result.total} slices, {result.computed} computed in {result.seconds:.1f} s ({stages})",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def check(
    lr: Annotated[Path, typer.Option(help="Measured LR stack.")],
    sr: Annotated[Path, typer.Option(help="Its SR stack.")],
    out: Annotated[
        Path, typer.Option(help="Folder for report.html, report.json, regions.csv, maps.zarr.")
    ],
    hr: Annotated[Path | None, typer.Option(help="HR of the same field, if there is one.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Model that made SR; known from SR if installed.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted check.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check SR against what was measured, and against HR where there is one."""
    from napari_sem_sr.checking import iter_check
    from napari_sem_sr.model.zoo import load_model, model_of

    made = _read(sr)
    report = follow(
        iter_check(
            _read(lr),
            made,
            None if hr is None else _read(hr),
            model=model_of(made.provenance) if model is None else load_model(model),
            out=out,
            resume=resume,
        )
    )
    if as_json:
        print_json(asdict(report))
    else:
        stdout.print(report.verdict, markup=False, highlight=False, soft_wrap=True)
        stdout.print(
            f"Report: {out / 'report.html'}", markup=False, highlight=False, soft_wrap=True
        )
