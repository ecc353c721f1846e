"""Where straight lines cross the border of a phase: its specific surface and its mean chords.

Crofton's formula: the specific surface of a phase is twice the number of its border's crossings per length of test line, averaged over
all directions. On a lattice the lines run through voxel centres along 13 directions, weighted by the part of the sphere that is nearest
to each (Ohser & Mücklich, Statistical Analysis of Microstructures in Materials Science, Wiley 2000; Lehmann & Legland 2012,
Insight Journal, hdl:10380/3342). Where voxels are longer along z the oblique directions take as many steps in the plane as make them
about 45 degrees steep, so that the 13 directions stay spread over the sphere at any ratio. For an isotropic structure every direction
gives the same and the weights do not matter; for layers the error of 13 directions is a few percent.

The mean chord along an axis is the length of the phase on the test lines over half the number of crossings; what the border
of the volume cuts needs no correction then (Underwood, Quantitative Stereology, Addison-Wesley 1970).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import SphericalVoronoi

from napari_sem_sr.measure.blocks import BlockGrid, Floats, Ratio
from napari_sem_sr.stack import Triple

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Direction:
    """Test lines from a voxel to the one ``step`` (z, y, x) away, ``length`` long; ``weight`` of all directions is 1."""

    step: Triple[int]
    length: float
    weight: float


@cache
def directions(voxel: Triple[float]) -> tuple[Direction, ...]:
    """The 13 directions on a lattice of ``voxel`` size (z, y, x); lengths are in its unit."""
    z, y, x = voxel
    ry, rx = max(1, round(z / y)), max(1, round(z / x))
    steps = [(0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, -1)]
    steps += [(1, a * ry, b * rx) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    ways = np.array(steps, np.float64) * voxel
    lengths = np.linalg.norm(ways, axis=1)
    units = ways / lengths[:, None]
    areas = SphericalVoronoi(np.concatenate([units, -units])).calculate_areas()
    weights = areas[: len(steps)] / areas[: len(steps)].sum()
    return tuple(
        Direction(step, float(length), float(weight))
        for step, length, weight in zip(steps, lengths, weights, strict=True)
    )


class Crossings:
    """Counts crossings plane by plane.

    Parameters
    ----------
    grid
        Blocks to count in.
    voxel
        Voxel size (z, y, x).
    """

    def __init__(self, grid: BlockGrid, voxel: Triple[float]) -> None:
        self._grid = grid
        self.directions = directions(voxel)
        self._voxel = voxel
        n = len(self.directions)
        self._crossed = np.zeros((n, *grid.counts))
        self._doubtful = np.zeros((n, *grid.counts))
        self._pairs = np.zeros(n)
        self._phase, self._valid = grid.zeros(), grid.zeros()
        self._before: tuple[Mask, Mask, Mask | None] | None = None

    def add(self, index: int, mask: Mask, valid: Mask, untrusted: Mask | None = None) -> None:
        """Count plane ``index`` (planes in order): the phase, what is known at all, and what of it is not trusted.

        Parameters
        ----------
        mask
            ``(y, x)``, where the phase is.
        valid
            ``(y, x)``, what is known at all.
        untrusted
            ``(y, x)``, what is not trusted; None where nothing is known of trust.
        """
        block = self._grid.block_of(0, index)
        self._phase[block] += self._grid.plane_sums(mask)
        self._valid[block] += self._grid.plane_sums(valid)
        here = (mask, valid, untrusted)
        for number, direction in enumerate(self.directions):
            if direction.step[0] == 0:
                self._count(number, block, direction.step, here, here)
            elif self._before is not None:
                before = self._grid.block_of(0, index - 1)
                self._count(number, before, direction.step, self._before, here)
        self._before = here

    def _count(
        self,
        number: int,
        block: int,
        step: Triple[int],
        first: tuple[Mask, Mask, Mask | None],
        second: tuple[Mask, Mask, Mask | None],
    ) -> None:
        a, b = _overlap(step[1], step[2])
        if not first[0][a].size:
            return
        known = first[1][a] & second[1][b]
        crossed = np.zeros(first[0].shape, bool)
        crossed[a] = (first[0][a] != second[0][b]) & known
        self._pairs[number] += np.count_nonzero(known)
        self._crossed[number, block] += self._grid.plane_sums(crossed)
        if first[2] is not None and second[2] is not None:
            crossed[a] &= first[2][a] | second[2][b]
            self._doubtful[number, block] += self._grid.plane_sums(crossed)

    @property
    def fraction(self) -> Ratio:
        """Volume fraction of the phase."""
        return Ratio(self._phase, self._valid)

    @property
    def specific_surface(self) -> Ratio:
        """Border area of the phase per volume, per unit of the voxel size."""
        return Ratio(self._weighted(self._crossed), self._valid)

    @property
    def untrusted_surface(self) -> float | None:
        """Share of the surface that lies at a voxel which is not trusted; None without a surface."""
        whole = float(self._weighted(self._crossed).sum())
        return float(self._weighted(self._doubtful).sum()) / whole if whole else None

    def _weighted(self, crossed: Floats) -> Floats:
        total = float(self._valid.sum())
        known = self._pairs > 0
        # a volume thinner than a step has no line along it; the others stand for it
        share = sum(d.weight for d, k in zip(self.directions, known, strict=True) if k)
        sums = self._grid.zeros()
        for direction, counts, pairs in zip(self.directions, crossed, self._pairs, strict=True):
            if pairs:
                sums += 2 * direction.weight / share / direction.length * total / pairs * counts
        return sums

    def mean_chord(self, axis: int) -> Ratio:
        """Mean chord of the phase along an axis, in the unit of the voxel size.

        Parameters
        ----------
        axis
            0 (z), 1 (y) or 2 (x).
        """
        number = self._along(axis)
        pairs, total = self._pairs[number], float(self._valid.sum())
        length = self._phase * self._voxel[axis] * (pairs / total if total else 0.0)
        return Ratio(length, self._crossed[number] / 2)

    def untrusted_chords(self, axis: int) -> float | None:
        """Share of the ends of chords along an axis that lie at a voxel which is not trusted.

        Parameters
        ----------
        axis
            0 (z), 1 (y) or 2 (x).
        """
        number = self._along(axis)
        whole = float(self._crossed[number].sum())
        return float(self._doubtful[number].sum()) / whole if whole else None

    def _along(self, axis: int) -> int:
        step = tuple(int(a == axis) for a in range(3))
        return next(i for i, d in enumerate(self.directions) if d.step == step)


def _overlap(dy: int, dx: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a plane and the same shifted by (dy, dx) lie over each other, in each of both."""

    def along(d: int) -> tuple[slice, slice]:
        if d > 0:
            return slice(None, -d), slice(d, None)
        return slice(-d, None), slice(None, d or None)

    (ay, by), (ax, bx) = along(dy), along(dx)
    return (ay, ax), (by, bx)
