"""Levels of a pyramid that halves y and x, or all three axes: shapes, places and pixels."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.stack import Triple, World

# A level this small is drawn at once by any viewer.
SMALL_ENOUGH = 512
# Axes that each level halves: slices are there one by one in "yx", volumes are cubes again in "zyx".
Halved = Literal["yx", "zyx"]
# Rows that are averaged at once; even.
_ROWS = 256


def level_shapes(shape: Triple[int], halved: Halved = "yx") -> tuple[Triple[int], ...]:
    """Shapes (z, y, x) of all levels, the full one first.

    Parameters
    ----------
    shape
        (z, y, x) of level 0.
    halved
        ``"yx"`` or ``"zyx"``.
    """
    levels = [shape]
    while max(levels[-1][3 - len(halved) :]) > SMALL_ENOUGH:
        z, y, x = levels[-1]
        levels.append(((z + 1) // 2 if "z" in halved else z, (y + 1) // 2, (x + 1) // 2))
    return tuple(levels)


def level_world(world: World, level: int, halved: Halved = "yx") -> World:
    """Where the pixels of ``level`` lie.

    A pixel covers 2^level pixels of level 0 along each halved axis and its centre is theirs, so the first edges of
    all levels coincide, and the last ones too where the size divides; an odd size leaves part of the last pixel
    of the coarser level outside.

    Parameters
    ----------
    world
        Of level 0.
    halved
        ``"yx"`` or ``"zyx"``.
    """
    steps = tuple(2**level if axis in halved else 1 for axis in "zyx")
    sz, sy, sx = (scale * step for scale, step in zip(world.scale, steps, strict=True))
    tz, ty, tx = (
        start + (step - 1) / 2 * scale
        for start, step, scale in zip(world.translate, steps, world.scale, strict=True)
    )
    return World(scale=(sz, sy, sx), translate=(tz, ty, tx), units=world.units)


def halve(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean of each 2 × 2 pixels of ``(y, x)``, in its dtype: ``(ceil(y/2), ceil(x/2))``.

    At odd edges the mean is over the pixels that exist. NaN is left out of the mean; only a block that is
    all NaN stays NaN. Integers are rounded to the nearest, halves to even.

    Beside the result, memory for a few rows is needed.

    Parameters
    ----------
    image
        ``(y, x)`` of any real dtype.
    """
    height, width = image.shape
    halved = np.empty(((height + 1) // 2, (width + 1) // 2), image.dtype)
    for top in range(0, height, _ROWS):
        part = _halved(image[top : top + _ROWS])
        halved[top // 2 : top // 2 + len(part)] = part
    return halved


def _halved(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width = image.shape
    if height % 2 or width % 2:
        # the edge pixel beside itself has the same mean as alone
        image = np.pad(image, ((0, height % 2), (0, width % 2)), mode="edge")
    quarters = (image[::2, ::2], image[::2, 1::2], image[1::2, ::2], image[1::2, 1::2])
    total = np.zeros(quarters[0].shape, np.float64)
    if image.dtype.kind != "f":
        for quarter in quarters:
            total += quarter
        return np.rint(total / 4).astype(image.dtype)
    count = np.zeros(total.shape, np.uint8)
    for quarter in quarters:
        present = ~np.isnan(quarter)
        np.add(total, quarter, out=total, where=present)
        count += present
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
        return (total / count).astype(image.dtype)


def halve_pair(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean of each 2 × 2 × 2 voxels of two slices (y, x), in their dtype; NaN and odd edges as in :func:`halve`.

    Parameters
    ----------
    above
        ``(y, x)`` of any real dtype.
    below
        The slice after it, of the same shape; the same slice where there is none.
    """
    if above.dtype.kind != "f":
        mean = (above.astype(np.float64) + below) / 2
        whole: npt.NDArray[Any] = np.rint(halve(mean)).astype(above.dtype)
        return whole
    count = 2.0 - np.isnan(above) - np.isnan(below)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
        mean = (np.nan_to_num(above.astype(np.float64)) + np.nan_to_num(below)) / count
    partly: npt.NDArray[Any] = halve(mean).astype(above.dtype)
    return partly
