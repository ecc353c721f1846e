"""Two-point correlation of a phase along z, y and x, and its length.

S2(r) is the probability that both ends of a segment of length r lie in the phase (Torquato, Random Heterogeneous Materials, Springer
2002, ch. 2). Normalised, (S2 - f**2) / (f - f**2) with the volume fraction f, it falls from 1 to 0; its length is where it first
passes 1/e. Along y and x every voxel counts, along z an evenly spaced set of columns, so that memory stays bounded.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from napari_sem_sr.measure.blocks import BlockGrid, Floats, Interval, jackknife

Mask = npt.NDArray[np.bool_]
# Lags in voxels, and columns along z, at most.
LAGS, COLUMNS = 192, 1 << 15
# Columns are kept apart in this many groups along y and along x.
GROUPS = 3


@dataclass(frozen=True, eq=False)
class Curve:
    """S2 along an axis at ``lags`` (in the unit of the voxel size).

    Parameters
    ----------
    s2
        Chance that both ends of a rod of that length lie in the phase.
    length
        Correlation length with its interval; None where it cannot be told.
    """

    lags: Floats
    s2: Floats
    length: Interval | None


class Correlation:
    """Counts pairs plane by plane; every plane once, in order.

    Parameters
    ----------
    grid
        The finest blocks of the volume.
    """

    def __init__(self, grid: BlockGrid) -> None:
        self._grid = grid
        self._lags = [min(n - 1, LAGS, max(1, n // 2)) for n in grid.shape]
        stride = int(np.ceil(np.sqrt(grid.shape[1] * grid.shape[2] / COLUMNS)))
        self._columns = np.s_[::stride, ::stride]
        seen = np.zeros(grid.shape[1:], bool)[self._columns]
        rows, columns = np.indices(seen.shape)
        y = rows * GROUPS // seen.shape[0]
        self._group = (y * GROUPS + columns * GROUPS // seen.shape[1]).ravel()
        self._recent: deque[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = deque(
            maxlen=self._lags[0] + 1
        )
        groups = (GROUPS**2, grid.counts[0], grid.counts[0])
        # pairs inside the phase, pairs that are known; by group and lag
        self._both = [np.zeros((g, n + 1)) for g, n in zip(groups, self._lags, strict=True)]
        self._known = [np.zeros((g, n + 1)) for g, n in zip(groups, self._lags, strict=True)]

    def add(self, index: int, mask: Mask, valid: Mask) -> None:
        """Count plane ``index``.

        Parameters
        ----------
        mask
            ``(y, x)``, where the phase is.
        valid
            ``(y, x)``, what is known at all.
        """
        block = self._grid.block_of(0, index)
        for axis, turned in ((1, True), (2, False)):
            rows, known = (mask.T, valid.T) if turned else (mask, valid)
            lags = self._lags[axis]
            self._both[axis][block] += _pairs(rows, lags)
            if valid.all():
                n = rows.shape[1]
                self._known[axis][block] += rows.shape[0] * (n - np.arange(lags + 1.0))
            else:
                self._known[axis][block] += _pairs(known, lags)
        self._recent.appendleft(
            (mask[self._columns].ravel().copy(), valid[self._columns].ravel().copy())
        )
        now, known_now = self._recent[0]
        inside, there = self._group[now], self._group[known_now]
        for lag, (then, known_then) in enumerate(self._recent):
            n = GROUPS**2
            self._both[0][:, lag] += np.bincount(inside[then[now]], minlength=n)
            self._known[0][:, lag] += np.bincount(there[known_then[known_now]], minlength=n)

    def curve(self, axis: int, size: float) -> Curve:
        """S2 along an axis whose voxels are ``size`` long.

        Parameters
        ----------
        axis
            0 (z), 1 (y) or 2 (x).
        """
        both, known = self._both[axis], self._known[axis]
        lags: Floats = np.arange(self._lags[axis] + 1.0) * size
        s2: Floats = both.sum(0) / np.maximum(known.sum(0), 1.0)
        length = _length(lags, s2)
        if length is None:
            return Curve(lags, s2, None)
        filled = known[:, 0] > 0
        without = [
            _length(lags, (both.sum(0) - b) / np.maximum(known.sum(0) - k, 1))
            for b, k in zip(both[filled], known[filled], strict=True)
        ]
        lengths = np.array([v for v in without if v is not None])
        # left out in groups that may depend on each other: four at most along z
        return Curve(
            lags,
            s2,
            jackknife(length, lengths) if len(lengths) == filled.sum() else Interval(length),
        )


def _pairs(rows: Mask, lags: int) -> Floats:
    """Pairs of voxels inside at each lag along rows, summed over rows."""
    n = fft.next_fast_len(rows.shape[1] + lags, real=True)
    power = np.zeros(n // 2 + 1)
    for first in range(0, len(rows), 256):
        spectrum = fft.rfft(rows[first : first + 256].astype(np.float32), n, axis=1)
        power += (
            spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
        ).sum(0)
    return np.asarray(np.rint(fft.irfft(power, n)[: lags + 1]))


def _length(lags: Floats, s2: Floats) -> float | None:
    """Where the normalised correlation first passes 1/e, between lags linearly."""
    fraction = s2[0]
    if not 0 < fraction < 1:
        return None
    normal = (s2 - fraction**2) / (fraction - fraction**2)
    below = np.flatnonzero(normal < 1 / math.e)
    if not below.size:
        return None
    i = int(below[0])
    part = (normal[i - 1] - 1 / math.e) / (normal[i - 1] - normal[i])
    return float(lags[i - 1] + part * (lags[i] - lags[i - 1]))
