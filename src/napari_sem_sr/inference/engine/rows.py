"""Rows of one slice on their way from the thread that computes them to the one that writes them."""

import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy.typing as npt

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import BEAT

Band = npt.NDArray[Any]


class AbandonedError(Exception):
    """A slice is not going to be finished: what was written of it is no use."""


class RowStream:
    """One band of rows at a time; the next is taken when the writer is done with the one before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._band: Band | None = None
        self._state = "open"
        # seconds for which the writer had nothing to write
        self.waited = 0.0

    def iter_put(self, band: Band, waiting: Progress) -> Generator[Event, None, bool]:
        """Hand over ``band``, rows ``(rows, x)``, saying ``waiting`` at every beat; False where nobody takes them any more."""
        while not self._put(band):
            if self._state == "left":
                return False
            yield waiting
        return True

    def end(self) -> None:
        """Say that all rows were handed over."""
        self._become("ended")

    def abandon(self) -> None:
        """Let the writer stop with `AbandonedError`, unless it was given all rows."""
        self._become("abandoned")

    def leave(self) -> None:
        """Say that the writer takes no more."""
        with self._changed:
            self._state, self._band = "left", None
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Band]:
        while True:
            begun = time.perf_counter()
            with self._changed:
                self._changed.wait_for(lambda: self._band is not None or self._state != "open")
                self.waited += time.perf_counter() - begun
                if self._state == "abandoned":
                    raise AbandonedError
                if self._band is None:
                    return
                band = self._band
            yield band
            del band
            with self._changed:
                self._band = None
                self._changed.notify_all()

    def _put(self, band: Band) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._band is None or self._state == "left", timeout=BEAT
            )
            if self._band is not None or self._state == "left":
                return False
            self._band = band
            self._changed.notify_all()
            return True

    def _become(self, state: str) -> None:
        with self._changed:
            if self._state == "open":
                self._state = state
            self._changed.notify_all()
