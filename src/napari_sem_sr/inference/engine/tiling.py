"""Cut an image into windows so that tiled and untiled results agree.

A window carries a halo as wide as the network's reach, except where it ends at the border of the
image: there the network's own padding acts as it does on the whole image.
"""

from dataclasses import dataclass
from itertools import pairwise

Interval = tuple[int, int]
Region = tuple[Interval, Interval]


@dataclass(frozen=True)
class Tile:
    """One piece of work: read ``window``, keep ``core`` of the result; ((y0, y1), (x0, x1)) in LR pixels."""

    window: Region
    core: Region


def layout(shape: tuple[int, int], region: Region, tile: int, halo: int) -> tuple[Tile, ...]:
    """Tiles whose cores cover ``region`` exactly once, all windows of one size.

    Parameters
    ----------
    shape
        Size (y, x) of the image in LR pixels.
    region
        ((y0, y1), (x0, x1)) in LR pixels, not empty and inside the image.
    tile
        Largest width of a window without its halo, in LR pixels.
    halo
        LR pixels of context on every side that is not a border of the image.
    """
    rows, columns = (
        intervals(bounds, size, tile, halo) for bounds, size in zip(region, shape, strict=True)
    )
    return tuple(Tile(window=(wy, wx), core=(cy, cx)) for wy, cy in rows for wx, cx in columns)


def intervals(bounds: Interval, size: int, tile: int, halo: int) -> list[tuple[Interval, Interval]]:
    """Windows and cores along one axis; see `layout`.

    Parameters
    ----------
    bounds
        What is wanted of the axis, half open.
    size
        Of the axis.
    tile
        Most pixels of a core.
    halo
        Pixels that a window has beyond its core, where the axis goes on.
    """
    low, high = max(0, bounds[0] - halo), min(size, bounds[1] + halo)
    length = high - low
    count = max(1, -(-(length - 2 * halo) // tile))
    # one width for all, as small as covers the length when neighbours overlap by two halos
    width = -(-(length + (count - 1) * 2 * halo) // count)
    starts = [low + i * (length - width) // max(1, count - 1) for i in range(count)]
    # any cut at least a halo away from both windows' ends would do; the middle is
    cuts = [(after + before + width) // 2 for before, after in pairwise(starts)]
    edges = [bounds[0], *cuts, bounds[1]]
    return [((start, start + width), (edges[i], edges[i + 1])) for i, start in enumerate(starts)]
