"""What is usual in a stack, measured once on a few slices, so that all slices are judged alike.

Suspicion is in units of its own threshold, 1 and more being suspect. A residual counts at three scales, since a
faint but large addition is as certain as a small bright one: smoothing over more LR pixels lowers the usual
scatter, and the addition stands out.

What it can and cannot tell: usual is not right. A fault that is everywhere raises no place above the rest; the
numbers of the whole stack (chi-square, agreement, domain) are there for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

Float = npt.NDArray[np.float32]

# LR pixels.
SCALES = (0.0, 1.0, 2.0)
# Robust standard deviations at which a residual, or the logarithm of an amount, is suspect. Natural
# residuals have long tails: 6 leaves few places of a clean image.
RESIDUAL_LIMIT = 6.0
AMOUNT_LIMIT = 4.0
MAD = 1.4826
# Rounding of LR, as a standard deviation: the least scatter that any residual has.
LEAST = 0.29
TINY = 1e-3


@dataclass(frozen=True)
class Usual:
    """Median and scatter of something, in its own unit."""

    middle: float
    scatter: float


@dataclass(frozen=True)
class Yardsticks:
    """What is usual: residuals by scale, and the logarithm of what the adversarial stage added (if known)."""

    residual: tuple[Usual, ...]
    amount: Usual | None


def measure(
    residuals: Sequence[npt.NDArray[Any]], amounts: Sequence[npt.NDArray[Any]], least: float
) -> Yardsticks:
    """Take the measure of some slices.

    Parameters
    ----------
    residuals
        LR grid, grey levels.
    amounts
        LR grid, grey levels, not negative; may be empty.
    least
        Smallest scatter of a residual that is taken for real: rounding for integers.
    """
    scales = tuple(
        _usual([_smooth(r, scale) for r in residuals], least / max(1.0, 3.5 * scale))
        for scale in SCALES
    )
    amount = _usual([np.log(np.maximum(a, TINY)) for a in amounts], 0.1) if amounts else None
    return Yardsticks(scales, amount)


def residual_suspicion(image: npt.NDArray[Any], usual: Sequence[Usual]) -> tuple[Float, Float]:
    """Suspicion of (too bright, too dark) against LR, the larger over all scales."""
    scores = np.stack(
        [
            (_smooth(image, scale) - u.middle) / (RESIDUAL_LIMIT * u.scatter)
            for scale, u in zip(SCALES, usual, strict=True)
        ]
    )
    return scores.max(axis=0).astype(np.float32), (-scores.min(axis=0)).astype(np.float32)


def amount_suspicion(image: npt.NDArray[Any], usual: Usual) -> Float:
    """Suspicion from how much was added in a place."""
    score = (np.log(np.maximum(image, TINY)) - usual.middle) / (AMOUNT_LIMIT * usual.scatter)
    return np.asarray(score, np.float32)


def _smooth(image: npt.NDArray[Any], scale: float) -> npt.NDArray[np.float64]:
    values = image.astype(np.float64)
    if scale == 0:
        return values
    masked = ~np.isfinite(values)
    smoothed = np.asarray(gaussian_filter(np.where(masked, 0.0, values), scale))
    smoothed[masked] = np.nan
    return smoothed


def _usual(images: Sequence[npt.NDArray[Any]], least: float) -> Usual:
    values = np.concatenate([image[np.isfinite(image)] for image in images])
    if values.size == 0:
        return Usual(0.0, 1.0)
    middle = float(np.median(values))
    return Usual(middle, max(float(MAD * np.median(np.abs(values - middle))), least))
