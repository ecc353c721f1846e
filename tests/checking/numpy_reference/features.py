"""An LR image in numbers: what its tiles look like, and how frequent patterns of neighbouring pixels are."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import convolve, gaussian_filter

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.noise import GAIN, KERNEL
from napari_sem_sr.metrics.noise import MAD as NORMAL_MEDIAN

from .patterns import PATTERNS, pattern_shares

Vector = npt.NDArray[np.float64]

# LR pixels: small enough that a field holds many, large enough for eight bands of its spectrum.
TILE = 32
RINGS = 8
TILE_FEATURES = (
    *(f"log power, ring {i + 1} of {RINGS}" for i in range(RINGS)),
    "log noise",
    "log gradient",
    "log gradient, 90th percentile over median",
    "log standard deviation",
    "mean",
    "skewness",
    "kurtosis",
    "log contrast at 1 px over all contrast",
    "anisotropy",
    "log curvature over gradient",
)
# Below one grey level in 4096 of the intensity range, statistics say nothing about the material.
FLOOR = 1 / 4096
NOISE = TILE_FEATURES.index("log noise")
FINEST, MIDDLE = RINGS - 1, RINGS // 2 - 1
# What an image is described by: statistics, then patterns.
STATISTICS = 2 * len(TILE_FEATURES)
FEATURES = STATISTICS + PATTERNS


def domain_features(lr: npt.NDArray[Any]) -> Vector:
    """Statistics of one LR image: mean and spread over tiles of each of ``TILE_FEATURES``, and how frequent patterns are.

    Parameters
    ----------
    lr
        ``(y, x)`` on the network's scale, one intensity range per stack. Tiles with NaN are left out; an
        image smaller than a tile is mirrored to its size.

    Returns
    -------
    ``(FEATURES,)``, of the patterns the square roots of their shares (Hellinger); the size of the image has no
    influence on its expectation.

    Raises
    ------
    InputError
        If no tile is free of NaN.
    """
    features = tile_features(lr).reshape(-1, len(TILE_FEATURES) + PATTERNS)
    features = features[np.isfinite(features).all(axis=1)]
    if len(features) == 0:
        raise InputError(
            f"No {TILE} × {TILE} tile of the LR image is free of NaN; give an image with more data."
        )
    described, shares = np.split(features, [len(TILE_FEATURES)], axis=1)
    return np.concatenate(
        [described.mean(axis=0), described.std(axis=0), np.sqrt(shares.mean(axis=0))]
    )


def tile_features(lr: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """``(rows, columns, len(TILE_FEATURES) + PATTERNS)`` of tiles that overlap by half; NaN where a tile meets a NaN."""
    image = lr.astype(np.float64)
    short = [max(0, TILE - n) for n in image.shape]
    if any(short):
        image = np.pad(image, [(0, s) for s in short], mode="symmetric")
    step = TILE // 2
    tiles = sliding_window_view(image, (TILE, TILE))[::step, ::step]
    found = np.full((*tiles.shape[:2], len(TILE_FEATURES) + PATTERNS), np.nan)
    for row in range(tiles.shape[0]):
        line = tiles[row]
        whole = np.isfinite(line).all(axis=(1, 2))
        if whole.any():
            found[row, whole] = _describe(line[whole])
    return found


def _describe(tiles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Describe ``(n, TILE, TILE)``: ``(n, len(TILE_FEATURES) + PATTERNS)``."""
    mean = tiles.mean(axis=(1, 2))
    centred = tiles - mean[:, None, None]
    deviation = centred.std(axis=(1, 2))
    safe = np.maximum(deviation, FLOOR)
    normal = centred / safe[:, None, None]

    window = np.hanning(TILE)[:, None] * np.hanning(TILE)
    power = np.abs(np.fft.rfft2(centred * window)) ** 2 / (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE))
    edges = np.linspace(0, 0.5, RINGS + 1)
    edges[0] = 1e-9  # the mean is a feature of its own
    rings = [
        np.log10(power[:, (radius > low) & (radius <= high)].mean(axis=1) + FLOOR**2)
        for low, high in pairwise(edges)
    ]

    curvature = np.abs(convolve(tiles, KERNEL[None], mode="reflect"))
    noise = np.median(curvature, axis=(1, 2)) / (NORMAL_MEDIAN * GAIN)
    gy, gx = np.gradient(tiles, axis=(1, 2))
    gradient = np.hypot(gy, gx)
    mean_gradient = gradient.mean(axis=(1, 2))
    p50, p90 = np.percentile(gradient, [50, 90], axis=(1, 2))
    fine = (tiles - gaussian_filter(tiles, (0, 1, 1), mode="reflect")).std(axis=(1, 2))
    jyy, jxx, jxy = ((a * b).mean(axis=(1, 2)) for a, b in ((gy, gy), (gx, gx), (gy, gx)))
    anisotropy = np.hypot(jyy - jxx, 2 * jxy) / (jyy + jxx + FLOOR**2)
    return np.stack(
        [
            *rings,
            np.log10(noise + FLOOR),
            np.log10(mean_gradient + FLOOR),
            np.log10((p90 + FLOOR) / (p50 + FLOOR)),
            np.log10(deviation + FLOOR),
            mean,
            (normal**3).mean(axis=(1, 2)),
            np.log10((normal**4).mean(axis=(1, 2)) + 1),
            np.log10((fine + FLOOR) / (deviation + FLOOR)),
            anisotropy,
            np.log10((curvature.mean(axis=(1, 2)) / GAIN + FLOOR) / (mean_gradient + FLOOR)),
            *pattern_shares(tiles, FLOOR).T,
        ],
        axis=1,
    )


def noise_of(features: Vector) -> float:
    """Noise of an image as a share of the intensity range."""
    return float(10 ** features[NOISE] - FLOOR)


def fineness_of(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log power at the Nyquist frequency of LR over that at half of it; free of any contrast."""
    return np.asarray(features[..., FINEST] - features[..., MIDDLE])
