"""Rings of equal spatial frequency in the Fourier transform of an image."""

from typing import Any

import numpy as np
import numpy.typing as npt


def frequency(
    shape: tuple[int, ...], steps: tuple[float, float] = (1.0, 1.0), *, half: bool = False
) -> npt.NDArray[np.float64]:
    """Spatial frequency of each value of the FFT of an image.

    Parameters
    ----------
    shape
        (y, x) of the image.
    steps
        Size of a pixel along y and x; the result is in cycles per its unit.
    half
        Whether the transform is `numpy.fft.rfft2`, which leaves out one half of the plane.
    """
    along_x = np.fft.rfftfreq if half else np.fft.fftfreq
    fy = np.fft.fftfreq(shape[0], steps[0])[:, None]
    return np.asarray(np.hypot(fy, along_x(shape[1], steps[1])))


def ring_numbers(
    radius: npt.NDArray[np.float64], nyquist: float, rings: int
) -> npt.NDArray[np.intp]:
    """Ring of each value, of ``rings`` between 0 and ``nyquist``; ``rings`` itself beyond it. Same shape as ``radius``.

    Parameters
    ----------
    radius
        Spatial frequency, any shape.
    nyquist
        Frequency at which the last ring ends, in the unit of ``radius``.
    rings
        How many rings lie between.
    """
    return np.asarray(np.minimum(radius / nyquist * rings, rings).astype(np.intp))


def ring_totals(
    values: npt.NDArray[Any], ring: npt.NDArray[np.intp], rings: int
) -> npt.NDArray[np.float64]:
    """Sum of ``values`` in each of ``rings`` rings, ``(rings,)``; both arrays have the same shape.

    Parameters
    ----------
    values
        Of any shape.
    ring
        Number of the ring of each value, as of `ring_numbers`.
    rings
        How many rings there are; values beyond are left out.
    """
    return np.bincount(ring.ravel(), values.ravel(), rings + 1)[:rings].astype(np.float64)
