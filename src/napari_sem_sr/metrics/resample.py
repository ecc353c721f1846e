"""Images on another grid of pixels, and pixels that are missing."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt


def area_average(image: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    """Mean over factor × factor pixels of (..., y, x); y and x must be multiples of ``factor``.

    Parameters
    ----------
    image
        ``(..., y, x)`` of any real dtype.
    """
    *rest, y, x = image.shape
    blocks = image.reshape(*rest, y // factor, factor, x // factor, factor)
    return np.asarray(blocks.mean(axis=(-3, -1), dtype=np.float64))


def filled_near(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``image`` with the nearest valid value where it is NaN.

    Parameters
    ----------
    image
        ``(y, x)`` or any shape, floating.
    """
    if image.dtype.kind != "f":
        return image
    masked = ~np.isfinite(image)
    if masked.all():
        return np.zeros_like(image)
    if masked.any():
        nearest = distance_transform_edt(masked, return_distances=False, return_indices=True)
        image = image[tuple(nearest)]
    return image
