"""Random structures whose true numbers are known from theory."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtri


def gaussian_field(shape, sigma: float, seed: int):
    """Gaussian random field, mean 0 and variance 1, with correlation exp(-r² / (4 sigma²))."""
    rng = np.random.default_rng(seed)
    margin = int(4 * sigma)
    noise = rng.standard_normal([n + 2 * margin for n in shape])
    field = gaussian_filter(noise, sigma, truncate=4.0)
    part = field[tuple(slice(margin, margin + n) for n in shape)]
    # the variance that the filter leaves of white noise
    return part * (2 * np.sqrt(np.pi) * sigma) ** 1.5


def thresholded(shape, sigma: float, fraction: float, seed: int):
    """Where the field is above the level that this fraction of the material is above."""
    return gaussian_field(shape, sigma, seed) > -ndtri(fraction)


def true_surface(sigma: float, fraction: float) -> float:
    """Specific surface of a level set (Rice's formula: crossings per length, times two)."""
    # second spectral moment along a line of exp(-r² / (4 sigma²))
    moment = 1 / (2 * sigma**2)
    crossings = np.sqrt(moment) / np.pi * np.exp(-(ndtri(fraction) ** 2) / 2)
    return float(2 * crossings)
