"""How noisy images are, from the images alone: from black to white, and along the scan line.

Noise of a scanned image is white across scan lines, whatever the detector does along them. So short columns of pixels
are looked at: the calmest of them hold little but noise, and what is left of the specimen in them is confined to some
of their principal components. The smallest eigenvalue of their covariance is the variance of the noise (Pyatykh,
Hesser & Zheng 2013, IEEE Trans. Image Process. 22, 687; there for square patches and white noise).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls
from scipy.stats import chi2

# Pixels of a column: more tell fine texture from noise better, fewer find calm places in small images.
COLUMN = 9
# Columns whose variance is at most this many times that of noise count as calm.
CALM = 2.0
# Part of the columns that is always looked at, however restless the image.
LEAST_CALM = 0.02
# Columns that are enough, evenly spread; for each bin of grey values, and in all.
ENOUGH = 120_000
BINS = 6
LEAST_IN_BIN = 3000
# Columns below which nothing is told at all.
LEAST_COLUMNS = 300
# Weight of "the same noise at every grey" beside the best bin, and the least part of the pooled variance at either end:
# bins without calm places would otherwise say that there is none.
EVENNESS = 0.1
LEAST_VARIANCE = 0.04
# Overlapping columns tell as much as this part of so many separate ones.
INDEPENDENT = 0.6
# Columns whose adjacent ones are calm too, below which no correlation is told.
LEAST_PAIRS = 500
_ROUNDS = 20


@dataclass(frozen=True)
class Noise:
    """Noise of images in their grey values.

    Parameters
    ----------
    black_variance, white_variance
        Variance at the lowest and highest grey value asked for; linear between them.
    line_correlation
        Between neighbouring pixels along x, 0 to 0.5.
    whiteness
        Smallest eigenvalue over the mean of all, of the calm columns: near 1 for noise alone, small where texture or an
        earlier filter gives the image a spectrum that falls towards its end.
    """

    black_variance: float
    white_variance: float
    line_correlation: float
    whiteness: float


def measure_noise(
    images: Sequence[npt.NDArray[Any]],
    black: float,
    white: float,
    limits: tuple[float, float] | None = None,
) -> Noise | None:
    """Noise of ``images``, each (y, x), in the grey values between ``black`` and ``white``.

    Parameters
    ----------
    limits
        Grey values at and beyond which pixels are saturated; their columns are left out.

    Returns
    -------
    The noise, or None where there are too few columns to tell (tiny, saturated or NaN images).
    """
    columns = [_Columns.of(image, limits) for image in images]
    values = np.concatenate([c.deviations for c in columns])
    means = np.concatenate([c.means for c in columns])
    if len(values) < LEAST_COLUMNS:
        return None
    variances = values.var(axis=1)
    pooled = _calm_noise(values, variances)
    black_variance, white_variance = _by_grey(values, variances, means, black, white, pooled)
    correlation = _line_correlation(columns, pooled)
    return Noise(black_variance, white_variance, correlation, pooled.whiteness)


@dataclass(frozen=True, eq=False)
class _Columns:
    """Columns (n, ``COLUMN``) of an image without their means, and which of them are neighbours along x."""

    deviations: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    has_right: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, image: npt.NDArray[Any], limits: tuple[float, float] | None) -> "_Columns":
        if image.shape[0] < COLUMN or image.shape[1] < 2:
            return cls(np.empty((0, COLUMN)), np.empty(0), np.empty(0, bool))
        windows = np.lib.stride_tricks.sliding_window_view(image, COLUMN, axis=0)
        # every other row at most, whole rows: neighbours along x stay beside each other
        step = max(1, int(np.ceil(windows.shape[0] * windows.shape[1] / ENOUGH)))
        columns = windows[::step].astype(np.float64)
        good = np.asarray(np.isfinite(columns).all(axis=-1))
        if limits is not None:
            good &= (columns > limits[0]).all(axis=-1) & (columns < limits[1]).all(axis=-1)
        has_right = np.zeros_like(good)
        has_right[:, :-1] = good[:, :-1] & good[:, 1:]
        kept = columns[good]
        means = kept.mean(axis=1)
        return cls(kept - means[:, None], means, has_right[good])


@dataclass(frozen=True, eq=False)
class _Calm:
    variance: float
    quietest: npt.NDArray[np.float64]
    whiteness: float
    count: int


def _calm_noise(values: npt.NDArray[np.float64], variances: npt.NDArray[np.float64]) -> _Calm:
    """Variance of the noise in columns, from those that hold little else."""
    least = float(np.quantile(variances, LEAST_CALM))
    free = COLUMN - 1
    chosen = np.ones(len(values), bool)
    noise = np.inf
    # of noise alone, what is kept below the threshold has less variance than the whole
    kept_share = chi2.cdf(CALM * free, free + 2) / chi2.cdf(CALM * free, free)
    for _ in range(_ROUNDS):
        eigenvalues, vectors = np.linalg.eigh(values[chosen].T @ values[chosen] / chosen.sum())
        # the mean was taken out, which leaves one eigenvalue of zero
        # and the smallest of a sample's eigenvalues lies under the true one (Marchenko & Pastur 1967)
        sample = (1 - np.sqrt(min(0.25, free / (INDEPENDENT * chosen.sum())))) ** 2
        smallest = float(eigenvalues[1]) / sample / (kept_share if noise < np.inf else 1.0)
        settled = abs(smallest - noise) <= 1e-3 * smallest
        noise, quietest = max(smallest, 0.0), vectors[:, 1]
        whiteness = float(eigenvalues[1] / max(eigenvalues[1:].mean(), 1e-300))
        if settled:
            break
        chosen = variances <= max(CALM * noise * free / COLUMN, least)
    return _Calm(noise, quietest, whiteness, int(chosen.sum()))


def _by_grey(
    values: npt.NDArray[np.float64],
    variances: npt.NDArray[np.float64],
    means: npt.NDArray[np.float64],
    black: float,
    white: float,
    pooled: _Calm,
) -> tuple[float, float]:
    """Variance at black and at white: a line through that of each bin of grey values, nowhere below zero."""
    edges = np.quantile(means, np.linspace(0, 1, BINS + 1))
    rows, found, weights = [], [], []
    for low, high in pairwise(edges):
        inside = (means >= low) & (means <= high)
        if high <= low or inside.sum() < LEAST_IN_BIN:
            continue
        calm = _calm_noise(values[inside], variances[inside])
        place = float(np.clip((means[inside].mean() - black) / (white - black), 0, 1))
        # a bin without calm places tells of the specimen
        weight = (
            np.sqrt(calm.count) * calm.whiteness / max(calm.variance, 1e-12 * (white - black) ** 2)
        )
        rows.append([1 - place, place])
        found.append(calm.variance)
        weights.append(weight)
    if len(found) < 2:
        return pooled.variance, pooled.variance
    weight = np.array([*weights, *[EVENNESS * max(weights)] * 2])
    places = np.array([*rows, [1.0, 0.0], [0.0, 1.0]])
    line, _ = nnls(
        places * weight[:, None], np.array([*found, pooled.variance, pooled.variance]) * weight
    )
    ends = np.maximum(line, LEAST_VARIANCE * pooled.variance)
    return float(ends[0]), float(ends[1])


def _line_correlation(columns: Sequence[_Columns], pooled: _Calm) -> float:
    """Lag-1 correlation along x of what the quietest component sees, which is hardly anything but noise."""
    threshold = CALM * pooled.variance * (COLUMN - 1) / COLUMN
    products, squares, pairs = 0.0, 0.0, 0
    for part in columns:
        seen = part.deviations @ pooled.quietest
        calm = part.deviations.var(axis=1) <= threshold
        left = np.flatnonzero(part.has_right[:-1] & calm[:-1] & calm[1:])
        products += float(seen[left] @ seen[left + 1])
        squares += float(seen[left] @ seen[left] + seen[left + 1] @ seen[left + 1]) / 2
        pairs += len(left)
    if pairs < LEAST_PAIRS or squares == 0:
        return 0.0
    return float(np.clip(products / squares, 0.0, 0.5))
