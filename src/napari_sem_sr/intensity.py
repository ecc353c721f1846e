"""One intensity range per stack, between which networks see 0 and 1."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

# Robust against a few charged or dead pixels, wide enough that real bright particles stay below 1.
PERCENTILES = (0.1, 99.9)
# Enough slices to know the range of a stack, few enough that 10,000 slices open at once.
SAMPLED_SLICES = 16


@dataclass(frozen=True)
class IntensityRange:
    """Grey values that networks see as 0 (``low``) and 1 (``high``)."""

    low: float
    high: float

    def normalise(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Map grey values to the network's scale; values outside the range stay outside, unclipped."""
        return ((image.astype(np.float32) - self.low) / (self.high - self.low)).astype(np.float32)

    def restore(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Map the network's scale back to grey values (float)."""
        return (image * np.float32(self.high - self.low) + np.float32(self.low)).astype(np.float32)


def to_dtype(image: npt.NDArray[np.float32], dtype: np.dtype[Any]) -> tuple[npt.NDArray[Any], int]:
    """Round grey values to ``dtype``; also return how many pixels lay outside what it can hold."""
    if dtype.kind == "f":
        return image.astype(dtype), 0
    limits = np.iinfo(dtype)
    rounded = np.rint(image)
    outside = int(np.count_nonzero((rounded < limits.min) | (rounded > limits.max)))
    return np.clip(rounded, limits.min, limits.max).astype(dtype), outside


def range_of(image: npt.NDArray[Any]) -> IntensityRange:
    """Robust range of one array (any shape), NaN and infinities ignored.

    Raises
    ------
    InputError
        If no pixel is finite.
    """
    values = image[np.isfinite(image)] if image.dtype.kind == "f" else image.ravel()
    if values.size == 0:
        raise InputError("All pixels are NaN; give an image with data in it.")
    low, high = (float(v) for v in np.percentile(values, PERCENTILES))
    # a flat image has no contrast to normalise; any positive width keeps it finite
    return IntensityRange(low, high if high > low else low + 1.0)


def stack_range(stack: SemStack) -> IntensityRange:
    """Range of a stack from up to ``SAMPLED_SLICES`` evenly spaced slices; never per slice.

    Slices that cannot be read are left out, as one bad file among thousands must not stop the others.

    Raises
    ------
    InputError
        If every sampled slice is all NaN, or none can be read.
    """
    picks = np.unique(np.linspace(0, stack.shape[0] - 1, SAMPLED_SLICES).round().astype(int))
    planes = []
    unread = ""
    for z in picks:
        try:
            planes.append(stack.slice(int(z)).ravel())
        except Exception as error:  # readers of many formats fail in many ways
            unread = str(error) or type(error).__name__
    if not planes:
        raise InputError(f"No slice of '{stack.name}' can be read ({unread}); mend the files.")
    try:
        return range_of(np.concatenate(planes))
    except InputError:
        raise InputError(
            f"All pixels of '{stack.name}' are NaN; give a stack with data in it."
        ) from None
