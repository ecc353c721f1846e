"""One LR slice as networks see it: on their scale, and whole."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.metrics.resample import filled_near


class UnusableSliceError(InputError):
    """A slice that holds nothing to work on; others may."""


@dataclass(frozen=True, eq=False)
class PreparedSlice:
    """One LR slice as networks see it.

    Parameters
    ----------
    index
        Number of the slice, for events and errors.
    lr
        ``(y, x)`` grey values as they were read.
    valid
        ``(y, x)`` mask of valid pixels, or None where all are.
    intensity
        Range of the stack.
    filled
        All of `image` where some pixels are not valid.
    """

    index: int
    lr: npt.NDArray[Any]
    valid: npt.NDArray[np.bool_] | None
    intensity: IntensityRange
    filled: npt.NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Size (y, x) in LR pixels."""
        height, width = self.lr.shape
        return height, width

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """All of it: ``(y, x)`` float32 on the network's scale, the nearest valid values where there are none."""
        height, width = self.shape
        return self.window((0, height), (0, width))

    def window(self, rows: tuple[int, int], columns: tuple[int, int]) -> npt.NDArray[np.float32]:
        """Part of `image`, for which no more is computed than is asked for, unless pixels have to be filled.

        Parameters
        ----------
        rows, columns
            (first, end) in LR pixels.
        """
        part = slice(*rows), slice(*columns)
        return self.intensity.normalise(self.lr[part]) if self.filled is None else self.filled[part]


def prepare_slice(lr: npt.NDArray[Any], intensity: IntensityRange, index: int = 0) -> PreparedSlice:
    """Find out where a slice is valid, and fill it where it is not, so that no border stands out to the network.

    Parameters
    ----------
    lr
        ``(y, x)`` of any real dtype; may hold NaN.
    intensity
        Range of the stack.
    index
        Number of the slice, to name it.

    Raises
    ------
    UnusableSliceError
        If the slice is all NaN.
    """
    valid = _valid_pixels(lr, index)
    filled = None if valid is None else filled_near(intensity.normalise(lr))
    return PreparedSlice(index, lr, valid, intensity, filled)


def _valid_pixels(lr: npt.NDArray[Any], index: int) -> npt.NDArray[np.bool_] | None:
    """Mask of finite pixels, or None where all are."""
    if lr.dtype.kind != "f" or all(np.isfinite(row).all() for row in lr):
        return None
    valid: npt.NDArray[np.bool_] = np.isfinite(lr)
    if not valid.any():
        raise UnusableSliceError(f"Slice {index} is all NaN; leave it out or repair the stack.")
    return valid
