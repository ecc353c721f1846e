"""What ``sem-sr`` shows on the terminal: results on stdout, progress and notices on stderr."""

import contextlib
import io
import json
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from napari_sem_sr import events

Result = TypeVar("Result")
stdout = Console()
stderr = Console(stderr=True)


def printable() -> None:
    """Let streams write what their encoding lacks as its number, as the work is done when a result is printed."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a result just as it is written.

    Parameters
    ----------
    text
        Without markup.
    """
    stdout.print(text, markup=False, highlight=False, soft_wrap=True)


def tell(text: str, style: str | None = None) -> None:
    """Print what a person should read beside the result, just as it is written.

    Parameters
    ----------
    text
        Without markup.
    style
        As of rich; none by default.
    """
    stderr.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


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


def follow(
    work: Generator[events.Event, None, Result],
    *,
    go_on: str = "the same command with --resume goes on",
) -> Result:
    """Show long work as a progress bar on stderr and return its result; Ctrl-C leaves it resumable.

    Parameters
    ----------
    work
        A generator of events; its result is what it returns.
    go_on
        What a person does to go on after Ctrl-C.
    """
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
                tell(f"Stopped; what is done is kept, {go_on}.")
                raise SystemExit(130)
            try:
                event = next(work)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            if isinstance(event, events.Notice):
                tell(event.message)
            elif isinstance(event, events.Timed):
                stages = ", ".join(f"{name} {s:.1f} s" for name, s in event.seconds.items())
                tell(f"{event.what}: {event.wall:.1f} s ({stages})")
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
        case events.StepDone(epochs=None, left_s=float(left)):
            return {
                "completed": event.done,
                "total": 1.0,
                "state": f"step {event.step}, about {left / 60:.0f} min left in all",
            }
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
    """Print one JSON document on stdout.

    Parameters
    ----------
    document
        Of what JSON can hold.
    """
    typer.echo(json.dumps(document, indent=1, default=str, allow_nan=False))
