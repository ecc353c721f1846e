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
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.evidence.invention import doubt
from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, Shown, SoFar
from napari_sem_sr.metrics.resample import area_average

if TYPE_CHECKING:
    from torch import Tensor

    from napari_sem_sr.checking.view.invention_maps import Invention
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

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
# The map of each mask.
MASKS: Mapping[Mask, str] = {"detail": "trust", "error": "trust_error"}
NOT_INDEPENDENT = "images of one specimen, not independent"
# What a model's calibration arrays are called.
PREFIX: Mapping[Mask, str] = {"detail": "trust", "error": "trust_error"}


@dataclass(frozen=True, eq=False)
class Curves:
    """Of one image, at every threshold of a mask: share ``trusted`` of its places, and ``lost``: trusted and wrong."""

    trusted: Vector
    lost: Vector


def error_score(found: "Invention", width: float) -> "Tensor":
    """Score of absolute error on the LR grid: log of slope of SR and amount of invention, geometric mean.

    Parameters
    ----------
    found
        Slope of SR, and what was invented in it.
    width
        Of the intensity range, in grey levels.
    """
    return (
        (found.slope / width + LEAST_SLOPE).log() + (found.amount / width + LEAST_AMOUNT).log()
    ) / 2


def image_curves(
    gan: npt.NDArray[Any],
    hr: npt.NDArray[Any],
    factor: int,
    sigma: float,
    width: float,
    found: "Invention",
) -> dict[Mask, Curves]:
    """Curves of both masks for one image with known truth; a place is an LR pixel.

    Parameters
    ----------
    gan, hr
        ``(y, x)`` in grey levels, without NaN; y and x multiples of ``factor``.
    factor
        Upscale factor.
    sigma
        Noise of LR in grey levels, as :func:`~napari_sem_sr.checking.evidence.consistency.lr_sigma` gives it.
    width
        Of the intensity range, in grey levels.
    found
        `invention` of GAN and twin.
    """
    score = doubt(found.agreement, found.energy, sigma).cpu().numpy()
    off = np.abs(gan.astype(np.float64) - hr) > TOLERANCE * width
    error = error_score(found, width).cpu().numpy()
    return {
        "detail": curves(score, wrong_detail_of(gan, hr, factor), "detail"),
        "error": curves(error, area_average(off, factor), "error"),
    }


def wrong_detail_of(
    sr: npt.NDArray[Any], hr: npt.NDArray[Any], factor: int
) -> npt.NDArray[np.bool_]:
    """Where ``sr``'s detail is wrong by ``hr``, both (f y, f x), on the LR grid (f is ``factor``)."""
    from napari_sem_sr.checking.view.invention_maps import invention

    return np.asarray(invention(sr, hr, factor).agreement.cpu().numpy() < WRONG_BELOW)


def curves(score: npt.NDArray[Any], wrong: npt.NDArray[Any], mask: Mask = "detail") -> Curves:
    """Curves of a ``mask`` over places with a ``score`` (larger is more doubtful), ``wrong`` by 0 to 1; both (y, x)."""
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
        """``calibration`` of a ``mask``, (specimens, thresholds); of no specimens where there is none that can be used."""
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
        """Why there can be no mask with a mean loss of at most ``alpha``; None if there can."""
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
        """Mean share trusted at ``threshold`` on the calibration specimens, share of wrong among it (no guarantee)."""
        column = int(np.searchsorted(self.thresholds, threshold - 1e-9))
        trusted, lost = self.trusted[:, column].mean(), self.lost[:, column].mean()
        return float(trusted), float(lost / trusted) if trusted > 0 else 0.0


@dataclass(frozen=True)
class TrustRecord:
    """``places`` of one slice that masks of ``detail`` and ``error`` trust; None for a mask without threshold."""

    places: int
    detail: int | None
    error: int | None


@dataclass(frozen=True)
class TrustEvidence(Evidence[TrustRecord]):
    """Masks of places that may be trusted.

    Parameters
    ----------
    detail, error
        Thresholds of the two masks; None where the model's calibration allows none.
    """

    detail: float | None
    error: float | None

    name = "trust"
    section = "trust"
    record = TrustRecord
    draws = (
        MapKind(
            "trust",
            "1 where the detail may be trusted, 0 where not",
            shown=Shown("Trust mask", 0, 1, "", "light: detail may be trusted"),
        ),
        MapKind(
            "trust_error",
            f"1 where SR may be trusted to be within {TOLERANCE:.0%} of the intensity range, 0 where not",
        ),
    )
    cannot = "The trust mask bounds the mean loss over specimens like those of the calibration, not the loss on this one."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Without the model there is no calibration; invention says so."""
        return None if setup.model is not None else ""

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Take the thresholds from the model's calibration."""
        assert setup.model is not None, "only with a model"
        calibration = setup.model.calibration
        return cls(*(Trust.of(calibration, mask).threshold() for mask in MASKS))

    @property
    def maps(self) -> tuple[str, ...]:
        """A map for every mask that has a threshold."""
        return tuple(MASKS[m] for m in MASKS if getattr(self, m) is not None)

    def look(self, seen: "Seen") -> Found[TrustRecord]:
        """Both masks of one slice."""
        found, setup = seen.invention, seen.setup
        assert found is not None, "only with a model"
        width = setup.intensity.high - setup.intensity.low
        valid = found.agreement.isfinite()
        counts: dict[str, int | None] = {}
        maps = {}
        for mask, name in MASKS.items():
            threshold = getattr(self, mask)
            counts[mask] = None
            if threshold is None:
                continue
            score = (
                doubt(found.agreement, found.energy, setup.sigma)
                if mask == "detail"
                else error_score(found, width)
            )
            trusted = score <= threshold
            counts[mask] = int(trusted.sum())
            image = trusted.float().masked_fill_(~score.isfinite(), float("nan"))
            maps[name] = image.cpu().numpy()
        return Found(TrustRecord(int(valid.sum()), counts["detail"], counts["error"]), maps)

    def combine(
        self, records: Sequence[TrustRecord], setup: "Setup", so_far: SoFar
    ) -> dict[str, Any]:
        """How much of the field may be trusted, or why nobody can say.

        At the top the mask of detail, under ``error`` that of absolute error. ``error_among_trusted`` and
        ``trusted_in_calibration`` are as measured on the calibration specimens, without guarantee.
        """
        domain = so_far.sections.get("domain")
        result = self._mask("detail", records, setup, domain)
        result["wrong"] = f"local correlation with HR under {WRONG_BELOW:g}"
        result["error"] = self._mask("error", records, setup, domain)
        result["error"]["tolerance"] = TOLERANCE
        result["error"]["wrong"] = f"farther from HR than {TOLERANCE:.0%} of the intensity range"
        if result["refused"]:
            so_far.limits.append(f"There is no trust mask: {result['refused']}.")
        else:
            so_far.limits.append(self.cannot)
        return result

    def _mask(
        self, mask: Mask, records: Sequence[TrustRecord], setup: "Setup", domain: Any
    ) -> dict[str, Any]:
        assert setup.model is not None, "only with a model"
        trust = Trust.of(setup.model.calibration, mask)
        threshold = getattr(self, mask)
        refused = trust.refusal(ALPHA)
        if refused is None and threshold is None:
            refused = "no threshold keeps the mean loss on the calibration specimens low enough"
        if refused is None and (domain is None or domain["alarm"]):
            refused = "the stack is not known to lie within the model's domain, so the calibration does not apply"
        independent = setup.model.card.teachers.unit == "specimen"
        result: dict[str, Any] = {
            "alpha": ALPHA,
            "n_calibration": trust.n,
            "trusted_fraction": None,
            "refused": refused,
            "unit": "specimens" if independent else NOT_INDEPENDENT,
        }
        if refused is None and threshold is not None:
            places = max(1, sum(r.places for r in records))
            result["trusted_fraction"] = sum(getattr(r, mask) for r in records) / places
            result["trusted_in_calibration"], result["error_among_trusted"] = trust.at(threshold)
        return result
