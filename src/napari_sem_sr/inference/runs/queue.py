"""Several runs one after the other; one that fails does not stop the rest."""

import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event
from napari_sem_sr.inference.settings import UpscaleResult

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class QueuedRun:
    """A run that waits for its turn.

    Parameters
    ----------
    name
        What is upscaled.
    output
        Where the result goes.
    begin
        Makes the run; called when its turn has come.
    """

    name: str
    output: Path
    begin: Callable[[], Generator[Event, None, UpscaleResult]]


@dataclass(frozen=True, eq=False)
class RunStarted(Event):
    """A run's turn has come.

    Parameters
    ----------
    run
        Whose turn it is.
    """

    run: QueuedRun


@dataclass(frozen=True, eq=False)
class RunEnded(Event):
    """A run is over: with a result, or with one sentence that says why there is none.

    Parameters
    ----------
    run
        Which is over.
    result
        None where it failed.
    error
        Empty where there is a result.
    """

    run: QueuedRun
    result: UpscaleResult | None
    error: str = ""


def iter_queue(runs: Iterable[QueuedRun]) -> Generator[Event, None, tuple[RunEnded, ...]]:
    """Do runs one after the other, passing on what they report.

    Parameters
    ----------
    runs
        Asked for the next one when one has ended, so that more may be added meanwhile.

    Yields
    ------
    `RunStarted` and `RunEnded` around the events of each run.
    """
    ended = []
    for run in runs:
        yield RunStarted(run)
        try:
            result = yield from run.begin()
            outcome = RunEnded(run, result)
        except SemSrError as error:
            outcome = RunEnded(run, None, str(error))
        except Exception as error:  # a defect in one run must not cost a night's work
            LOG.exception("The run of '%s' failed.", run.name)
            outcome = RunEnded(
                run, None, f"This should not have happened ({type(error).__name__}: {error})."
            )
        ended.append(outcome)
        yield outcome
    return tuple(ended)
