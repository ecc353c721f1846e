"""What a quantity usually is at a place of LR, learnt from how LR looks around it.

Residuals and inventions are larger where LR is busy. A ridge regression on the logarithm of LR's local contrast,
gradient and curvature at some scales (with their squares) tells what is usual there, so that quiet and busy places
are judged alike. It is learnt from a few slices of the very stack and has some twenty numbers, too few to learn
a single fault by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)

Vector = npt.NDArray[np.float64]

# LR pixels.
CONTRAST_SCALES = (0.7, 1.4, 3.0)
SLOPE_SCALES = (0.7, 1.4)
BRIGHTNESS_SCALE = 1.5
# Grey levels of 255: keeps logarithms finite where LR is flat.
FLAT = 0.1
RIDGE = 1e-2
# Places that look unlike all that was learnt from are judged like the nearest that were.
REACH = 0.1


def surroundings(lr: npt.NDArray[Any]) -> Vector:
    """``(pixels, features)`` of an LR slice (y, x) in 255ths of the intensity range; NaN filled with what is near."""
    image = filled_near(lr)
    found = []
    for scale in CONTRAST_SCALES:
        mean = gaussian_filter(image, scale)
        variance = gaussian_filter(image**2, scale) - mean**2
        found.append(np.log(np.sqrt(np.maximum(variance, 0)) + 3 * FLAT))
    for scale in SLOPE_SCALES:
        for slope in (gaussian_gradient_magnitude, gaussian_laplace):
            energy = gaussian_filter(slope(image, scale) ** 2, 1)
            found.append(np.log(np.sqrt(np.maximum(energy, 0)) + FLAT))
    found.append(gaussian_filter(image, BRIGHTNESS_SCALE))
    return np.stack([f.ravel() for f in found], axis=1)


@dataclass(frozen=True, eq=False)
class Usual:
    """Linear in the features and their squares.

    Parameters
    ----------
    centre, spread, low, high
        ``(features,)``, by which they are standardised and between which they are held.
    weights
        ``(1 + 2 * features,)``.
    """

    centre: Vector
    spread: Vector
    low: Vector
    high: Vector
    weights: Vector

    def at(self, features: Vector) -> Vector:
        """``(pixels,)`` what is usual there."""
        return np.asarray(_expand(self._standard(features)) @ self.weights)

    def _standard(self, features: Vector) -> Vector:
        return (np.clip(features, self.low, self.high) - self.centre) / self.spread


def learn(features: Sequence[Vector], values: Sequence[npt.NDArray[Any]]) -> Usual:
    """Learn what ``values`` (one array of pixels per slice) usually are; NaN is left out."""
    x, y = np.concatenate(features), np.concatenate([v.ravel() for v in values]).astype(np.float64)
    valid = np.isfinite(y)
    x, y = x[valid], y[valid]
    if len(y) == 0:
        width = features[0].shape[1]
        nothing = np.zeros(width)
        return Usual(nothing, nothing + 1, nothing, nothing, np.zeros(1 + 2 * width))
    low, high = np.percentile(x, [REACH, 100 - REACH], axis=0)
    centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = _expand((np.clip(x, low, high) - centre) / spread)
    penalty = RIDGE * len(z) * np.eye(z.shape[1])
    penalty[0, 0] = 0
    # a flat slice has features of no variance at all
    weights: Vector = np.linalg.lstsq(z.T @ z + penalty, z.T @ y, rcond=None)[0].astype(np.float64)
    return Usual(centre, spread, low, high, weights)


def _expand(z: Vector) -> Vector:
    return np.concatenate([np.ones((len(z), 1)), z, z**2], axis=1)


def filled_near(image: npt.NDArray[Any]) -> Vector:
    """``image`` in float with the nearest valid value where it is NaN."""
    values = image.astype(np.float64)
    masked = ~np.isfinite(values)
    if masked.all():
        return np.zeros_like(values)
    if masked.any():
        nearest = distance_transform_edt(masked, return_distances=False, return_indices=True)
        values = values[tuple(nearest)]
    return values
