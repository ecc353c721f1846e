"""A mask of places whose detail may be trusted, with a bound on how often that is wrong.

Source: conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814), for masks as in Adame et al. 2025.
The loss of one specimen at a threshold is the share of all its places that are trusted and wrong. It lies in
[0, 1] and grows with the threshold, so the most permissive threshold t with (n R(t) + 1) / (n + 1) <= alpha, R
being the mean loss of n calibration specimens, keeps the *mean* loss on further specimens of the same kind at or
under alpha. Wrong means that SR's detail correlates less than 0.5 with HR's in a window of 5 SR pixels (at x4).

What it can and cannot tell: the bound holds on average over specimens that are exchangeable with those of the
calibration, not for each one, and not for another material: the domain alarm has to be off. The unit is the
specimen; images of one specimen, crops and neighbouring slices are not independent and are counted once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.invention import (
    MEASURED_AT,
    WINDOW,
    detail,
    doubt,
    invention,
    local_correlation,
)
from napari_sem_sr.pairing.degradation import area_average

Vector = npt.NDArray[np.float64]

ALPHA = 0.1
# Detail that correlates less than this with HR's is wrong.
WRONG_BELOW = 0.5
# Doubt at which places may be trusted: from -2, almost never, to 3, always.
THRESHOLDS = np.linspace(-2.0, 3.0, 251)


@dataclass(frozen=True, eq=False)
class Curves:
    """Of one image, at every one of ``THRESHOLDS``: share of places trusted, and trusted and wrong."""

    trusted: Vector
    lost: Vector


def detail_curves(
    gan: npt.NDArray[Any],
    twin: npt.NDArray[Any],
    hr: npt.NDArray[Any],
    factor: int,
    sigma: float,
) -> Curves:
    """Curves of one image with known truth; a place is an LR pixel.

    Parameters
    ----------
    gan, twin, hr
        ``(y, x)`` in grey levels, without NaN; y and x multiples of ``factor``.
    factor
        Upscale factor.
    sigma
        Noise of LR in grey levels, as :func:`~napari_sem_sr.checking.consistency.lr_sigma` gives it.
    """
    found = invention(gan, twin, factor)
    energy = np.sqrt(area_average(found.energy**2, factor))
    score = doubt(area_average(found.agreement, factor), energy, sigma)
    window = WINDOW * factor / MEASURED_AT
    true = local_correlation(detail(gan, factor), detail(hr, factor), window)
    return curves(score, area_average(true, factor) < WRONG_BELOW)


def curves(score: npt.NDArray[Any], wrong: npt.NDArray[np.bool_]) -> Curves:
    """Curves of places with a ``score`` (larger is more doubtful) that are ``wrong`` or not."""
    order = np.argsort(score, axis=None)
    sorted_score, sorted_wrong = score.ravel()[order], wrong.ravel()[order]
    count = np.searchsorted(sorted_score, THRESHOLDS, side="right")
    lost = np.concatenate([[0], np.cumsum(sorted_wrong)])[count]
    return Curves(count / score.size, lost / score.size)


def fit_trust(images: Sequence[Curves], specimen_ids: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Calibration arrays of a model's trust mask, for ``calibration.safetensors``.

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
    arrays = {"trust_lost": np.zeros((len(names), THRESHOLDS.size))}
    arrays["trust_trusted"] = np.zeros_like(arrays["trust_lost"])
    for row, name in enumerate(names):
        own = [i for i, s in zip(images, specimen_ids, strict=True) if s == name]
        arrays["trust_lost"][row] = np.mean([i.lost for i in own], axis=0)
        arrays["trust_trusted"][row] = np.mean([i.trusted for i in own], axis=0)
    return arrays


@dataclass(frozen=True, eq=False)
class Trust:
    """What calibration specimens say about trusting detail.

    Parameters
    ----------
    lost, trusted
        ``(specimens, thresholds)``.
    """

    lost: npt.NDArray[np.float64]
    trusted: npt.NDArray[np.float64]

    @classmethod
    def of(cls, calibration: Mapping[str, npt.NDArray[Any]]) -> "Trust":
        """Calibration kept in a model; of no specimens where there is none that can be used."""
        lost, trusted = calibration.get("trust_lost"), calibration.get("trust_trusted")
        shape = (0, THRESHOLDS.size)
        if lost is None or trusted is None or lost.shape != trusted.shape:
            return cls(np.empty(shape), np.empty(shape))
        if lost.ndim != 2 or lost.shape[1] != THRESHOLDS.size:
            return cls(np.empty(shape), np.empty(shape))
        return cls(np.asarray(lost, np.float64), np.asarray(trusted, np.float64))

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
        """Most permissive doubt that keeps the mean loss at or under ``alpha``; None if none does."""
        if self.refusal(alpha) is not None:
            return None
        bound = (self.lost.sum(axis=0) + 1) / (self.n + 1)
        allowed = np.flatnonzero(bound <= alpha + 1e-12)
        return float(THRESHOLDS[allowed[-1]]) if allowed.size else None

    def at(self, threshold: float) -> tuple[float, float]:
        """Mean share trusted on the calibration specimens, and share of wrong among the trusted (no guarantee)."""
        column = int(np.searchsorted(THRESHOLDS, threshold - 1e-9))
        trusted, lost = self.trusted[:, column].mean(), self.lost[:, column].mean()
        return float(trusted), float(lost / trusted) if trusted > 0 else 0.0
