"""Suspect places as a person sees them: each with its surroundings in LR, SR and HR."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.field import Field
from napari_sem_sr.stack import SemStack

Image = npt.NDArray[Any]
AROUND_PX = 96


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Pixels around a place; all pictures cover the same field.

    Parameters
    ----------
    lr, sr, hr
        ``(y, x)``; hr None where there is none.
    box
        The place in pixels of ``sr``: y, x, height, width.
    """

    lr: Image
    sr: Image
    hr: Image | None
    box: tuple[int, int, int, int]


def look_around(field: Field, region: Mapping[str, Any], side: int = AROUND_PX) -> Surroundings:
    """Pixels around a suspect region.

    Parameters
    ----------
    field
        What was checked.
    region
        As in ``regions`` of ``report.json``.
    side
        Of the picture in SR pixels, where neither the region is larger nor the slice smaller.
    """
    f = field.factor
    z0, y0, x0 = field.sr_start
    _, height, width = field.sr.shape
    index, y, x = region["slice"] - z0, region["y"] - y0, region["x"] - x0
    side = max(side, region["height"], region["width"])
    top, bottom = _around(y + region["height"] // 2, side, height, f)
    left, right = _around(x + region["width"] // 2, side, width, f)
    fine = np.s_[top:bottom, left:right]
    return Surroundings(
        lr=field.lr_part.slice(index)[top // f : bottom // f, left // f : right // f],
        sr=field.sr.slice(index)[fine],
        hr=None if field.hr is None else field.hr.slice(index)[fine],
        box=(y - top, x - left, region["height"], region["width"]),
    )


def _around(centre: int, side: int, size: int, step: int) -> tuple[int, int]:
    """Interval of about ``side`` around ``centre`` inside 0:size, on the LR grid."""
    length = min(size, -(-side // step) * step)
    start = min(max(0, centre - length // 2), size - length)
    return start - start % step, start - start % step + length


def centre_of(region: Mapping[str, Any], sr: SemStack) -> tuple[float, float, float]:
    """Centre (z, y, x) of a region in the world of the SR stack it was found in.

    Parameters
    ----------
    region
        As in ``report.json``.
    sr
        The stack that was checked.
    """
    pixel = (
        region["slice"],
        region["y"] + (region["height"] - 1) / 2,
        region["x"] + (region["width"] - 1) / 2,
    )
    z, y, x = (t + i * s for i, t, s in zip(pixel, sr.world.translate, sr.world.scale, strict=True))
    return z, y, x


def corners_of(region: Mapping[str, Any], sr: SemStack) -> npt.NDArray[np.float64]:
    """Corners ``(4, 2)``, (y, x), of a region in the world of its SR stack: edges of its pixels, not centres.

    Parameters
    ----------
    region
        As in ``report.json``.
    sr
        The stack that was checked.
    """
    _, top, left = sr.world.translate
    _, dy, dx = sr.world.scale
    y0, x0 = top + (region["y"] - 0.5) * dy, left + (region["x"] - 0.5) * dx
    y1, x1 = y0 + region["height"] * dy, x0 + region["width"] * dx
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
