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
    image
        ``(y, x)`` float32 on the network's scale, the nearest valid values where there are none.
    valid
        ``(y, x)`` mask of valid pixels, or None where all are.
    intensity
        Range of the stack.
    """

    index: int
    image: npt.NDArray[np.float32]
    valid: npt.NDArray[np.bool_] | None
    intensity: IntensityRange


def prepare_slice(lr: npt.NDArray[Any], intensity: IntensityRange, index: int = 0) -> PreparedSlice:
    """Normalise a slice and fill what is not finite.

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
    image = intensity.normalise(lr)
    if valid is not None:
        # so that no border stands out to the network
        image = filled_near(image)
    return PreparedSlice(index, image, valid, intensity)


def _valid_pixels(lr: npt.NDArray[Any], index: int) -> npt.NDArray[np.bool_] | None:
    """Mask of finite pixels, or None where all are."""
    if lr.dtype.kind != "f":
        return None
    valid: npt.NDArray[np.bool_] = np.isfinite(lr)
    if valid.all():
        return None
    if not valid.any():
        raise UnusableSliceError(f"Slice {index} is all NaN; leave it out or repair the stack.")
    return valid
