"""Where rows of SR go as they are computed, so that no more of a slice than these has to be in memory."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event


@dataclass(frozen=True, eq=False)
class SliceResult:
    """One SR slice, or some rows of it.

    Parameters
    ----------
    image
        ``(f * y, f * x)`` in the dtype asked for.
    outside
        Pixels whose value the dtype cannot hold; they were set to its limit.
    """

    image: npt.NDArray[Any]
    outside: int


class Sink(Protocol):
    """Takes slices of one batch from the top down."""

    def iter_begin(self, count: int) -> Generator[Event, None, None]:
        """Expect the next ``count`` slices; called again for the same where memory ran out and they are begun again."""

    def iter_take(self, bands: Sequence[SliceResult]) -> Generator[Event, None, None]:
        """Take ``bands``, the next rows of each of them, as many of all."""

    def iter_end(self) -> Generator[Event, None, None]:
        """Know that these slices are whole."""


class Whole:
    """Keeps all rows in memory.

    Parameters
    ----------
    shape
        Of each slice, in SR pixels.
    dtype
        Of the pixels.
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._images: list[npt.NDArray[Any]] = []
        self._outside: list[int] = []
        self._top = 0
        self.results: list[SliceResult] = []

    def iter_begin(self, count: int) -> Generator[Event, None, None]:
        """Make room for ``count`` slices, and forget rows of those that were not finished."""
        self._images = [np.empty(self._shape, self._dtype) for _ in range(count)]
        self._outside, self._top = [0] * count, 0
        yield from ()

    def iter_take(self, bands: Sequence[SliceResult]) -> Generator[Event, None, None]:
        """Put ``bands`` below the rows that are there."""
        for place, band in enumerate(bands):
            self._images[place][self._top : self._top + len(band.image)] = band.image
            self._outside[place] += band.outside
        self._top += len(bands[0].image)
        yield from ()

    def iter_end(self) -> Generator[Event, None, None]:
        """Add what is whole to ``results``."""
        self.results += map(SliceResult, self._images, self._outside)
        yield from ()
