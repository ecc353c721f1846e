"""Particle contrast: bright round spots that are darker all around, whatever they lie on.

`checking.particles` counts the objects of a phase; what a model invents need not form a phase of its own. Spots
are maxima of the scale-normalised Laplacian of Gaussian in scale space (Lindeberg 1998, Int. J. Comput. Vision
30, 79), as scikit-image finds them; edges and ridges, which answer too, are left out as they are not darker all around.
"""

from math import e
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from skimage.feature import blob_log

from napari_sem_sr.measure.particles import Particles, Vector

# A spot of scale sigma answers strongest to a disc of radius sqrt(2) sigma (Lindeberg 1998).
RADIUS_PER_SIGMA = np.sqrt(2)
SCALES = 14
# Darker in most directions, so not an edge. Touching spots have no gap between them in some.
DIRECTIONS = 12
DARKER_DIRECTIONS = 8
INSIDE = np.array([0.2, 0.5])
AROUND = np.linspace(1.0, 1.7, 4)
# Two spots are one where they overlap by more than this share of the smaller.
OVERLAP = 0.6


def spots(
    image: npt.NDArray[Any],
    diameters_px: tuple[float, float],
    least_contrast: float,
    pixel_nm: float | None = None,
) -> Particles:
    """Find bright round spots.

    Parameters
    ----------
    image
        (y, x), any dtype, without NaN.
    diameters_px
        The smallest and the largest sought, in pixels.
    least_contrast
        Grey levels between a disc and its surroundings that just count.
    pixel_nm
        Diameters are in nm; in pixels where it is None.
    """
    grey = image.astype(np.float32)
    low, high = (d / 2 / RADIUS_PER_SIGMA for d in diameters_px)
    # a disc of contrast c answers with 2 c / e where the scale fits it
    found = blob_log(  # type: ignore[no-untyped-call]
        grey,
        min_sigma=low,
        max_sigma=high,
        num_sigma=SCALES,
        threshold=2 / e * least_contrast,
        overlap=OVERLAP,
        log_scale=True,
    )
    y, x, sigma = np.asarray(found, dtype=np.float64).reshape(-1, 3).T
    radius = RADIUS_PER_SIGMA * sigma
    darker = _darker_around(grey, y, x, radius) > least_contrast / 2
    # a ridge goes on both ways along one axis
    ends = (darker[:, : DIRECTIONS // 2] | darker[:, DIRECTIONS // 2 :]).all(axis=1)
    kept = ends & (darker.sum(axis=1) >= DARKER_DIRECTIONS)
    unit = pixel_nm or 1.0
    centres = np.column_stack([y, x])[kept]
    labels = np.zeros(image.shape, np.int32)
    labels[tuple(np.rint(centres).astype(int).T)] = np.arange(1, len(centres) + 1)
    return Particles(centres, 2 * radius[kept] * unit, 1 / unit, labels)


def _darker_around(image: npt.NDArray[np.float32], y: Vector, x: Vector, radius: Vector) -> Vector:
    """How much darker than its inside the surroundings of each spot are, by direction, (n, DIRECTIONS)."""
    angle = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS

    def along(shares: Vector) -> Vector:
        reach = radius[:, None, None] * shares
        where = (
            y[:, None, None] + reach * np.sin(angle)[:, None],
            x[:, None, None] + reach * np.cos(angle)[:, None],
        )
        return np.asarray(map_coordinates(image, where, order=1, mode="nearest"), np.float64)

    inside = along(INSIDE).mean(axis=(1, 2))
    # two steps along the ray averaged, so that one noisy pixel is not a gap
    outside = along(AROUND)
    outside = ((outside[..., :-1] + outside[..., 1:]) / 2).min(axis=2)
    return np.asarray(inside[:, None] - outside)
