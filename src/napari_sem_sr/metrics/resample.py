"""Images on another grid of pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt


def area_average(image: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    """Mean over factor × factor pixels of (..., y, x); y and x must be multiples of ``factor``."""
    *rest, y, x = image.shape
    blocks = image.reshape(*rest, y // factor, factor, x // factor, factor)
    return np.asarray(blocks.mean(axis=(-3, -1), dtype=np.float64))
