"""Masks of places that may be trusted, with a bound on how often that is wrong.

Two masks. Detail: wrong where SR's detail correlates less than 0.5 with HR's in a window of 5 SR pixels (at x4); the
score is `doubt`. Error: wrong where SR is off by more than TOLERANCE of the intensity range; the score is the error that
the slope of SR and the amount of invention let expect.

Source: conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814), for masks as in Adame et al. 2025.
The loss of one specimen at a threshold is the share of all its places that are trusted and wrong. It lies in
[0, 1] and grows with the threshold, so the most permissive threshold t with (n R(t) + 1) / (n + 1) <= alpha, R
being the mean loss of n calibration specimens, keeps the *mean* loss on further specimens of the same kind at or
under alpha.

What it can and cannot tell: the bound holds on average over specimens that are exchangeable with those of the
calibration, not for each one, and not for another material: the domain alarm has to be off. The unit is the
specimen; images of one specimen, crops and neighbouring slices are not independent and are counted once. Where a
model was calibrated on images of one specimen, the bound is about further images of that specimen.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from napari_sem_sr.checking.evidence.invention import (
    BLUR,
    MEASURED_AT,
    WINDOW,
    Invention,
    detail,
    doubt,
    filled,
    invention,
    local_correlation,
)
from napari_sem_sr.metrics.resample import area_average

Vector = npt.NDArray[np.float64]
Mask = Literal["detail", "error"]

ALPHA = 0.1
# Detail that correlates less than this with HR's is wrong.
WRONG_BELOW = 0.5
# Of the intensity range: an SR pixel farther from HR than this is wrong.
TOLERANCE = 0.05
# Shares of the intensity range that keep logarithms finite.
LEAST_SLOPE, LEAST_AMOUNT = 2e-3, 1e-3
# Scores at which places may be trusted, from almost never to always.
THRESHOLDS: Mapping[Mask, Vector] = {
    "detail": np.linspace(-2.0, 3.0, 251),
    "error": np.linspace(-7.0, -0.5, 261),
}
# What a model's calibration arrays are called.
PREFIX: Mapping[Mask, str] = {"detail": "trust", "error": "trust_error"}


@dataclass(frozen=True, eq=False)
class Curves:
    """Of one image, at every threshold of a mask: share of places trusted, and trusted and wrong."""

    trusted: Vector
    lost: Vector


def error_score(
    sr: npt.NDArray[Any], found: Invention, factor: int, width: float
) -> npt.NDArray[np.float32]:
    """Score of absolute error on the LR grid: log of slope of SR and amount of invention, geometric mean.

    Parameters
    ----------
    sr
        ``(y, x)`` in grey levels; NaN stays NaN.
    found
        What was invented in it.
    width
        Of the intensity range, in grey levels.
    """
    masked = ~np.isfinite(sr)
    blur = BLUR * factor / MEASURED_AT
    slope = gaussian_gradient_magnitude(filled(sr, masked), blur)
    slope = area_average(gaussian_filter(slope**2, blur), factor) ** 0.5 / width
    amount = area_average(found.amount**2, factor) ** 0.5 / width
    score = (np.log(slope + LEAST_SLOPE) + np.log(amount + LEAST_AMOUNT)) / 2
    return np.asarray(score, np.float32)


def image_curves(
    gan: npt.NDArray[Any],
    twin: npt.NDArray[Any],
    hr: npt.NDArray[Any],
    factor: int,
    sigma: float,
    width: float,
) -> dict[Mask, Curves]:
    """Curves of both masks for one image with known truth; a place is an LR pixel.

    Parameters
    ----------
    gan, twin, hr
        ``(y, x)`` in grey levels, without NaN; y and x multiples of ``factor``.
    factor
        Upscale factor.
    sigma
        Noise of LR in grey levels, as :func:`~napari_sem_sr.checking.evidence.consistency.lr_sigma` gives it.
    width
        Of the intensity range, in grey levels.
    """
    found = invention(gan, twin, factor)
    energy = np.sqrt(area_average(found.energy**2, factor))
    score = doubt(area_average(found.agreement, factor), energy, sigma)
    off = np.abs(gan.astype(np.float64) - hr) > TOLERANCE * width
    return {
        "detail": curves(score, wrong_detail_of(gan, hr, factor), "detail"),
        "error": curves(error_score(gan, found, factor, width), area_average(off, factor), "error"),
    }


def wrong_detail_of(
    sr: npt.NDArray[Any], hr: npt.NDArray[Any], factor: int
) -> npt.NDArray[np.bool_]:
    """Where SR's detail is wrong by HR, on the LR grid."""
    window = WINDOW * factor / MEASURED_AT
    true = local_correlation(detail(sr, factor), detail(hr, factor), window)
    return np.asarray(area_average(true, factor) < WRONG_BELOW)


def curves(score: npt.NDArray[Any], wrong: npt.NDArray[Any], mask: Mask = "detail") -> Curves:
    """Curves of places with a ``score`` (larger is more doubtful) of which a share is ``wrong``, 0 to 1."""
    order = np.argsort(score, axis=None)
    sorted_score, sorted_wrong = score.ravel()[order], wrong.ravel()[order]
    count = np.searchsorted(sorted_score, THRESHOLDS[mask], side="right")
    lost = np.concatenate([[0], np.cumsum(sorted_wrong, dtype=np.float64)])[count]
    return Curves(count / score.size, lost / score.size)


def fit_trust(
    images: Sequence[Mapping[Mask, Curves]], specimen_ids: Sequence[str]
) -> dict[str, npt.NDArray[Any]]:
    """Calibration arrays of a model's trust masks, for ``calibration.safetensors``.

    Parameters
    ----------
    images
        Of specimens that the networks were not trained on.
    specimen_ids
        Specimen of each image; images of one specimen are averaged and counted once.

    Raises
    ------
    ValueError
        If there is not one specimen name per image.
    """
    if len(images) != len(specimen_ids):
        raise ValueError(f"{len(images)} images for {len(specimen_ids)} specimen names")
    names = sorted(set(specimen_ids))
    arrays: dict[str, npt.NDArray[Any]] = {}
    for mask, prefix in PREFIX.items():
        lost = np.zeros((len(names), THRESHOLDS[mask].size))
        trusted = np.zeros_like(lost)
        for row, name in enumerate(names):
            own = [i[mask] for i, s in zip(images, specimen_ids, strict=True) if s == name]
            lost[row] = np.mean([i.lost for i in own], axis=0)
            trusted[row] = np.mean([i.trusted for i in own], axis=0)
        arrays |= {f"{prefix}_lost": lost, f"{prefix}_trusted": trusted}
    return arrays


@dataclass(frozen=True, eq=False)
class Trust:
    """What calibration specimens say about trusting.

    Parameters
    ----------
    lost, trusted
        ``(specimens, thresholds)``.
    thresholds
        Of the score.
    """

    lost: npt.NDArray[np.float64]
    trusted: npt.NDArray[np.float64]
    thresholds: Vector

    @classmethod
    def of(cls, calibration: Mapping[str, npt.NDArray[Any]], mask: Mask = "detail") -> "Trust":
        """Calibration kept in a model; of no specimens where there is none that can be used."""
        thresholds = THRESHOLDS[mask]
        lost, trusted = (calibration.get(f"{PREFIX[mask]}_{k}") for k in ("lost", "trusted"))
        nothing = cls(np.empty((0, thresholds.size)), np.empty((0, thresholds.size)), thresholds)
        if lost is None or trusted is None or lost.shape != trusted.shape:
            return nothing
        if lost.ndim != 2 or lost.shape[1] != thresholds.size:
            return nothing
        return cls(np.asarray(lost, np.float64), np.asarray(trusted, np.float64), thresholds)

    @property
    def n(self) -> int:
        """Number of calibration specimens."""
        return len(self.lost)

    def refusal(self, alpha: float = ALPHA) -> str | None:
        """Why there can be no mask; None if there can."""
        needed = math.ceil(1 / alpha - 1 - 1e-9)
        if self.n >= needed:
            return None
        more = needed - self.n
        return (
            f"the model has {self.n} calibration specimens and {needed} are needed to bound the mean loss by {alpha:g}: "
            f"{more} more would do"
        )

    def threshold(self, alpha: float = ALPHA) -> float | None:
        """Most permissive score that keeps the mean loss at or under ``alpha``; None if none does."""
        if self.refusal(alpha) is not None:
            return None
        bound = (self.lost.sum(axis=0) + 1) / (self.n + 1)
        allowed = np.flatnonzero(bound <= alpha + 1e-12)
        return float(self.thresholds[allowed[-1]]) if allowed.size else None

    def at(self, threshold: float) -> tuple[float, float]:
        """Mean share trusted on the calibration specimens, and share of wrong among the trusted (no guarantee)."""
        column = int(np.searchsorted(self.thresholds, threshold - 1e-9))
        trusted, lost = self.trusted[:, column].mean(), self.lost[:, column].mean()
        return float(trusted), float(lost / trusted) if trusted > 0 else 0.0
