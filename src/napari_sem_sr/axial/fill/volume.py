"""The volume itself, block of slices by block of slices, in memory that does not grow with the stack."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.axial.fill.tile import Tile, iter_fill
from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, SliceDone
from napari_sem_sr.inference.engine.prepared import PreparedSlice, UnusableSliceError, prepare_slice
from napari_sem_sr.intensity import IntensityRange, to_dtype

Float = npt.NDArray[np.float32]
Plane = npt.NDArray[Any]
# What a block of measured and filled-in slices may take.
BLOCK_BYTES = 1 << 29
# The fewest gaps of a block: below, most of the work would be for slices seen again by the next block.
FEWEST_GAPS = 4


@dataclass(frozen=True)
class GapBlock:
    """Gaps ``first`` to ``end`` between measured slices, and the measured slices ``low`` to ``high`` they follow from."""

    first: int
    end: int
    low: int
    high: int


def blocks(grid: AxialGrid, reach: int, shape: tuple[int, int], itemsize: int) -> list[GapBlock]:
    """Cut a stack into blocks of gaps; the same stack is always cut the same way, so that a resume is, too.

    Parameters
    ----------
    grid
        Where the slices of the volume lie.
    reach
        Slices that the network looks far.
    shape
        (y, x) of a slice.
    itemsize
        Bytes of a pixel.
    """
    pixels = shape[0] * shape[1]
    # measured slices are held as float32, filled-in ones in the dtype of the stack
    around = 2 * reach * 4 * pixels
    each = pixels * (4 + grid.ratio * itemsize)
    gaps = grid.n_measured - 1
    most = max(FEWEST_GAPS, int((BLOCK_BYTES - around) / each))
    count = -(-gaps // most)
    edges = np.linspace(0, gaps, count + 1).round().astype(int)
    return [
        GapBlock(int(a), int(b), max(0, int(a) - reach), min(grid.n_measured, int(b) + reach + 1))
        for a, b in pairwise(edges)
    ]


def iter_volume(
    read: Callable[[int], Plane],
    dtype: np.dtype[Any],
    shape: tuple[int, int],
    grid: AxialGrid,
    intensity: IntensityRange,
    network: AxialGenerator,
    device: torch.device,
    done: frozenset[int],
    write: Callable[[int, Plane], None],
) -> Generator[Event, None, int]:
    """Make the slices that are not ``done``, in their order; returns how many were made.

    Parameters
    ----------
    read
        Gives measured slice k, (y, x).
    dtype
        Of the volume.
    shape
        (y, x) of a slice.
    grid
        Where the slices of the volume lie.
    intensity
        Range of the stack.
    network
        fp32, in eval mode, on ``device``.
    device
        Where it is computed.
    write
        Called as ``write(j, slice)`` for output slice j; measured ones are passed on as they are.

    Raises
    ------
    InputError
        If a slice cannot be read or is all NaN (by number).
    """
    places = {int(j): k for k, j in enumerate(grid.places())}
    made, total = 0, grid.n_output
    finished = len(done)
    for block in blocks(grid, network.reach_slices, shape, dtype.itemsize):
        is_last = block.end == grid.n_measured - 1
        wanted = [
            j
            for j in range(total)
            if block.first <= grid.source(j)[0] < block.end or (is_last and j == total - 1)
        ]
        if done.issuperset(wanted):
            continue
        begun = time.perf_counter()
        prepared = [_prepared(read, k, intensity) for k in range(block.low, block.high)]
        seen = np.stack([p.image for p in prepared])
        between = [j for j in wanted if j not in places]
        filled = np.empty((len(between), *shape), dtype)

        def store(tile: Tile, rows: Float, into: Plane = filled) -> None:
            into[:, *tile] = to_dtype(intensity.restore(rows), dtype)[0]

        at = np.array([sum(grid.source(j)) - block.low for j in between])
        what = f"filling in slices {wanted[0]} to {wanted[-1]}"
        if between:
            yield from iter_fill(network, seen, at, store, what, device)
        row = {j: i for i, j in enumerate(between)}
        share = (time.perf_counter() - begun) / len(wanted)
        for j in wanted:
            if j in done:
                continue
            if j in places:
                image = read(places[j])
            else:
                above = grid.source(j)[0] - block.low
                image = _masked(filled[row[j]], prepared[above], prepared[above + 1])
            write(j, image)
            made += 1
            finished += 1
            yield SliceDone(j, finished, total, share)
    return made


def _prepared(read: Callable[[int], Plane], index: int, intensity: IntensityRange) -> PreparedSlice:
    try:
        return prepare_slice(read(index), intensity, index)
    except UnusableSliceError:
        raise InputError(
            f"Slice {index} is all NaN, and a gap in the stack cannot be filled in; repair it or crop the stack beside it."
        ) from None


def _masked(image: Plane, above: PreparedSlice, below: PreparedSlice) -> Plane:
    """NaN where either neighbour has no data."""
    for neighbour in (above, below):
        if neighbour.valid is not None:
            image[~neighbour.valid] = np.nan
    return image
