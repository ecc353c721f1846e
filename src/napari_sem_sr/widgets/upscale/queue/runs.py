"""Runs of the dock Upscale that wait for each other."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_sem_sr.events import Event, SliceDone, TileDone, UpscaleStarted
from napari_sem_sr.inference.runs.queue import QueuedRun, iter_queue
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.zoo import Entry
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.eta import Eta
from napari_sem_sr.widgets.qt.worker import Events
from napari_sem_sr.widgets.upscale.results import UpscaleRequest
from napari_sem_sr.widgets.upscale.tasks import Memory, iter_run
from napari_sem_sr.widgets.words import tr


@dataclass(frozen=True, eq=False)
class StackRun(QueuedRun):
    """A run that was asked for in the dock.

    Parameters
    ----------
    order
        Of which layer, and how.
    model
        Name of the model.
    """

    request: UpscaleRequest
    model: str

    @property
    def slices(self) -> int:
        """How many are upscaled."""
        first, end = self.request.settings.slices or (0, self.request.stack.shape[0])
        return end - first

    @property
    def pixels(self) -> int:
        """LR pixels of a slice."""
        return slice_pixels(self.request.stack, self.request.settings)


def slice_pixels(stack: SemStack, settings: UpscaleSettings) -> int:
    """LR pixels of a slice that are upscaled."""
    _, height, width = stack.shape
    (y0, y1), (x0, x1) = settings.region or ((0, height), (0, width))
    return (y1 - y0) * (x1 - x0)


class Runs:
    """Runs that wait, the one that goes on, and those that ended.

    The user interface appends while the thread of the work takes the next.
    """

    def __init__(self) -> None:
        self.waiting: deque[StackRun] = deque()
        self.current: StackRun | None = None
        self.ended: list[tuple[StackRun, str]] = []
        """With what went wrong; empty where nothing did."""
        self.eta = Eta()

    def events(self) -> Events:
        """Do all that wait, those added meanwhile included."""
        return iter_queue(self._following())

    def _following(self) -> Iterator[StackRun]:
        while self.waiting:
            yield self.waiting.popleft()

    def take(self, now: float, event: Event) -> None:
        """Note how far the run that goes on has come; ``now`` in seconds."""
        match event:
            case UpscaleStarted(_, done, total):
                self.eta.start(now, done, total)
            case SliceDone(_, done, _):
                self.eta.reach(now, done)
            case TileDone(_, done, total):
                self.eta.within(now, done / total)

    def begin(self, run: StackRun) -> None:
        """A run's turn has come."""
        self.current, self.eta = run, Eta()

    def end(self, error: str = "") -> None:
        """The run that went on is over."""
        if self.current is not None:
            self.ended.append((self.current, error))
        self.current = None

    def holds(self, output: Path) -> bool:
        """Whether a run to this place waits or goes on."""
        going = [] if self.current is None else [self.current]
        return any(run.output == output for run in (*going, *self.waiting))

    def question(self) -> str:
        """What would be lost if all of it were stopped now; empty where nothing goes on."""
        if self.current is None:
            return ""
        kept = tr("1 slice") if self.eta.done == 1 else tr("{done} slices", done=self.eta.done)
        waiting = len(self.waiting)
        more = (
            tr(" {waiting} more in the queue would not start.", waiting=waiting) if waiting else ""
        )
        return tr(
            "'{name}' is being upscaled. Stop, and keep {kept}?{more}",
            name=self.current.name,
            kept=kept,
            more=more,
        )

    def seconds_left(self) -> float | None:
        """About how long all of it still takes; None before the first slice is done."""
        left, each = self.eta.seconds_left(), self.eta.seconds_per_slice()
        if self.current is None or left is None or each is None:
            return None
        per_pixel = each / self.current.pixels
        return left + sum(run.slices * run.pixels * per_pixel for run in self.waiting)


def stack_run(
    memory: Memory,
    request: UpscaleRequest,
    entry: Entry,
    output: Path,
    *,
    resume: bool,
    overwrite: bool,
) -> StackRun:
    """A run that waits for its turn; see `iter_upscale` for what it does with what is there."""
    begin = partial(
        iter_run,
        memory,
        request.stack,
        output,
        entry.path,
        request.settings,
        resume=resume,
        overwrite=overwrite,
        check=request.check,
    )
    return StackRun(request.stack.name, output, begin, request, entry.name)
