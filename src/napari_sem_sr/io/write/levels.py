"""All levels of one slice, made from its rows as they come: memory for rows of chunks, whatever the slice's size."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.pyramid import halve

Rows = npt.NDArray[Any]
Take = Callable[[Rows], None]


class GrowingLevel:
    """One level of a slice while it grows from the top down.

    Parameters
    ----------
    put
        Takes ``height`` rows at a time, the last time what is left.
    height
        Even, so that each row of a coarser level is made of two that are both there.
    coarser
        The next level, which is given the same rows halved; None for the last.
    """

    def __init__(self, put: Take, height: int, coarser: "GrowingLevel | None") -> None:
        self._put = put
        self._height = height
        self._coarser = coarser
        self._waiting: list[Rows] = []
        self._count = 0

    def take(self, rows: Rows) -> None:
        """Take the next ``rows``, as many as there are; they may be used again by the caller afterwards."""
        while len(rows):
            part = rows[: self._height - self._count]
            rows = rows[len(part) :]
            # what can be passed on at once needs no copy
            self._waiting.append(part if len(part) == self._height else part.copy())
            self._count += len(part)
            if self._count == self._height:
                self._pass_on()

    def end(self) -> None:
        """Pass on what is left, on all levels from this one on."""
        if self._count:
            self._pass_on()
        if self._coarser is not None:
            self._coarser.end()

    def _pass_on(self) -> None:
        band = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        self._waiting, self._count = [], 0
        self._put(band)
        if self._coarser is not None:
            self._coarser.take(halve(band))


def growing(puts: Sequence[Take], height: int) -> GrowingLevel:
    """Join levels; returns the finest.

    Parameters
    ----------
    puts
        Take the rows of each level, the finest first.
    height
        Rows that they take at a time.
    """
    level: GrowingLevel | None = None
    for put in reversed(puts):
        level = GrowingLevel(put, height, level)
    assert level is not None, "an output has a level"
    return level
