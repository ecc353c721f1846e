"""What is usual in a stack, measured once on a few slices, so that all slices are judged alike.

Suspicion is in units of its own threshold, 1 and more being suspect. Three things make an addition stand out from
the residual that every generator leaves behind:

- part of that residual follows from LR alone (a generator that sharpens or softens a little leaves a filtered
  copy of LR behind): a linear prediction from band-passed LR is subtracted;
- it is larger where LR is busy: scatter is taken among places of equal activity;
- a faint but large addition is as certain as a small bright one: it counts at several scales.

Source: our own trials (benchmarks/checking/planted.py) with discs of 2 to 12 SR pixels' radius planted into SR images
of three materials: at 9 to 12, 12 to 16, 16 to 20 times the residual's scatter 71, 79, 96 % were among the ten worst
places of their slice.

What it can and cannot tell: usual is not right. A fault that is everywhere raises no place above the rest; the
numbers of the whole stack (chi-square, agreement, domain) are there for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)

Float = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]

# LR pixels.
SCALES = (0.0, 0.7, 1.4, 2.2)
BANDS = (0.7, 1.0, 2.0)
# Standard deviations at which a residual, or the logarithm of an amount, is suspect.
RESIDUAL_LIMIT = 4.0
AMOUNT_LIMIT = 4.0
# Classes of equal activity.
CLASSES = 10
# Scatter comes from this quantile of the absolute value, which for a normal variable is TAIL standard
# deviations; natural residuals have longer tails.
QUANTILE, TAIL = 0.9, 1.645
MAD = 1.4826
TINY = 1e-3


@dataclass(frozen=True)
class Usual:
    """Median and scatter of something, in its own unit."""

    middle: float
    scatter: float


@dataclass(frozen=True, eq=False)
class UsualResidual:
    """How residuals depend on LR.

    Parameters
    ----------
    weights
        Of the linear prediction from LR's bands.
    activity
        Log activity of LR in the middle of each class, ascending.
    log_scatter
        ``(scales, classes)`` log scatter of what remains.
    """

    weights: Vector
    activity: Vector
    log_scatter: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Yardsticks:
    """What is usual: residuals, and the logarithm of what the adversarial stage added (if known)."""

    residual: UsualResidual
    amount: Usual | None


def measure(
    residuals: Sequence[npt.NDArray[Any]],
    lrs: Sequence[npt.NDArray[Any]],
    amounts: Sequence[npt.NDArray[Any]],
    least: float,
) -> Yardsticks:
    """Take the measure of some slices.

    Parameters
    ----------
    residuals, lrs
        LR grid, grey levels, one of each per slice.
    amounts
        LR grid, grey levels, not negative; may be empty.
    least
        Smallest scatter of a residual that is taken for real: rounding, for integers.
    """
    amount = _usual([np.log(np.maximum(a, TINY)) for a in amounts], 0.1) if amounts else None
    return Yardsticks(_usual_residual(residuals, [_filled(lr) for lr in lrs], least), amount)


def residual_suspicion(
    residual: npt.NDArray[Any], lr: npt.NDArray[Any], usual: UsualResidual
) -> tuple[Float, Float]:
    """Suspicion of (too bright, too dark) against LR, the larger over all scales."""
    whole = _filled(lr)
    active = _activity(whole)
    rest = residual - (_bands(whole) @ usual.weights).reshape(residual.shape)
    scores = []
    for scale, log_scatter in zip(SCALES, usual.log_scatter, strict=True):
        scatter = np.exp(np.interp(active, usual.activity, log_scatter))
        scores.append(_smooth(rest, scale) / (RESIDUAL_LIMIT * scatter))
    return (
        np.max(scores, axis=0).astype(np.float32),
        np.max(np.negative(scores), axis=0).astype(np.float32),
    )


def amount_suspicion(image: npt.NDArray[Any], usual: Usual) -> Float:
    """Suspicion from how much was added in a place."""
    score = (np.log(np.maximum(image, TINY)) - usual.middle) / (AMOUNT_LIMIT * usual.scatter)
    return np.asarray(score, np.float32)


def _usual_residual(
    residuals: Sequence[npt.NDArray[Any]], lrs: Sequence[Vector], least: float
) -> UsualResidual:
    bands = np.concatenate([_bands(lr) for lr in lrs])
    target = np.concatenate([r.ravel() for r in residuals]).astype(np.float64)
    valid = np.isfinite(target)
    weights = np.linalg.lstsq(bands[valid], target[valid], rcond=None)[0]
    active = np.concatenate([_activity(lr).ravel() for lr in lrs])
    edges = np.quantile(active[valid], np.linspace(0, 1, CLASSES + 1)) if valid.any() else []
    members = [valid & (active >= low) & (active <= high) for low, high in pairwise(edges)]
    members = [m for m in members if m.any()]
    if not members:
        return UsualResidual(weights, np.zeros(1), np.zeros((len(SCALES), 1)))
    scatter = np.empty((len(SCALES), len(members)))
    rests = [
        r - (_bands(lr) @ weights).reshape(r.shape) for r, lr in zip(residuals, lrs, strict=True)
    ]
    for row, scale in enumerate(SCALES):
        values = np.abs(np.concatenate([_smooth(rest, scale).ravel() for rest in rests]))
        # averaging over a Gaussian of s pixels divides white noise by 2 sqrt(pi) s
        floor = max(least / max(1.0, 2 * np.sqrt(np.pi) * scale), 1e-6)
        for column, member in enumerate(members):
            scatter[row, column] = max(float(np.quantile(values[member], QUANTILE)) / TAIL, floor)
    # busier places never scatter less; a class with few of them may say so by chance
    log_scatter = np.log(np.maximum.accumulate(scatter, axis=1))
    activity = np.array([active[m].mean() for m in members])
    return UsualResidual(weights, activity, log_scatter)


def _bands(lr: Vector) -> npt.NDArray[np.float64]:
    """``(pixels, features)``: LR in some bands, and a constant."""
    images = [lr - gaussian_filter(lr, scale) for scale in BANDS]
    images += [gaussian_laplace(lr, 0.6), np.ones_like(lr)]
    return np.stack([image.ravel() for image in images], axis=1)


def _activity(lr: Vector) -> Vector:
    """Log of the local root mean square of gradient and curvature."""
    energy = gaussian_gradient_magnitude(lr, 0.7) ** 2 + gaussian_laplace(lr, 0.7) ** 2
    return np.asarray(np.log(gaussian_filter(np.sqrt(energy), 1) + 0.3 * TINY))


def _filled(image: npt.NDArray[Any]) -> Vector:
    """``image`` in float with the nearest valid value where it is NaN."""
    values = image.astype(np.float64)
    masked = ~np.isfinite(values)
    if masked.all():
        return np.zeros_like(values)
    if masked.any():
        nearest = distance_transform_edt(masked, return_distances=False, return_indices=True)
        values = values[tuple(nearest)]
    return values


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
