"""Levels of a pyramid that halves y and x: shapes, places and pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.stack import Triple, World

# A level this small is drawn at once by any viewer.
SMALL_ENOUGH = 512


def level_shapes(shape: Triple[int]) -> tuple[Triple[int], ...]:
    """Shapes (z, y, x) of all levels, the full one first."""
    levels = [shape]
    while max(levels[-1][1:]) > SMALL_ENOUGH:
        z, y, x = levels[-1]
        levels.append((z, (y + 1) // 2, (x + 1) // 2))
    return tuple(levels)


def level_world(world: World, level: int) -> World:
    """Where the pixels of ``level`` lie.

    A pixel covers 2^level × 2^level pixels of level 0 and its centre is theirs, so the first edges of all
    levels coincide, and the last ones too where the size divides; an odd size leaves part of the last pixel
    of the coarser level outside.
    """
    step = 2**level
    sz, sy, sx = world.scale
    tz, ty, tx = world.translate
    shift = (step - 1) / 2
    return World(
        scale=(sz, sy * step, sx * step),
        translate=(tz, ty + shift * sy, tx + shift * sx),
        units=world.units,
    )


def halve(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean of each 2 × 2 pixels of ``(y, x)``, in its dtype: ``(ceil(y/2), ceil(x/2))``.

    At odd edges the mean is over the pixels that exist. NaN is left out of the mean; only a block that is
    all NaN stays NaN. Integers are rounded to the nearest, halves to even.
    """
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
