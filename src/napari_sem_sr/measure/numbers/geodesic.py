"""Geodesic tortuosity: how much longer the shortest way through a phase is than straight on.

The mean over all voxels of the phase on the far face, of the length of the shortest path that leads there from any voxel of the near face,
over the distance of the faces (Stenzel et al. 2016, AIChE J. 62, 1834; Neumann et al. 2019, Methodol. Comput. Appl. Probab. 21, 1149). Paths run
between the centres of the 26 neighbours with their true distances. It is a number of geometry: what a gas or an ion
feels is the larger transport tortuosity, see `transport`.

Distances are settled by sweeping the planes forth and back until none changes (fast sweeping, Zhao 2005, Math. Comput. 74, 603): a plane is relaxed from
the one before it and within itself. The planes are kept on disk.
"""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.blocks import Floats
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import Triple

# Smallest change of a distance that counts, in voxels along the way.
EPSILON = 1e-4
Plane = npt.NDArray[np.float32]
# Parts of the far face, along each of its axes, that give the spread.
PARTS = 4


def iter_arrivals(
    masks: PlaneFile, size: Triple[float], folder: Path, what: str
) -> Generator[Event, None, tuple[Floats, Floats]]:
    """Find the way through from the first plane of ``masks`` to the last.

    Parameters
    ----------
    masks
        Of the phase (true), planes across the way.
    size
        Voxel size along the way, and along rows and columns of the planes.
    folder
        Where the distances are kept meanwhile.
    what
        Name of the step, for a person.

    Returns
    -------
    Sum of length over straight length, and number of voxels reached, by part of the far face.
    """
    n = masks.shape[0]
    distances = PlaneFile(folder / "distances", masks.shape, np.float32)
    try:
        near = masks.read(0)
        distances.write(0, np.where(near, 0, np.inf).astype(np.float32))
        for index in range(1, n):
            distances.write(index, np.full(masks.shape[1:], np.inf, np.float32))
        changed = {0}
        forth = True
        rounds = 0
        while changed:
            rounds += 1
            order = range(1, n) if forth else range(n - 2, -1, -1)
            step = 1 if forth else -1
            fresh: set[int] = set()
            for done, index in enumerate(order):
                yield Progress(f"{what}, round {rounds}", done, n - 1, "planes")
                # a plane is news to those on both sides, the sweep back sees to the other
                if index - step not in changed and index - step not in fresh:
                    continue
                known, mask = distances.read(index), masks.read(index).astype(bool)
                settled = _relaxed(known, distances.read(index - step), mask, size)
                if (settled < known - EPSILON * size[0]).any():
                    distances.write(index, settled)
                    fresh.add(index)
            # what changed this time has not been seen by the planes behind it
            changed, forth = fresh, not forth
        arrived = distances.read(n - 1)
    finally:
        distances.remove()
    reached = np.isfinite(arrived)
    straight = (n - 1) * size[0]
    ratio = np.where(reached, arrived, 0) / straight
    return _by_part(ratio), _by_part(reached)


def _relaxed(
    known: Plane, neighbour: Plane, mask: npt.NDArray[np.bool_], size: Triple[float]
) -> Plane:
    """Distances in a plane, given those of the plane before."""
    along, rows, columns = size
    padded = np.pad(neighbour, 1, constant_values=np.inf)
    best = known.copy()
    h, w = known.shape
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            length = np.float32(np.sqrt(along**2 + (dy * rows) ** 2 + (dx * columns) ** 2))
            shifted = padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
            np.minimum(best, shifted + length, out=best)
    best[~mask] = np.inf
    _settle(best, mask, rows, columns)
    return best


def _settle(best: Plane, mask: npt.NDArray[np.bool_], rows: float, columns: float) -> None:
    """Relax a plane within itself until nothing changes, looking only where something did."""
    h, w = best.shape
    top, bottom, left, right = 0, h, 0, w
    steps = [
        (dy, dx, np.float32(np.hypot(dy * rows, dx * columns)))
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if dy or dx
    ]
    least = np.float32(EPSILON * min(rows, columns))
    while top < bottom and left < right:
        part = best[top:bottom, left:right]
        padded = np.pad(part, 1, constant_values=np.inf)
        settled = part.copy()
        for dy, dx, length in steps:
            shifted = padded[1 + dy : 1 + dy + part.shape[0], 1 + dx : 1 + dx + part.shape[1]]
            np.minimum(settled, shifted + length, out=settled)
        settled[~mask[top:bottom, left:right]] = np.inf
        changed = settled < part - least
        if not changed.any():
            return
        part[...] = settled
        ys, xs = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        bottom, top = min(h, top + int(ys[-1]) + 3), max(0, top + int(ys[0]) - 2)
        right, left = min(w, left + int(xs[-1]) + 3), max(0, left + int(xs[0]) - 2)


def _by_part(face: npt.NDArray[np.generic]) -> Floats:
    edges = [np.arange(min(PARTS, n)) * n // min(PARTS, n) for n in face.shape]
    rows = np.add.reduceat(face, edges[0], axis=0, dtype=np.float64)
    return np.asarray(np.add.reduceat(rows, edges[1], axis=1))
