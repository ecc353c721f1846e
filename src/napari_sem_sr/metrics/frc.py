"""Fourier ring correlation of SR and HR: up to which detail they agree.

Source: Saxton and Baumeister 1982 (J. Microsc. 127, 127); threshold 0.5, as an image is compared with a
reference (Rosenthal and Henderson 2003, J. Mol. Biol. 333, 721); 1/7 belongs to two half data sets. Images are
windowed (Hann) against their borders, and ring sums are added over all slices before they are divided.

What it can and cannot tell: the resolution down to which SR follows HR, on average over the field. LR made from
HR shares HR's noise, which raises the curve. A curve that does not cross the threshold gives no resolution:
None, never a guess. It must not be computed between two SR pictures: those agree on what they invent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.metrics.rings import frequency, ring_numbers, ring_totals

Vector = npt.NDArray[np.float64]

THRESHOLD = 0.5
MAX_RINGS = 100


def n_rings(shape: tuple[int, int]) -> int:
    """Rings between 0 and the Nyquist frequency of SR, none thinner than the transform's own step.

    Parameters
    ----------
    shape
        (y, x) of SR.
    """
    return max(1, min(MAX_RINGS, min(shape) // 2))


def ring_sums(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> dict[str, list[float]]:
    """Per ring: ``cross`` (real part), ``a`` and ``b`` power of one slice; NaN is taken as the mean.

    Parameters
    ----------
    a
        ``(y, x)`` of any real dtype; may hold NaN.
    b
        Of the same shape.
    """
    fa, fb = (_spectrum(image) for image in (a, b))
    rings = n_rings((a.shape[0], a.shape[1]))
    index = ring_numbers(frequency(a.shape, half=True), 0.5, rings)
    # half of the plane stands for the other half, except its own first and last column
    weight = np.full(fa.shape, 2.0)
    weight[:, 0] = 1.0
    if a.shape[1] % 2 == 0:
        weight[:, -1] = 1.0

    def total(values: npt.NDArray[np.float64]) -> list[float]:
        return [float(v) for v in ring_totals(values * weight, index, rings)]

    return {
        "cross": total((fa * fb.conj()).real),
        "a": total(np.abs(fa) ** 2),
        "b": total(np.abs(fb) ** 2),
    }


def curve(slices: Sequence[Mapping[str, Sequence[float]]]) -> tuple[Vector, Vector]:
    """Frequencies (cycles per SR pixel) and correlation of all slices together; NaN in rings without power.

    Parameters
    ----------
    slices
        `ring_sums` of each slice; slices have the same shape.
    """
    cross, a, b = (np.sum([s[key] for s in slices], axis=0) for key in ("cross", "a", "b"))
    norm = np.sqrt(a * b)
    correlation = np.divide(cross, norm, out=np.full(norm.shape, np.nan), where=norm > 0)
    middles = (np.arange(len(correlation)) + 0.5) / len(correlation) * 0.5
    return middles, correlation


def resolution_px(frequency: Vector, correlation: Vector) -> float | None:
    """Period in SR pixels at which the curve first falls below the threshold; None if it does not.

    None as well for a curve that is under the threshold from its first ring on. The ring around zero
    frequency, which holds the mean, is left out.

    Parameters
    ----------
    frequency
        ``(rings,)`` in cycles per SR pixel, as `curve` gives it.
    correlation
        ``(rings,)``; may hold NaN.
    """
    f, c = frequency[1:], correlation[1:]
    valid = np.isfinite(c)
    f, c = f[valid], c[valid]
    below = np.flatnonzero(c < THRESHOLD)
    if below.size == 0 or below[0] == 0:
        return None
    i = int(below[0])
    share = (c[i - 1] - THRESHOLD) / (c[i - 1] - c[i])
    return float(1 / (f[i - 1] + share * (f[i] - f[i - 1])))


def _spectrum(image: npt.NDArray[Any]) -> npt.NDArray[np.complex128]:
    values = image.astype(np.float64)
    valid = np.isfinite(values)
    mean = values[valid].mean() if valid.any() else 0.0
    centred = np.where(valid, values - mean, 0.0)
    window = np.hanning(image.shape[0])[:, None] * np.hanning(image.shape[1])
    return np.asarray(np.fft.rfft2(centred * window))
