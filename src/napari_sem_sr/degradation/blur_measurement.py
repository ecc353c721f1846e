"""How blurred images are beyond the averaging over a pixel, as far as the images alone can tell.

The spectra of micrographs fall by a power of the frequency (Field 1987, J. Opt. Soc. Am. A 4, 2379, for natural
images); a Gaussian beam adds a fall by its square in the exponent. Both are fitted to the radial spectrum above the noise.
Materials differ by what they add to the curvature themselves, so only what no sharp image of the materials that were
tried has shown is called blur: told too little, a network leaves blur in; told too much, it draws fringes.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

# Side of the windows whose spectra are averaged.
WINDOW = 128
# Frequencies in cycles per pixel that are fitted: below, the size of structures bends the spectrum.
LOWEST, HIGHEST, RINGS = 0.06, 0.5, 22
LEAST_RINGS = 8
# The fit has to reach this far above the noise to tell blur from a smooth specimen.
LEAST_REACH = 0.3
# Part of the noise that signal has to have in a ring.
LEAST_SIGNAL = 0.5
# Variance in px² that sharp images of nine materials were found to have at most (docs/conditions.md).
SHARP_VARIANCE = 0.36
LEAST_BLUR = 0.2
STANDARD_ERRORS = 2.0
# Power of the frequency by which spectra of micrographs fall.
SLOPES = (0.0, 4.0)


def measure_blur(
    images: Sequence[npt.NDArray[Any]], noise_variance: float, line_correlation: float = 0.0
) -> float:
    """Standard deviation of a Gaussian beam in pixels that is surely there; 0 where none is.

    Parameters
    ----------
    images
        Each (y, x), finite, in grey values.
    noise_variance, line_correlation
        Of their noise, in grey values squared, and along x.
    """
    side = min(WINDOW, *(min(image.shape) for image in images)) // 2 * 2
    if side < WINDOW // 4:
        return 0.0
    power = np.mean([_power(image, side) for image in images], axis=0)
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None]
    noise = noise_variance * (1 + 2 * line_correlation * np.cos(2 * np.pi * fx)) + 0 * fy
    pixel = (np.sinc(fy) * np.sinc(fx)) ** 2
    radius = np.hypot(fy, fx)
    edges = np.linspace(LOWEST, HIGHEST, RINGS + 1)
    rows, values, weights = [], [], []
    for low, high in pairwise(edges):
        ring = (radius >= low) & (radius < high)
        seen = float(power[ring].mean())
        signal = seen - float(noise[ring].mean())
        if signal <= LEAST_SIGNAL * float(noise[ring].mean()) or signal <= 0:
            continue
        at = float(radius[ring].mean())
        weight = signal / seen
        rows.append([weight, -weight * np.log(at), -weight * (2 * np.pi * at) ** 2])
        values.append(weight * (np.log(signal) - np.log(float(pixel[ring].mean()))))
        weights.append(at)
    if len(rows) < LEAST_RINGS or max(weights) < LEAST_REACH:
        return 0.0
    design, wanted = np.array(rows), np.array(values)
    (_, slope, variance), *_ = fitted = np.linalg.lstsq(design, wanted, rcond=None)
    left_over = wanted - design @ fitted[0]
    scatter = left_over @ left_over / (len(wanted) - 3)
    error = sqrt(scatter * np.linalg.inv(design.T @ design)[2, 2])
    sure = variance - STANDARD_ERRORS * error - SHARP_VARIANCE
    if sure <= 0 or not SLOPES[0] <= slope <= SLOPES[1]:
        return 0.0
    blur = sqrt(sure)
    return blur if blur >= LEAST_BLUR else 0.0


def _power(image: npt.NDArray[Any], side: int) -> npt.NDArray[np.float64]:
    """Power spectral density (side, side), mean over half overlapping windows (Welch 1967)."""
    hann = np.hanning(side)
    window = hann[:, None] * hann
    spectra = []
    for top in range(0, image.shape[0] - side + 1, side // 2):
        for left in range(0, image.shape[1] - side + 1, side // 2):
            part = image[top : top + side, left : left + side].astype(np.float64)
            spectra.append(np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2)
    return np.asarray(np.mean(spectra, axis=0) / (window**2).sum())
