"""What a preview, a run or a queue says, shown on the form of the dock Upscale."""

import time
from typing import TYPE_CHECKING

from napari_sem_sr.events import (
    Event,
    Notice,
    Progress,
    Remark,
    SliceDone,
    TileDone,
    UpscaleStarted,
)
from napari_sem_sr.inference.runs.queue import RunEnded, RunStarted
from napari_sem_sr.inference.settings import UpscaleResult
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import Tone, link
from napari_sem_sr.widgets.qt.eta import Eta, Steps, spoken_time
from napari_sem_sr.widgets.upscale.form import STEPS
from napari_sem_sr.widgets.upscale.queue.runs import StackRun
from napari_sem_sr.widgets.upscale.results import Results, UpscaleRequest
from napari_sem_sr.widgets.words import spoken, tr

if TYPE_CHECKING:
    from napari_sem_sr.widgets.upscale.form import UpscaleForm


class UpscaleReport:
    """Shows each event where it belongs: lines, bar, queue, and the layers of results.

    Parameters
    ----------
    form
        Whose lines are written on.
    results
        The layers.
    """

    def __init__(self, form: "UpscaleForm", results: Results) -> None:
        self._form = form
        self._runs = form.runs
        self._results = results
        self._tiles = Eta()
        self._steps = Steps()

    def begin(self) -> None:
        """Something begins."""
        form = self._form
        form.message.say("")
        form.bar.setRange(0, 0)
        form.state_line.say(tr("starting"))
        form.cancel_button.setEnabled(True)
        self._tiles = Eta()

    def show(self, event: Event) -> None:
        """Show one event."""
        form, now = self._form, time.monotonic()
        self._runs.take(now, event)
        match event:
            case Remark(message):
                form.state_line.setToolTip(spoken(message))
            case Notice(message):
                form.message.say(message, Tone.CARE)
            case RunStarted(run) if isinstance(run, StackRun):
                self._runs.begin(run)
                self._results.begin(run.output)
                form.state_line.say(tr("{name}: starting", name=run.name))
                form.queue.show_runs(running=True)
            case RunEnded(run, result, error) if isinstance(run, StackRun):
                self._end(run, result, error)
            case UpscaleStarted(output, _, total):
                if self._runs.current is not None:
                    self._results.follow(self._runs.current.request, output, total)
                self._show_eta()
            case SliceDone(z, _, _):
                self._results.arrived(z)
                self._show_eta()
                form.queue.show_runs(running=True)
                if form.message.text() == "":
                    form.message.say(
                        tr(
                            "The first slices are there: {link}.",
                            link=link("inspect", tr("compare them in Inspect")),
                        )
                    )
            case TileDone(_, done, total):
                self._show_tile(now, done, total)
            case Progress(_, done, total, _):
                if 0 < self._runs.eta.done < self._runs.eta.total:
                    self._show_eta()
                else:
                    form.bar.setRange(0, total if total > 1 else 0)
                    form.bar.setValue(done)
                    form.state_line.say(self._steps.spoken(now, event))

    def _show_tile(self, now: float, done: int, total: int) -> None:
        if self._runs.current is not None:
            self._show_eta()
            return
        if self._tiles.total != total:
            self._tiles.start(now, 0, total)
        self._tiles.reach(now, done)
        self._form.bar.setRange(0, total)
        self._form.bar.setValue(done)
        left = self._tiles.seconds_left()
        self._form.state_line.say(
            tr("tile {done} of {total}", done=done, total=total)
            + ("" if left is None else tr(" · {size} left", size=spoken_time(left)))
        )

    def _show_eta(self) -> None:
        eta, run = self._runs.eta, self._runs.current
        self._form.bar.setRange(0, STEPS)
        self._form.bar.setValue(round(STEPS * eta.fraction))
        name = f"{run.name}: " if run is not None and self._runs.waiting else ""
        self._form.state_line.say(f"{name}{eta.spoken()}")

    def show_preview(self, request: UpscaleRequest, result: tuple[SemStack, int]) -> None:
        """Show an upscaled slice."""
        sr, z = result
        self._results.show_preview(request, sr, z)
        self._form.message.say(
            tr("Slice {z}: hide or show the preview with its eye to compare.", z=z)
        )

    def _end(self, run: StackRun, result: UpscaleResult | None, error: str) -> None:
        self._runs.end(error)
        if result is not None:
            self._results.complete(run.request, result.output)
            next_step = (
                tr("Compare and see the check in Inspect")
                if run.request.check
                else tr("Compare in Inspect")
            )
            values = {
                "name": result.output.name,
                "size": spoken_time(result.seconds),
                "link": link("inspect", next_step),
            }
            self._form.message.say(
                tr("1 slice in '{name}', {size}. {link}.", **values)
                if result.total == 1
                else tr(
                    "{total} slices in '{name}', {size}. {link}.", total=result.total, **values
                ),
                Tone.GOOD,
            )
        else:
            self._form.message.say(error, Tone.BAD)
        self._form.queue.show_runs(running=True)

    def stopped(self) -> None:
        """A person stopped it."""
        waiting = len(self._runs.waiting)
        if self._runs.current is not None:
            self._runs.end(tr("stopped; finished slices are kept"))
        more = "" if not waiting else tr(" {waiting} more in the queue.", waiting=waiting)
        self._form.message.say(tr("Stopped; finished slices are kept.{more}", more=more))
