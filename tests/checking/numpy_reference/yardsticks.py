"""What is usual in a stack, measured once on a few slices, so that all slices are judged alike.

Heights are in standard deviations of what is usual at a place. Three things let an addition stand out from the
residual that every generator leaves behind:

- part of that residual follows from LR alone (a generator that sharpens or softens a little leaves a filtered
  copy of LR behind): a linear prediction from band-passed LR is subtracted;
- it is larger where LR is busy: see `surroundings`;
- a faint but large addition is as certain as a small bright one: see `shapes`.

What the adversarial stage added to the twin is judged likewise, by its amount, and by the detail that no multiple of
the twin's detail explains.

Source: our own trials (benchmarks/checking/planted.py; figures in docs/measurements-checking.md).

What it can and cannot tell: usual is not right. A fault that is everywhere raises no place above the rest; the
numbers of the whole stack (chi-square, agreement, domain) are there for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, gaussian_laplace, maximum_filter

from napari_sem_sr.checking.evidence.persistence import ABSENT
from napari_sem_sr.metrics.boundary import crowding
from napari_sem_sr.metrics.robust import middle_and_scatter

from .shapes import RINGS, TEXTURE_SCALES, Bank, ring_power
from .surroundings import Usual, filled_near, learn, surroundings

Float = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]

TOO_BRIGHT = "brighter than LR measured"
TOO_DARK = "darker than LR measured"
TEXTURE = "texture that LR did not measure"
INVENTED = "detail that the twin does not draw"
# By reason: which tail (see `tails`) says how rare a height is.
KIND_OF = {
    TOO_BRIGHT: "residual",
    TOO_DARK: "residual",
    TEXTURE: "texture",
    INVENTED: "invention",
    ABSENT: "persistence",
}
# LR pixels.
BANDS = (0.7, 1.0, 2.0)
# Mean of the logarithm of the absolute value of a standard normal variable.
LOG_ABS = -0.635
# Standard deviations, for learning what is usual in spite of a few faults.
CLIP = 4.0
# LR pixels around a place that belong to the same lump.
LUMP = 5
# Of 255: below it, logarithms of amounts say nothing.
TINY = 0.3


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice on the LR grid, all in 255ths of the intensity range.

    Parameters
    ----------
    lr, residual
        ``(y, x)``; NaN where masked.
    amounts
        What was added to the twin, measured in one or more ways; may be empty.
    """

    lr: npt.NDArray[Any]
    residual: npt.NDArray[Any]
    amounts: Sequence[npt.NDArray[Any]] = ()


@dataclass(frozen=True, eq=False)
class UsualAmount:
    """Log amount at a place, and how far it scatters."""

    usual: Usual
    middle: float
    scatter: float


@dataclass(frozen=True, eq=False)
class Yardsticks:
    """What is usual in one stack; see `measure`."""

    weights: Vector
    scatter: Usual
    bank: Bank
    responses: tuple[Usual, ...]
    texture: tuple[tuple[float, float], ...]
    amounts: tuple[UsualAmount, ...]
    least: float

    def z_scores(self, there: Slice) -> dict[str, Float]:
        """By reason: ``(y, x)`` how many standard deviations a place exceeds what is usual; NaN where masked."""
        shape, masked = there.lr.shape, ~np.isfinite(there.residual)
        features = surroundings(there.lr)
        normal = self._normal(there, features)
        found = self.bank.responses(normal)
        usual = [np.exp(u.at(features)).reshape(shape) for u in self.responses]
        found = found / np.maximum(np.stack(usual), 1e-6)
        texture = [
            (image - middle) / (scatter * crowding(shape, scale))
            for image, scale, (middle, scatter) in zip(
                self.bank.texture(normal), TEXTURE_SCALES, self.texture, strict=True
            )
        ]
        bright, dark, power = found.max(axis=0), (-found).max(axis=0), np.max(texture, axis=0)
        # a lump has power too; texture is what no shape of one sign explains
        lump = maximum_filter(np.maximum(bright, dark), LUMP) > power
        z_scores = {TOO_BRIGHT: bright, TOO_DARK: dark, TEXTURE: np.where(lump, 0.0, power)}
        if there.amounts:
            over = [
                (np.log(a + TINY) - u.usual.at(features).reshape(shape) - u.middle) / u.scatter
                for a, u in zip(there.amounts, self.amounts, strict=True)
            ]
            z_scores[INVENTED] = np.max(over, axis=0)
        for image in z_scores.values():
            image[masked] = np.nan
        return {reason: image.astype(np.float32) for reason, image in z_scores.items()}

    def _normal(self, there: Slice, features: Vector) -> Vector:
        return _normal(there, features, self.weights, self.scatter, self.least)


def by_kind(z_scores: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The larger height of the reasons that share a tail."""
    found: dict[str, npt.NDArray[Any]] = {}
    for reason, image in z_scores.items():
        kind = KIND_OF[reason]
        found[kind] = np.fmax(found[kind], image) if kind in found else image
    return found


def measure(slices: Sequence[Slice], least: float) -> Yardsticks:
    """Take the measure of some slices.

    Parameters
    ----------
    slices
        At least one; all with as many ``amounts``.
    least
        Smallest scatter of a residual that is taken for real: rounding, for integers.
    """
    least = max(least, 1e-3)
    features = [surroundings(s.lr) for s in slices]
    bands = np.concatenate([_bands(s.lr) for s in slices])
    target = np.concatenate([s.residual.ravel() for s in slices])
    valid = np.isfinite(target)
    weights = np.linalg.lstsq(bands[valid], target[valid], rcond=None)[0]
    rests = [s.residual.ravel() - _bands(s.lr) @ weights for s in slices]
    # a residual far under `least` is as good as none; its logarithm must not decide
    scatter = learn(features, [np.log(np.abs(r) + 0.2 * least) - LOG_ABS for r in rests])
    normal = [
        np.clip(_normal(s, f, weights, scatter, least), -CLIP, CLIP)
        for s, f in zip(slices, features, strict=True)
    ]
    power = np.mean([ring_power(n) for n in normal], axis=0)
    bank = Bank.of(power / power.mean() if power.any() else np.ones(RINGS))
    found = [bank.responses(n) for n in normal]
    responses = tuple(
        learn(features, [np.log(np.abs(f[k]) + 1e-3) - LOG_ABS for f in found])
        for k in range(len(bank.shapes))
    )
    textures = np.stack(
        [
            np.concatenate([t.ravel() for t in scale])
            for scale in zip(*map(bank.texture, normal), strict=True)
        ]
    )
    amounts = tuple(
        _usual_amount(features, [np.log(s.amounts[k] + TINY) for s in slices])
        for k in range(len(slices[0].amounts))
    )
    texture = tuple(middle_and_scatter(t, 0.05) for t in textures)
    return Yardsticks(weights, scatter, bank, responses, texture, amounts, least)


def _usual_amount(features: Sequence[Vector], logs: Sequence[npt.NDArray[Any]]) -> UsualAmount:
    usual = learn(features, logs)
    rest = np.concatenate(
        [log.ravel() - usual.at(f) for f, log in zip(features, logs, strict=True)]
    )
    return UsualAmount(usual, *middle_and_scatter(rest, 0.05))


def _normal(
    there: Slice, features: Vector, weights: Vector, scatter: Usual, least: float
) -> Vector:
    """What LR does not predict of the residual, in its usual scatter; 0 where masked."""
    rest = there.residual - (_bands(there.lr) @ weights).reshape(there.lr.shape)
    sigma = np.maximum(np.exp(scatter.at(features)), least).reshape(rest.shape)
    return np.nan_to_num(rest / sigma, nan=0.0)


def _bands(lr: npt.NDArray[Any]) -> Vector:
    """``(pixels, features)``: LR in some bands, and a constant."""
    image = filled_near(lr)
    images = [image - gaussian_filter(image, scale) for scale in BANDS]
    images += [gaussian_laplace(image, 0.6), np.ones_like(image)]
    return np.stack([i.ravel() for i in images], axis=1)
