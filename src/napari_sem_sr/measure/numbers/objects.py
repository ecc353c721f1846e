"""The objects of a phase and their sizes, block by block.

Every block is parted with so much around it that the objects which reach into it are seen whole; a voxel belongs to the object whose marker
it leads to, and a marker is the same seen from every block, so sums over blocks are exact. Where objects are very
wide in voxels, voxels are merged first (by majority).

A volume sees large objects less often whole than small ones. Those that its border cuts are left out and each of the others stands for
1 / P of its kind, P being the part of the positions at which its box lies inside the volume (Miles 1974; Lantuejoul 1980, see
Serra, Image Analysis and Mathematical Morphology, Academic Press 1982, ch. VIII). Sizes are weighted by volume, so that specks do
not count for more than grains: d50 is the diameter (of the sphere of equal volume) below which half of the volume lies.
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.measure.blocks import Floats, Interval, Merging, Ratio
from napari_sem_sr.measure.numbers.markers import distance, part
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import Triple

Bool = npt.NDArray[np.bool_]
# Voxels of a block with what is seen around it; a watershed takes about 40 bytes for each.
BUDGET = 6_000_000
# Of the largest inscribed sphere, in voxels, from which on voxels are merged; and how many such radii a block sees around it.
WIDEST, AROUND = 14.0, 3.0
# A phase that fills more than this is the ground and has no objects.
GROUND = 0.75
# Voxels of the smallest object that counts.
SMALLEST = 8
QUANTILES = (0.1, 0.5, 0.9)
# Directions of Feret's diameters: axes, and diagonals of faces and of the cube.
WAYS = np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1), (1, 1, 0), (1, -1, 0),
                 (1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)], np.float64)  # fmt: skip
WAYS /= np.linalg.norm(WAYS, axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Objects:
    """Objects of a phase; lengths in the unit of the voxel size.

    Parameters
    ----------
    volume
        (n,).
    centre
        (n, 3) in voxels of the volume.
    box
        (n, 3): extents along z, y, x.
    feret
        (n,): the largest extent along 13 directions.
    whole
        (n,): not cut by the border of the volume.
    size
        Extents (z, y, x) of the volume.
    merged
        How many voxels (z, y, x) were merged into one.
    labels
        Object + 1 in each (merged) voxel, 0 outside; the file is the caller's to remove.
    """

    volume: Floats
    centre: Floats
    box: Floats
    feret: Floats
    whole: Bool
    size: Triple[float]
    merged: Triple[int]
    labels: PlaneFile

    def __len__(self) -> int:
        return len(self.volume)

    @property
    def diameter(self) -> Floats:
        """(n,): of the sphere of equal volume."""
        return np.asarray(np.cbrt(6 / np.pi * self.volume))

    @property
    def weights(self) -> Floats:
        """(n,): how many objects each stands for; 0 for what the border cuts."""
        inside = np.prod(1 - np.minimum(self.box / np.array(self.size), 0.999), axis=1)
        return np.where(self.whole, 1 / inside, 0.0)


def quantile(values: Floats, weights: Floats, share: float) -> float | None:
    """Value below which ``share`` of the weight lies; None without any.

    Parameters
    ----------
    values
        ``(n,)``.
    weights
        ``(n,)``.
    """
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if not total.size or total[-1] <= 0:
        return None
    middle = (total - weights[order] / 2) / total[-1]
    return float(np.interp(share, middle, values[order]))


def sizes(objects: Objects, values: Floats, merged: Merging) -> dict[str, Interval | None]:
    """d10, d50 and d90 of ``values`` (one per object), by volume, each with its interval.

    The interval is Woodruff's (1952, J. Am. Stat. Assoc. 47, 635): how uncertain the share below the quantile is from block to block,
    read off the distribution again.

    Parameters
    ----------
    objects
        Of the phase.
    merged
        Blocks that hardly depend on each other.
    """
    weights = objects.weights * objects.volume
    block = merged.blocks_of(objects.centre)
    found: dict[str, Interval | None] = {}
    for share in QUANTILES:
        value = quantile(values, weights, share)
        name = f"d{round(100 * share)}"
        found[name] = None if value is None else Interval(value)
        if value is None:
            continue
        n = int(np.prod(merged.counts))
        below: Floats = np.bincount(block, weights * (values <= value), n).astype(np.float64)
        spread = Ratio(below, np.bincount(block, weights, n).astype(np.float64)).interval(
            lambda sums: sums
        )
        if spread is None or spread.low is None or spread.high is None:
            continue
        half = (spread.high - spread.value, spread.value - spread.low)
        low = quantile(values, weights, max(0.0, share - max(half)))
        high = quantile(values, weights, min(1.0, share + max(half)))
        found[name] = Interval(value, low, high)
    return found


def iter_objects(
    masks: PlaneFile, voxel: Triple[float], folder: Path, what: str
) -> Generator[Event, None, Objects]:
    """Find the objects of a phase.

    Parameters
    ----------
    masks
        Of the phase (true), (z, y, x).
    voxel
        Voxel size (z, y, x).
    folder
        Where files are kept meanwhile.
    what
        Name of the step, for a person.
    """
    times, widest = _merging(masks, voxel)
    grid = masks
    if max(times) > 1:
        grid = yield from _iter_merged(masks, times, folder / "merged", what)
    size = (voxel[0] * times[0], voxel[1] * times[1], voxel[2] * times[2])
    around = [int(np.ceil(AROUND * widest / s)) for s in size]
    labels = PlaneFile(folder / "objects", grid.shape, np.int32)
    table = _Table(grid.shape, size)
    blocks = _blocks(grid.shape, around)
    for done, (first, end) in enumerate(blocks):
        yield Progress(what, done, len(blocks), "blocks")
        start = [max(0, a - m) for a, m in zip(first, around, strict=True)]
        stop = [min(n, b + m) for n, b, m in zip(grid.shape, end, around, strict=True)]
        seen = grid.read_region((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])).astype(
            bool
        )
        if not seen.any() or seen.all():
            continue
        parted = yield from in_background(partial(part, seen, size), what)
        core = tuple(np.s_[a - s : b - s] for a, b, s in zip(first, end, start, strict=True))
        numbers = table.add(parted[core], first, seen.shape, (start[0], start[1], start[2]))
        labels.write_region(first, numbers)
    if grid is not masks:
        grid.remove()
    return table.objects(times, labels)


class _Table:
    """Sums and extents of objects, block by block."""

    def __init__(self, shape: Triple[int], size: Triple[float]) -> None:
        self._shape, self._size = shape, size
        self._number: dict[int, int] = {}
        self._count: list[int] = []
        self._moment: list[Floats] = []
        self._low: list[Floats] = []
        self._high: list[Floats] = []
        self._cut: list[bool] = []

    def add(
        self,
        core: npt.NDArray[np.int32],
        first: Triple[int],
        seen: tuple[int, ...],
        start: Triple[int],
    ) -> npt.NDArray[np.int32]:
        """Add a block whose labels say the flat index + 1 in what was ``seen`` from ``start`` on; returns numbers from 1."""
        where = np.flatnonzero(core)
        if not where.size:
            return np.zeros(core.shape, np.int32)
        ids, which = np.unique(core.ravel()[where], return_inverse=True)
        places = np.stack(np.unravel_index(ids - 1, seen)) + np.array(start)[:, None]
        keys = np.ravel_multi_index(tuple(places), self._shape)
        voxels = np.stack(np.unravel_index(where, core.shape), axis=1) + np.array(first)
        count = np.bincount(which, minlength=len(ids))
        moment = np.stack([np.bincount(which, v, len(ids)) for v in voxels.T], axis=1)
        order = np.argsort(which, kind="stable")
        begin = np.concatenate([[0], np.cumsum(count)[:-1]])
        # how far objects reach along each way, to the outer edges of their voxels
        reach = (voxels[order] * self._size) @ WAYS.T
        edge = np.abs(WAYS * self._size).sum(1) / 2
        low, high = (
            np.minimum.reduceat(reach, begin) - edge,
            np.maximum.reduceat(reach, begin) + edge,
        )
        border = ((voxels == 0) | (voxels == np.array(self._shape) - 1)).any(1)
        cut = np.bincount(which[border], minlength=len(ids)) > 0
        rows = np.array([self._row(int(key)) for key in keys])
        for i, row in enumerate(rows):
            self._count[row] += int(count[i])
            self._moment[row] = self._moment[row] + moment[i]
            self._low[row] = np.minimum(self._low[row], low[i])
            self._high[row] = np.maximum(self._high[row], high[i])
            self._cut[row] |= bool(cut[i])
        numbers = np.zeros(core.size, np.int32)
        numbers[where] = rows[which] + 1
        return numbers.reshape(core.shape)

    def _row(self, key: int) -> int:
        if key not in self._number:
            self._number[key] = len(self._count)
            self._count.append(0)
            self._moment.append(np.zeros(3))
            self._low.append(np.full(len(WAYS), np.inf))
            self._high.append(np.full(len(WAYS), -np.inf))
            self._cut.append(False)
        return self._number[key]

    def objects(self, times: Triple[int], labels: PlaneFile) -> Objects:
        count = np.array(self._count, np.float64)
        extents = np.array(self._high).reshape(-1, len(WAYS)) - np.array(self._low).reshape(
            -1, len(WAYS)
        )
        centre = np.array(self._moment).reshape(-1, 3) / np.maximum(count, 1)[:, None]
        whole = ~np.array(self._cut, bool) & (count >= SMALLEST)
        z, y, x = (n * s for n, s in zip(self._shape, self._size, strict=True))
        return Objects(
            volume=count * float(np.prod(self._size)),
            centre=(centre + 0.5) * times - 0.5,
            box=extents[:, :3],
            feret=extents.max(axis=1, initial=0.0),
            whole=whole,
            size=(z, y, x),
            merged=times,
            labels=labels,
        )


def _merging(masks: PlaneFile, voxel: Triple[float]) -> tuple[Triple[int], float]:
    """How many voxels are merged into one, and the radius of the largest inscribed sphere, from a coarse look at the whole."""
    times = _cubic(1, voxel)
    while np.prod([-(-n // t) for n, t in zip(masks.shape, times, strict=True)]) > BUDGET:
        times = _cubic(max(times) + 1, voxel)
    coarse = np.concatenate([merged[None] for merged in _merged_planes(masks, times)])
    size = (voxel[0] * times[0], voxel[1] * times[1], voxel[2] * times[2])
    depth = distance(coarse, size)
    widest = float(depth[np.isfinite(depth)].max(initial=0.0)) + max(size)
    if max(times) == 1:
        return times, widest
    # in voxels of what is measured; the largest objects need no finer ones
    return _cubic(max(1, int(np.ceil(widest / WIDEST / min(voxel)))), voxel), widest


def _cubic(wanted: int, voxel: Triple[float]) -> Triple[int]:
    """Voxels merged along z, y, x so that ``wanted`` of the shortest become about a cube."""
    z, y, x = (max(1, round(wanted * min(voxel) / v)) for v in voxel)
    return (z, y, x) if wanted > 1 else (1, 1, 1)


def _merged_planes(masks: PlaneFile, times: Triple[int]) -> Generator[Bool, None, None]:
    tz, ty, tx = times
    for first in range(0, masks.shape[0], tz):
        slab = masks.read_slab(first, min(first + tz, masks.shape[0])).astype(np.float32).mean(0)
        rows = np.arange(0, slab.shape[0], ty)
        columns = np.arange(0, slab.shape[1], tx)
        total = np.add.reduceat(np.add.reduceat(slab, rows, axis=0), columns, axis=1)
        count = np.outer(
            np.diff(np.append(rows, slab.shape[0])), np.diff(np.append(columns, slab.shape[1]))
        )
        yield total / count >= 0.5


def _iter_merged(
    masks: PlaneFile, times: Triple[int], path: Path, what: str
) -> Generator[Event, None, PlaneFile]:
    z, y, x = (-(-n // t) for n, t in zip(masks.shape, times, strict=True))
    merged = PlaneFile(path, (z, y, x), bool)
    for index, plane in enumerate(_merged_planes(masks, times)):
        yield Progress(f"{what}: merging voxels", index, z, "planes")
        merged.write(index, plane)
    return merged


def _blocks(shape: Triple[int], around: list[int]) -> list[tuple[Triple[int], Triple[int]]]:
    """Parts (first, end) of a volume that fit into the budget with what is seen around them."""
    if np.prod(shape) <= BUDGET:
        return [((0, 0, 0), shape)]
    edge = [max(16, round(BUDGET ** (1 / 3)) - 2 * m) for m in around]
    starts = [range(0, n, e) for n, e in zip(shape, edge, strict=True)]
    return [
        ((z, y, x), (min(z + edge[0], shape[0]), min(y + edge[1], shape[1]), min(x + edge[2], shape[2])))
        for z in starts[0] for y in starts[1] for x in starts[2]
    ]  # fmt: skip
