"""The command ``sem-sr``: each command parses input, calls one core function, shows the result."""

import inspect
import re
import sys

import typer

from napari_sem_sr.cli.bench import bench
from napari_sem_sr.cli.check import check
from napari_sem_sr.cli.demo import demo, open_napari
from napari_sem_sr.cli.doctor import doctor
from napari_sem_sr.cli.info import info
from napari_sem_sr.cli.isotropic import isotropic
from napari_sem_sr.cli.match import match
from napari_sem_sr.cli.measure import measure
from napari_sem_sr.cli.models import models_app
from napari_sem_sr.cli.register import register
from napari_sem_sr.cli.study import study_app
from napari_sem_sr.cli.train import train
from napari_sem_sr.cli.upscale import upscale
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.terminal import printable, tell

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Super-resolution of FIB-SEM stacks, with evidence of what is true and what the network made up. "
    "Add --debug to any command to see the traceback of an error.",
)

app.command()(demo)
app.command("app")(open_napari)
app.command()(info)
app.add_typer(models_app, name="models")
app.command()(train)
app.command()(match)
app.command()(upscale)
app.command()(isotropic)
app.command()(check)
app.command()(measure)
app.command()(bench)
app.command()(register)
app.add_typer(study_app, name="study")
app.command()(doctor)


def _describe(commands: typer.Typer) -> None:
    """Let ``--help`` say what a command does; its docstring's sections are for the API, and options say their own."""
    for command in commands.registered_commands:
        said = inspect.getdoc(command.callback) or ""
        command.help = re.split(r"\n\n[A-Z][a-z]+\n-{3,}", said)[0]
    for group in commands.registered_groups:
        if group.typer_instance is not None:
            _describe(group.typer_instance)


_describe(app)


def main() -> None:
    """Run the command line; one clear line and exit code 1 for what a person can fix."""
    debug = "--debug" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    printable()
    try:
        app(args=arguments)
    except Exception as error:
        said = _sentence(error)
        if debug or said is None:
            raise
        tell(f"Error: {said}", style="red")
        raise SystemExit(1) from None


def _sentence(error: Exception) -> str | None:
    """What a person can do about an error; None for a defect of ours."""
    if isinstance(error, SemSrError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory; close other programs, choose a region, or use a machine with more."
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "This machine lets no more threads start; close other programs or raise its limit (ulimit -u)."
    if isinstance(error, OSError) and error.strerror:
        what = f"'{error.filename}'" if error.filename else "What was asked for"
        return f"{what} cannot be used ({error.strerror}); check that it is there and may be read and written."
    return None
