"""What a network makes of a run of slices: the mean of its answers in xz and in yz planes."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.axial.resample import rows_at
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import watch

Float = npt.NDArray[np.float32]
Tile = tuple[slice, slice]
TILE = 256
# Pixels of one go of the network: enough to keep a device busy, little memory.
_TOGETHER = {"cpu": 1 << 18}
_TOGETHER_ON_GPU = 1 << 22


def tiles(shape: tuple[int, int]) -> list[Tile]:
    """Rows and columns of the tiles of a slice; a last one narrower than half a tile belongs to its neighbour.

    Parameters
    ----------
    shape
        (y, x) of a slice.
    """
    return [(y, x) for y in _cuts(shape[0]) for x in _cuts(shape[1])]


def _cuts(size: int) -> list[slice]:
    count = max(1, round(size / TILE))
    edges = np.linspace(0, size, count + 1).round().astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def fill_tile(
    network: AxialGenerator,
    slices: Float,
    places: npt.NDArray[Any],
    tile: Tile,
    device: torch.device,
) -> Float:
    """Rows at ``places`` of one tile, mean of both directions.

    Parameters
    ----------
    network
        fp32, in eval mode, on ``device``.
    slices
        (n, Y, X) on the network's scale, whole slices.
    places
        (m,) in slices, 0 to n - 1.
    tile
        Rows and columns that are wanted; the network sees as far around as it reaches.
    device
        Where it is computed.

    Returns
    -------
    (m, y, x) of the tile.
    """
    y, x = tile
    xz = _filled(network, np.moveaxis(slices[:, y, :], 1, 0), places, x, device)
    yz = _filled(network, np.moveaxis(slices[:, :, x], 2, 0), places, y, device)
    mean: Float = (np.moveaxis(xz, 0, 1) + np.moveaxis(yz, 0, 2)) * np.float32(0.5)
    return mean


def _filled(
    network: AxialGenerator,
    planes: Float,
    places: npt.NDArray[Any],
    wanted: slice,
    device: torch.device,
) -> Float:
    """Fill in planes (p, n, W): (p, m, wanted)."""
    first = max(0, wanted.start - network.reach_pixels)
    end = min(planes.shape[2], wanted.stop + network.reach_pixels)
    inner = slice(wanted.start - first, wanted.stop - first)
    planes = planes[:, :, first:end]
    together = _TOGETHER.get(device.type, _TOGETHER_ON_GPU)
    count = max(1, together // (planes.shape[1] * planes.shape[2]))
    last = (planes.shape[1] - 1) * network.phases
    filled = []
    for start in range(0, len(planes), count):
        seen = torch.from_numpy(np.ascontiguousarray(planes[start : start + count]))[:, None]
        seen = seen.to(device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            fine = network(seen)[:, 0, : last + 1, inner].cpu().numpy()
        filled.append(np.moveaxis(rows_at(np.moveaxis(fine, 1, 0), places * network.phases), 0, 1))
    return np.concatenate(filled)


def iter_fill(
    network: AxialGenerator,
    slices: Float,
    places: npt.NDArray[Any],
    store: Callable[[Tile, Float], None],
    what: str,
    device: torch.device,
) -> Generator[Event, None, None]:
    """Fill in whole slices (n, Y, X) tile by tile; ``store(tile, rows)`` takes the rows (m, y, x) at ``places``.

    Parameters
    ----------
    network
        fp32, in eval mode, on ``device``.
    slices
        On the network's scale.
    store
        Called once for each tile.
    what
        Name of the step, for a person.
    device
        Where it is computed.
    """
    shape = (slices.shape[1], slices.shape[2])
    cut = tiles(shape)
    with ThreadPoolExecutor(1) as pool:
        for done, tile in enumerate(cut):
            work = pool.submit(fill_tile, network, slices, places, tile, device)
            store(tile, (yield from watch(work, Progress(what, done, len(cut), "tiles"))))
