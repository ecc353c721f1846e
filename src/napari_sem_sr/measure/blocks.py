"""Blocks of a volume, and the 95 % interval of a number from how much it differs between them.

A volume is a sample of a material. Sums are kept apart for each block of a grid, blocks are merged until they are much
larger than the structure (so that they hardly depend on each other), and the number is computed again with each of them left out
(delete-one jackknife, Efron & Stein 1981, Ann. Stat. 9, 586; for blocks of dependent data Künsch 1989, Ann. Stat. 17, 1217).
The interval uses Student's t with one degree of freedom less than there are blocks. It says how far another volume of the
same material, cut as large, would differ; it does not hold what the imaging or the segmentation gets wrong everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from napari_sem_sr.stack import Triple

Floats = npt.NDArray[np.float64]
LEVEL = 0.95
# Most blocks along an axis for sums, and for the interval that is made of them.
FINE, COARSE = 12, 4
# A block is at least this many correlation lengths wide.
LENGTHS = 5.0


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval; ``low`` and ``high`` are None where there are too few blocks.

    Parameters
    ----------
    value
        The number.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class BlockGrid:
    """The finest blocks of a volume of ``shape`` (z, y, x); `counts` of them along each axis."""

    shape: Triple[int]

    @property
    def counts(self) -> Triple[int]:
        """Blocks along z, y, x."""
        z, y, x = (next(c for c in (FINE, 6, 2, 1) if c <= n) for n in self.shape)
        return z, y, x

    def edges(self, axis: int) -> npt.NDArray[np.intp]:
        """First voxel of every block along ``axis``."""
        return np.arange(self.counts[axis]) * self.shape[axis] // self.counts[axis]

    def block_of(self, axis: int, index: int) -> int:
        """Block along ``axis`` in which voxel ``index`` lies."""
        return int(np.searchsorted(self.edges(axis), index, "right")) - 1

    def blocks_of(self, axis: int, position: Floats) -> npt.NDArray[np.intp]:
        """Blocks along ``axis`` in which ``position`` (voxels, may be fractions) lie."""
        return np.searchsorted(self.edges(axis), position, "right") - 1

    def plane_sums(self, plane: npt.NDArray[Any]) -> Floats:
        """Sums of a plane (y, x) over the blocks that it crosses, (blocks in y, blocks in x).

        Parameters
        ----------
        plane
            ``(y, x)``.
        """
        # a row at a time: whole numbers below 2 ** 16 stay exact and fast
        rows = np.add.reduceat(plane, self.edges(2), axis=1, dtype=np.float64)
        return np.asarray(np.add.reduceat(rows, self.edges(1), axis=0))

    def zeros(self) -> Floats:
        """One zero per block, (z, y, x)."""
        return np.zeros(self.counts)


@dataclass(frozen=True, eq=False)
class Ratio:
    """A number that is a sum over a sum, each kept apart by block, any shape but the same.

    Parameters
    ----------
    top
        By block.
    bottom
        By block.
    """

    top: Floats
    bottom: Floats

    @property
    def value(self) -> float | None:
        """None where there is nothing to divide by."""
        bottom = float(self.bottom.sum())
        return float(self.top.sum()) / bottom if bottom > 0 else None

    def interval(self, merged: Callable[[Floats], Floats]) -> Interval | None:
        """The number with its interval; ``merged`` puts small blocks together into large ones (`Merging`)."""
        value = self.value
        if value is None:
            return None
        top, bottom = merged(self.top).ravel(), merged(self.bottom).ravel()
        here = bottom > 0
        top, bottom = top[here], bottom[here]
        left = bottom.sum() - bottom
        # a block that holds everything cannot be left out
        if len(top) < 3 or (left <= 0).any():
            return Interval(value)
        return jackknife(value, (top.sum() - top) / left)


def jackknife(value: float, without: Floats, least: float = 0.0) -> Interval:
    """Interval of ``value`` from the values ``without`` each block in turn; nothing is less than ``least``."""
    n = len(without)
    if n < 3:
        return Interval(value)
    spread = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    half = float(student.ppf((1 + LEVEL) / 2, n - 1)) * spread
    return Interval(value, max(least, value - half), value + half)


@dataclass(frozen=True)
class Merging:
    """How the finest blocks of a grid are put together into ``counts`` (z, y, x) that hardly depend on each other.

    Parameters
    ----------
    grid
        The finest blocks.
    """

    grid: BlockGrid
    counts: Triple[int]

    @classmethod
    def beyond(cls, grid: BlockGrid, voxel: Triple[float], length: float) -> "Merging":
        """Blocks much wider than a correlation ``length``, in the unit of the ``voxel`` size (z, y, x).

        Parameters
        ----------
        grid
            The finest blocks.
        """
        z, y, x = (
            _coarse(count, n * size / (LENGTHS * length) if length > 0 else np.inf)
            for count, n, size in zip(grid.counts, grid.shape, voxel, strict=True)
        )
        return cls(grid, (z, y, x))

    def __call__(self, sums: Floats) -> Floats:
        """Sums by merged block, of sums by block of the grid (z, y, x)."""
        for axis, count in enumerate(self.counts):
            sums = np.add.reduceat(sums, np.arange(count) * sums.shape[axis] // count, axis=axis)
        return sums

    def blocks_of(self, positions: Floats) -> npt.NDArray[np.intp]:
        """Number of the merged block in which each of ``positions`` (n, 3) in voxels lies."""
        number = np.zeros(len(positions), np.intp)
        for axis, count in enumerate(self.counts):
            fine = self.grid.blocks_of(axis, positions[:, axis])
            number = number * count + fine * count // self.grid.counts[axis]
        return number


def _coarse(fine: int, most: float) -> int:
    """Blocks along an axis: those that fit, of those the fine ones add up to, but two if they can be had."""
    choices = [c for c in range(1, COARSE + 1) if fine % c == 0]
    return max([c for c in choices if c <= max(2, most)], default=1)
