"""The command ``sem-sr``: parses input, calls one core function, shows the result."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from rich.table import Table

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.terminal import follow, print_json, say, stdout, tell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Super-resolution of FIB-SEM stacks, with evidence of what is true and what the network made up. "
    "Add --debug to any command to see the traceback of an error.",
)
models_app = typer.Typer(help="Installed models.", invoke_without_command=True)
app.add_typer(models_app, name="models")
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
        tell(f"Error: {error}", style="red")
        raise SystemExit(1) from None


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
        tell(notice)
    return stack


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("sem-sr-demo"),
) -> None:
    """Do the main job on a bundled real sample: upscale, check against HR, report."""
    from napari_sem_sr.study.demo import iter_demo

    result = follow(iter_demo(out))
    say(result.summary())


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
        tell(problem)
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
    say(f"Installed '{entry.name}' in {entry.path}")


@models_app.command("export")
def export_model(name: str, file: Path) -> None:
    """Write a model as one .semsr file to give to a colleague."""
    from napari_sem_sr.model.zoo import export_model as write

    write(name, file)
    say(f"Wrote {file}")


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
        tell(notice)
    model = follow(iter_train(images, settings, out, resume=resume))
    if as_json:
        print_json(model.card.model_dump(mode="json"))
    else:
        say(model.card.summary())


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
    say(
        f"{result.output}: {result.total} slices, {result.computed} computed in {result.seconds:.1f} s ({stages})"
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
        say(report.verdict)
        say(f"Report: {out / 'report.html'}")
