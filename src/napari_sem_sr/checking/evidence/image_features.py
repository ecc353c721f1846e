"""An LR image in numbers: what its tiles look like, and how frequent patterns of neighbouring pixels are."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import correlate1d

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.noise import GAIN
from napari_sem_sr.metrics.noise import MAD as NORMAL_MEDIAN
from napari_sem_sr.metrics.texture import PATTERNS, along_both, gaussian_in_tile, pattern_shares

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Vector = npt.NDArray[np.float64]

# LR pixels: small enough that a field holds many, large enough for eight bands of its spectrum.
TILE = 32
# Tiles that are described at once.
TOGETHER = 4096
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


def domain_features(lr: npt.NDArray[Any], device: "torch.device | str" = "cpu") -> Vector:
    """Statistics of one LR image: mean and spread over tiles of each of ``TILE_FEATURES``, and how frequent patterns are.

    Parameters
    ----------
    lr
        ``(y, x)`` on the network's scale, one intensity range per stack. Tiles with NaN are left out; an
        image smaller than a tile is mirrored to its size.
    device
        Where it is computed.

    Returns
    -------
    ``(FEATURES,)``, of the patterns the square roots of their shares (Hellinger); the size of the image has no
    influence on its expectation.

    Raises
    ------
    InputError
        If no tile is free of NaN.
    """
    features = tile_features(lr, device).reshape(-1, len(TILE_FEATURES) + PATTERNS)
    features = features[np.isfinite(features).all(axis=1)]
    if len(features) == 0:
        raise InputError(
            f"No {TILE} × {TILE} tile of the LR image is free of NaN; give an image with more data."
        )
    described, shares = np.split(features, [len(TILE_FEATURES)], axis=1)
    return np.concatenate(
        [described.mean(axis=0), described.std(axis=0), np.sqrt(shares.mean(axis=0))]
    )


def tile_features(
    lr: npt.NDArray[Any], device: "torch.device | str" = "cpu"
) -> npt.NDArray[np.float64]:
    """``(rows, columns, len(TILE_FEATURES) + PATTERNS)`` of tiles that overlap by half; NaN where a tile meets a NaN.

    Parameters
    ----------
    lr
        ``(y, x)`` on the network's scale; may hold NaN.
    device
        Where it is computed.
    """
    import torch

    image = lr.astype(np.float32)
    short = [max(0, TILE - n) for n in image.shape]
    if any(short):
        image = np.pad(image, [(0, s) for s in short], mode="symmetric")
    step = TILE // 2
    with torch.no_grad():
        tiles = torch.from_numpy(image).to(device).unfold(0, TILE, step).unfold(1, TILE, step)
        rows, columns = tiles.shape[:2]
        lines = max(1, TOGETHER // columns)
        found = [_describe(tiles[i : i + lines].flatten(0, 1)) for i in range(0, rows, lines)]
        described = torch.cat(found).cpu().numpy().astype(np.float64)
    # what is computed from a NaN is not NaN everywhere: no pattern is darker than it
    described[~np.isfinite(described).all(axis=1)] = np.nan
    return described.reshape(rows, columns, -1)


def _describe(tiles: "Tensor") -> "Tensor":
    """Describe ``(n, TILE, TILE)``: ``(n, len(TILE_FEATURES) + PATTERNS)``."""
    import torch

    filters = _filters()
    n = len(tiles)
    mean = tiles.mean((1, 2))
    centred = tiles - mean[:, None, None]
    deviation = centred.square().mean((1, 2)).sqrt()
    normal = centred / deviation.clamp_min(FLOOR)[:, None, None]

    window = np.hanning(TILE)[:, None] * np.hanning(TILE)
    there = torch.from_numpy(window.astype(np.float32)).to(tiles.device)
    spectrum = torch.fft.rfft2(centred * there)
    power = (spectrum.real.square() + spectrum.imag.square()) / float((window**2).sum())
    mean_over = torch.from_numpy(filters.rings).to(tiles.device)
    rings = (power.flatten(1) @ mean_over + FLOOR**2).log10()

    curvature = along_both(tiles, filters.second).abs()
    noise = _percentiles(curvature, (50,))[0] / (NORMAL_MEDIAN * GAIN)
    first = torch.from_numpy(filters.first).to(tiles.device)
    gy, gx = first @ centred, centred @ first.T
    gradient = torch.hypot(gy, gx)
    mean_gradient = gradient.mean((1, 2))
    p50, p90 = _percentiles(gradient, (50, 90))
    fine = centred - along_both(centred, gaussian_in_tile(TILE, 1.0))
    fine = (fine - fine.mean((1, 2), keepdim=True)).square().mean((1, 2)).sqrt()
    jyy, jxx, jxy = ((a * b).mean((1, 2)) for a, b in ((gy, gy), (gx, gx), (gy, gx)))
    anisotropy = torch.hypot(jyy - jxx, 2 * jxy) / (jyy + jxx + FLOOR**2)
    cubes = normal.square().mul_(normal)
    single = (
        (noise + FLOOR).log10(),
        (mean_gradient + FLOOR).log10(),
        ((p90 + FLOOR) / (p50 + FLOOR)).log10(),
        (deviation + FLOOR).log10(),
        mean,
        cubes.mean((1, 2)),
        (cubes.mul_(normal).mean((1, 2)) + 1).log10(),
        ((fine + FLOOR) / (deviation + FLOOR)).log10(),
        anisotropy,
        ((curvature.mean((1, 2)) / GAIN + FLOOR) / (mean_gradient + FLOOR)).log10(),
    )
    shares = pattern_shares(tiles, FLOOR)
    return torch.cat([rings, torch.stack(single, dim=1), shares], dim=1).view(n, -1)


def _percentiles(tiles: "Tensor", percents: tuple[int, ...]) -> "list[Tensor]":
    """Percentiles of every tile, interpolated between neighbours as NumPy does."""
    import torch

    flat = tiles.flatten(1)
    # NumPy sorts single precision several times as fast as PyTorch does on a CPU
    ordered = (
        torch.from_numpy(np.sort(flat.numpy(), axis=1))
        if flat.device.type == "cpu"
        else flat.sort(dim=1).values
    )
    found = []
    for percent in percents:
        at = percent / 100 * (ordered.shape[1] - 1)
        low = int(at)
        share = at - low
        found.append((1 - share) * ordered[:, low] + share * ordered[:, low + 1])
    return found


@dataclass(frozen=True, eq=False)
class _Filters:
    """Along an axis of a tile: first and second difference; and from power to its mean over rings."""

    first: npt.NDArray[np.float32]
    second: npt.NDArray[np.float64]
    rings: npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def _filters() -> _Filters:
    first = np.asarray(np.gradient(np.eye(TILE), axis=0))
    # the kernel of the noise is this along both axes
    second = correlate1d(np.eye(TILE), [1.0, -2.0, 1.0], axis=0, mode="reflect")
    radius = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE))
    edges = np.linspace(0, 0.5, RINGS + 1)
    edges[0] = 1e-9  # the mean is a feature of its own
    masks = [((radius > low) & (radius <= high)).ravel() for low, high in pairwise(edges)]
    rings = np.stack([mask / mask.sum() for mask in masks], axis=1)
    return _Filters(first.astype(np.float32), second, rings.astype(np.float32))


def noise_of(features: Vector) -> float:
    """Noise of an image as a share of the intensity range.

    Parameters
    ----------
    features
        ``(d,)``, of an image.
    """
    return float(10 ** features[NOISE] - FLOOR)


def fineness_of(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Log power at the Nyquist frequency of LR over that at half of it; free of any contrast.

    Parameters
    ----------
    features
        ``(..., d)``, of an image or of tiles.
    """
    return np.asarray(features[..., FINEST] - features[..., MIDDLE])
