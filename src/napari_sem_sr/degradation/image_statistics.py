"""What LR images look like, whatever they show: power by frequency, noise by grey, greys, and all of it tile by tile.

All images are (y, x) on the network's scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import convolve, uniform_filter

from napari_sem_sr.metrics.rings import frequency

Values = npt.NDArray[np.float64]

# LR pixels: a spectrum of 32 rings, and several tiles in a small field.
SPECTRUM_TILE = 64
FEATURE_TILE = 32
FEATURE_RINGS = 6
# Second difference along both axes, scaled so that white noise keeps its variance (Immerkaer 1996).
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64) / 6
# Median absolute value of a standard normal variable.
_MAD = 0.6744897501960817
# Side of the mean that says which grey a pixel's noise belongs to.
_LOCAL = 5
# Below one part in 4096 of the range nothing is said about the image.
_FLOOR = 1 / 4096
# Fewer pixels of one grey give no variance.
_FEWEST = 200


@dataclass(frozen=True, eq=False)
class Rings:
    """Mean power (grey² per pixel of frequency) by ``frequency``, cycles per LR pixel; white noise has its variance.

    Parameters
    ----------
    frequency
        Middles of the rings, ``(rings,)``, in cycles per LR pixel.
    power
        Mean power in each ring, ``(rings,)``, in grey² per pixel of frequency.
    count
        Pixels of frequency in each ring, ``(rings,)``.
    """

    frequency: Values
    power: Values
    count: Values


def tiles_of(image: npt.NDArray[Any], side: int) -> Values:
    """``(n, side, side)`` tiles that overlap by half, those with NaN left out.

    Parameters
    ----------
    image
        ``(y, x)`` of any real dtype; may hold NaN.
    side
        Of a tile, in pixels.
    """
    if min(image.shape) < side:
        return np.empty((0, side, side))
    step = side // 2
    tiles = sliding_window_view(image.astype(np.float64), (side, side))[::step, ::step]
    tiles = tiles.reshape(-1, side, side)
    return tiles[np.isfinite(tiles).all(axis=(1, 2))]


def rings_of(images: Sequence[npt.NDArray[Any]]) -> Rings:
    """Radial power of all tiles of all images (Welch 1967: windowed, overlapping by half).

    Parameters
    ----------
    images
        ``(y, x)`` each, larger than a tile.
    """
    side = SPECTRUM_TILE
    power = _power(np.concatenate([tiles_of(i, side) for i in images])).mean(axis=0)
    radius = _radius(side)
    ring = np.rint(radius * side).astype(int).ravel()
    # half of the plane of frequencies is kept, so that columns other than the first count twice
    weight = np.where(np.arange(side // 2 + 1) == 0, 1.0, 2.0)
    weight = np.broadcast_to(weight, radius.shape).ravel()
    rings = np.arange(2, int(np.ceil(side * np.sqrt(0.5))) - 1)
    count: Values = np.bincount(ring, weight)[rings].astype(np.float64)
    found = np.bincount(ring, power.ravel() * weight)[rings] / count
    return Rings(rings / side, found, count)


def _power(tiles: Values) -> Values:
    side = tiles.shape[-1]
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    mean = (tiles * window).sum(axis=(1, 2), keepdims=True) / window.sum()
    power: Values = np.abs(np.fft.rfft2((tiles - mean) * window)) ** 2 / (window**2).sum()
    return power


def _radius(side: int) -> Values:
    return frequency((side, side), half=True)


def anisotropy(images: Sequence[npt.NDArray[Any]]) -> float:
    """Finest power along y over that along x: 1 for white noise, more where noise is smeared along scan lines.

    Parameters
    ----------
    images
        ``(y, x)`` each, larger than a tile.
    """
    side = SPECTRUM_TILE
    power = _power(np.concatenate([tiles_of(i, side) for i in images])).mean(axis=0)
    fy, fx = np.abs(np.fft.fftfreq(side))[:, None], np.fft.rfftfreq(side)[None, :]
    along_y = power[(fy > 0.4) & (fx < 0.2) & (fx > 0)].mean()
    along_x = power[(fx > 0.4) & (fy < 0.2) & (fy > 0)].mean()
    return float(along_y / along_x) if along_x > 0 else 1.0


def grey_edges(images: Sequence[npt.NDArray[Any]], bins: int) -> Values:
    """Edges of ``bins`` bins of local grey with as many pixels in each.

    Parameters
    ----------
    images
        ``(y, x)`` each.
    bins
        How many bins the greys are divided into.
    """
    local = np.concatenate([_local(i).ravel() for i in images])
    return np.asarray(np.percentile(local[np.isfinite(local)], np.linspace(0.5, 99.5, bins + 1)))


def noise_by_grey(images: Sequence[npt.NDArray[Any]], edges: Values) -> tuple[Values, Values]:
    """Mean grey and variance of what varies from pixel to pixel, for each bin of local grey; NaN where there is little.

    The variance is that of a normal variable with the same median absolute value, so that edges, being few, hardly
    count. Fine texture does count: compare with images that have the same texture and no noise.

    Parameters
    ----------
    images
        ``(y, x)`` each.
    edges
        ``(bins + 1,)`` ascending greys, as of `grey_edges`.
    """
    local = np.concatenate([_local(i).ravel() for i in images])
    fine = np.concatenate(
        [np.abs(convolve(i.astype(np.float64), _NOISE_KERNEL, mode="reflect")).ravel() for i in images]
    )  # fmt: skip
    grey, variance = np.full((2, len(edges) - 1), np.nan)
    valid = np.isfinite(local) & np.isfinite(fine)
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = valid & (local >= low) & (local <= high)
        if inside.sum() >= _FEWEST:
            grey[number] = local[inside].mean()
            variance[number] = (np.median(fine[inside]) / _MAD) ** 2
    return grey, variance


def _local(image: npt.NDArray[Any]) -> Values:
    return np.asarray(uniform_filter(image.astype(np.float64), _LOCAL, mode="reflect"))


def tile_features(image: npt.NDArray[Any]) -> Values:
    """``(n, d)``: log power in rings, noise, gradient, and the distribution of greys of each tile of one image.

    Parameters
    ----------
    image
        ``(y, x)`` float on the network's scale.
    """
    tiles = tiles_of(image, FEATURE_TILE)
    if not len(tiles):
        return np.empty((0, FEATURE_RINGS + 6))
    power, radius = _power(tiles), _radius(FEATURE_TILE)
    edges = np.linspace(0.03, 0.5, FEATURE_RINGS + 1)
    rings = [
        np.log10(power[:, (radius > low) & (radius <= high)].mean(axis=1) + _FLOOR**2)
        for low, high in pairwise(edges)
    ]
    fine = np.abs(convolve(tiles, _NOISE_KERNEL[None], mode="reflect"))
    gradient = np.hypot(*np.gradient(tiles, axis=(1, 2)))
    deviation = np.maximum(tiles.std(axis=(1, 2)), _FLOOR)
    normal = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) / deviation[:, None, None]
    return np.stack(
        [
            *rings,
            np.log10(np.median(fine, axis=(1, 2)) + _FLOOR),
            np.log10(gradient.mean(axis=(1, 2)) + _FLOOR),
            np.log10(deviation),
            tiles.mean(axis=(1, 2)),
            (normal**3).mean(axis=(1, 2)),
            np.log10((normal**4).mean(axis=(1, 2)) + 1),
        ],
        axis=1,
    )
