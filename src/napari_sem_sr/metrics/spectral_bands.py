"""Detail that LR cannot hold: power and agreement with HR between the two Nyquist frequencies.

Four equal bands of the spectrum. The right power is not yet the right detail (noise has it too): the
correlation with HR, a Fourier ring correlation (Saxton & Baumeister 1982), tells them apart.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.metrics.rings import frequency

ANNULI = 4


def band_masks(shape: tuple[int, ...], factor: int) -> list[npt.NDArray[np.bool_]]:
    """Masks over the FFT of ``shape`` of equal bands between the LR and the HR Nyquist frequency.

    Parameters
    ----------
    shape
        (y, x) of SR.
    factor
        SR pixels per LR pixel.
    """
    radius = frequency(shape)
    edges = np.linspace(0.5 / factor, 0.5, ANNULI + 1)
    return [(radius >= a) & (radius < b) for a, b in pairwise(edges)]


def power_and_agreement(
    sr: npt.NDArray[Any], hr: npt.NDArray[Any], factor: int
) -> tuple[list[float], list[float]]:
    """Power of ``sr`` over that of ``hr`` in dB, and their correlation, in each annulus.

    Parameters
    ----------
    sr, hr
        (y, x) of the same shape.
    factor
        Upscale factor, which says where the LR Nyquist frequency lies.
    """
    a, b = _spectrum(sr), _spectrum(hr)
    power, agreement = [], []
    for mask in band_masks(hr.shape, factor):
        pa, pb = (float((np.abs(s[mask]) ** 2).sum()) + 1e-12 for s in (a, b))
        power.append(float(10 * np.log10(pa / pb)))
        agreement.append(float((a[mask] * b[mask].conj()).real.sum() / np.sqrt(pa * pb)))
    return power, agreement


def _spectrum(image: npt.NDArray[Any]) -> npt.NDArray[np.complex128]:
    """FFT without the mean, windowed against the jump at the borders."""
    grey = image.astype(np.float64)
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    return np.fft.fft2((grey - grey.mean()) * window)
