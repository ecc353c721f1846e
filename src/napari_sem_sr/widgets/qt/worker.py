"""Long work beside the user interface: one generator of events, advanced in a thread of its own.

The thread owns the generator: it alone advances it, looks between two events whether it has been asked to stop,
and closes it. What it reports goes through a mailbox that the user interface empties a few times a second.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress, StepDone, TileDone
from napari_sem_sr.widgets.words import tr

Events = Generator[Event, None, Any]
MAILBOX_MS = 80
# how soon a pause notices that it is to end by stopping
PAUSE_S = 0.1
# so long reports may keep the user interface; the others wait for the next time
AT_ONCE_S = 0.05


@dataclass(frozen=True)
class _Ended:
    """How the work ended: a result, an error, or neither where it was cancelled."""

    result: Any = None
    error: BaseException | None = None
    cancelled: bool = False


class _Job:
    """What runs in the thread; holds no Qt object, so that closing a dock never has to wait for it."""

    def __init__(self, title: str, make: Callable[[], Events]) -> None:
        self._title = title
        self._make = make
        self.mailbox: deque[Event | _Ended] = deque()
        self.asked_to_stop: Callable[[], bool] = lambda: False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __str__(self) -> str:
        return self._title

    def __call__(self) -> None:
        try:
            self.mailbox.append(self._run())
        except BaseException as error:
            self.mailbox.append(_Ended(error=error))

    def _run(self) -> _Ended:
        with contextlib.closing(self._make()) as events:
            while not self.asked_to_stop():
                if not self.may_go_on.wait(PAUSE_S):
                    continue
                try:
                    self.mailbox.append(next(events))
                except StopIteration as stop:
                    return _Ended(result=stop.value)
        return _Ended(cancelled=True)


class Work(QObject):
    """Runs one generator at a time; all signals arrive in the thread of the user interface.

    napari stops it, like its own workers, when it is closed. Reports arrive every ``mailbox_ms`` milliseconds.

    Parameters
    ----------
    parent
        Whose end is its end.
    """

    reported = Signal(object)
    """One `Event`; of tiles and steps only the newest."""
    finished = Signal(object)
    """The result."""
    failed = Signal(str)
    """One sentence for a person."""
    cancelled = Signal()
    ended = Signal()
    """After any of the three above."""

    def __init__(self, parent: QObject, mailbox_ms: int = MAILBOX_MS) -> None:
        super().__init__(parent)
        self._job: _Job | None = None
        self._worker: Any = None
        self._timer = QTimer(self)
        self._timer.setInterval(mailbox_ms)
        self._timer.timeout.connect(self._empty_mailbox)

    @property
    def running(self) -> bool:
        """Whether work is going on."""
        return self._job is not None

    def start(self, title: str, make: Callable[[], Events]) -> None:
        """Begin; ``make`` is called in the thread and may import what takes long.

        Parameters
        ----------
        title
            For a person.
        """
        if self.running:
            raise RuntimeError("one thing at a time")
        self._job = _Job(title, make)
        self._worker = create_worker(self._job, _start_thread=False)
        worker = self._worker
        self._job.asked_to_stop = lambda: bool(worker.abort_requested)
        self._timer.start()
        worker.start()

    @property
    def paused(self) -> bool:
        """Whether the work has been asked to wait."""
        return self._job is not None and not self._job.may_go_on.is_set()

    def pause(self) -> None:
        """Let the work wait after its next event, with all that it holds in memory."""
        if self._job is not None:
            self._job.may_go_on.clear()

    def go_on(self) -> None:
        """End a pause."""
        if self._job is not None:
            self._job.may_go_on.set()

    def cancel(self) -> None:
        """Ask the work to stop at its next event; what is done stays."""
        if self._worker is not None:
            self._worker.quit()

    def close(self) -> None:
        """Ask the work to stop and hear no more of it."""
        self.cancel()
        self._timer.stop()
        self._job = self._worker = None

    def _empty_mailbox(self) -> None:
        job = self._job
        if job is None:
            return
        newest: Event | None = None
        until = time.monotonic() + AT_ONCE_S
        while job.mailbox and time.monotonic() < until:
            message = job.mailbox.popleft()
            if isinstance(message, _Ended):
                self._end(message)
                return
            if isinstance(message, TileDone | Progress | StepDone):
                newest = message
                continue
            self.reported.emit(message)
            newest = None
        if newest is not None:
            self.reported.emit(newest)

    def _end(self, ended: _Ended) -> None:
        self._timer.stop()
        self._job = self._worker = None
        defect = None
        if ended.cancelled:
            self.cancelled.emit()
        elif ended.error is None:
            self.finished.emit(ended.result)
        elif isinstance(ended.error, SemSrError):
            self.failed.emit(str(ended.error))
        else:
            defect = ended.error
            self.failed.emit(
                tr(
                    "This should not have happened ({name__}: {defect}); please report it.",
                    name__=type(defect).__name__,
                    defect=defect,
                )
            )
        self.ended.emit()
        if defect is not None:
            raise defect
