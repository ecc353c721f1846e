"""Slices looked at one after the other; what was found on the one before is written meanwhile."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from napari_sem_sr.checking.pipeline.session import Session
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import watch


class Looking:
    """Threads that compute and write for a session; used in a ``with`` block.

    Parameters
    ----------
    session
        The check under way.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._total = len(session.wanted)
        self._done = self._total - len(session.todo)
        self._computer, self._writer = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._behind: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._computer.shutdown()
        self._writer.shutdown()

    def iter_look(self, index: int) -> Generator[Event, None, None]:
        """Look at a slice, and begin to write what was found.

        Parameters
        ----------
        index
            Number of the slice in the field.
        """
        yield self._progress
        findings = yield from watch(
            self._computer.submit(self._session.look, index), self._progress
        )
        yield from self._iter_written()
        self._behind = self._writer.submit(self._session.keep, index, findings)
        self._done += 1

    def iter_settle(self) -> Generator[Event, None, None]:
        """Wait until all is on disk."""
        yield from self._iter_written()
        yield self._progress

    def _iter_written(self) -> Generator[Event, None, None]:
        if self._behind is not None:
            yield from watch(self._behind, self._progress)
            self._behind = None

    @property
    def _progress(self) -> Progress:
        return Progress("checking", self._done, self._total, "slices")
