"""How far SR probably is from HR in each place, learned on teachers held out from training.

A linear model of the logarithm of the local error (root mean square of SR - HR in an LR pixel) on the logarithms of the
evidence that needs no HR: slope of SR, energy of its detail, amount of invention, and the agreement with the twin;
least squares with a ridge, one image per vote. Beside it stands the obvious baseline, the slope of SR alone: both get the
area under the ROC curve for the 5 % worst places of an image, specimens left out one at a time.

Source: our own comparison of single maps, their ranks and learned scores on held-out specimens, where only the learned score
beat the slope on every material (ridge regression: Hoerl and Kennard 1970).

What it can and cannot tell: where, and roughly how much, absolute error is to be expected on material like the teachers'.
Error is largest at edges, which everyone knows; it says little about wrong detail (see `invention`), nothing of other materials.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from napari_sem_sr.checking.evidence.stability import Squares, rms_of
from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, SoFar
from napari_sem_sr.metrics.resample import area_average

if TYPE_CHECKING:
    from torch import Tensor

    from napari_sem_sr.checking.view.invention_maps import Invention
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Float = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]

KEYS = ("error.weights", "error.auroc")
RIDGE = 1e-2
# Shares of the intensity range under which logarithms are cut off.
TINY = 1e-3
# The worst places of an image.
WORST = 0.05


@dataclass(frozen=True, eq=False)
class ErrorSample:
    """One image: evidence ``(places, kinds)`` and the logarithm of its error ``(places,)``.

    Parameters
    ----------
    evidence
        As of `evidence_of`.
    log_error
        Natural logarithm, of grey levels.
    """

    evidence: Matrix
    log_error: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExpectedError:
    """The learned score.

    Parameters
    ----------
    weights
        ``(n,)``, one for each of the columns of `evidence_of`.
    auroc, auroc_slope
        Of the score and of the slope alone on specimens left out; None with a single specimen.
    """

    weights: npt.NDArray[np.float64]
    auroc: float | None
    auroc_slope: float | None

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "ExpectedError | None":
        """Take it from a model's calibration; None where the model has none.

        Parameters
        ----------
        arrays
            By name, any shape.
        """
        if KEYS[0] not in arrays:
            return None
        learned, slope = (None if np.isnan(v) else float(v) for v in arrays[KEYS[1]])
        return cls(arrays[KEYS[0]].astype(np.float64), learned, slope)

    def map(self, evidence: Matrix, shape: tuple[int, int], width: float) -> Float:
        """Expected error in grey levels on the LR grid, ``shape`` (y, x); NaN where the evidence is.

        Parameters
        ----------
        evidence
            ``(places, kinds)``, as of `evidence_of`.
        width
            Of the intensity range, in grey levels.
        """
        score = np.exp(evidence @ self.weights) * width
        return score.reshape(shape).astype(np.float32)


def evidence_of(found: "Invention", width: float) -> Matrix:
    """Evidence of every LR pixel, ``(places, kinds)``, the slope first and a constant last.

    Parameters
    ----------
    found
        Slope of SR, and what was invented in it.
    width
        Of the intensity range, in grey levels.
    """
    return np.asarray(_columns(found, width).cpu().numpy().T, np.float64)


def _columns(found: "Invention", width: float) -> "Tensor":
    """``(kinds, places)``."""
    import torch

    logs = [(i / width + TINY).log() for i in (found.slope, found.energy, found.amount)]
    agreement = found.agreement
    columns = [*logs, agreement, agreement * logs[1], torch.ones_like(agreement)]
    return torch.stack([c.flatten() for c in columns])


def example_of(
    sr: npt.NDArray[Any], hr: npt.NDArray[Any], found: "Invention", factor: int, width: float
) -> ErrorSample:
    """Evidence and error of one image with known truth, all (y, x).

    Parameters
    ----------
    sr
        SR, ``(f y, f x)``.
    hr
        Of the same shape.
    found
        Where SR differs from the twin.
    factor
        SR pixels per LR pixel.
    width
        Of the intensity range, in grey levels.
    """
    error = np.sqrt(area_average((sr.astype(np.float64) - hr) ** 2, factor)) / width
    return ErrorSample(evidence_of(found, width), np.log(error + TINY).ravel())


def fit_error(images: Sequence[ErrorSample], specimens: Sequence[str]) -> Arrays:
    """Arrays for ``calibration.safetensors``; ``specimens`` names what each image shows.

    Parameters
    ----------
    images
        Of held-out teachers.
    """
    found = []
    for left_out in sorted(set(specimens)):
        rest = [i for i, s in zip(images, specimens, strict=True) if s != left_out]
        if not rest:
            continue
        weights = _ridge(rest)
        for image, specimen in zip(images, specimens, strict=True):
            if specimen == left_out:
                wrong = image.log_error > np.quantile(image.log_error, 1 - WORST)
                if wrong.any():
                    scores = (image.evidence @ weights, image.evidence[:, 0])
                    found.append([auroc(score, wrong) for score in scores])
    mean = np.mean(found, axis=0) if found else np.full(2, np.nan)
    return {KEYS[0]: _ridge(images), KEYS[1]: np.asarray(mean, np.float64)}


def auroc(score: npt.NDArray[Any], wrong: npt.NDArray[np.bool_]) -> float:
    """Chance that a ``wrong`` place has a higher score than one that is not; ties count half.

    Parameters
    ----------
    score
        ``(n,)`` or any shape.
    """
    ranks = rankdata(score)
    n, m = int(wrong.sum()), int((~wrong).sum())
    return float((ranks[wrong].sum() - n * (n + 1) / 2) / (n * m))


def _ridge(images: Sequence[ErrorSample]) -> npt.NDArray[np.float64]:
    """Weights of the linear model; every image counts as much as any other."""
    kinds = images[0].evidence.shape[1]
    normal, target = RIDGE * np.eye(kinds), np.zeros(kinds)
    # the constant is free
    normal[-1, -1] = 0
    for image in images:
        n = len(image.log_error)
        normal += image.evidence.T @ image.evidence / n
        target += image.evidence.T @ image.log_error / n
    return np.asarray(np.linalg.solve(normal, target), np.float64)


@dataclass(frozen=True)
class ExpectedErrorSection:
    """Expected error in grey levels, beside how well it, and the slope of SR alone, told errors on held-out teachers.

    Parameters
    ----------
    expected_error_rms
        Root mean square over the field; None where nothing can be said.
    expected_error_auroc
        Of the score, on specimens left out.
    slope_auroc
        Of the slope of SR alone.
    """

    expected_error_rms: float | None
    expected_error_auroc: float | None
    slope_auroc: float | None


@dataclass(frozen=True, eq=False)
class ExpectedErrorEvidence(Evidence[Squares]):
    """How far SR probably is from HR.

    Parameters
    ----------
    known
        The model's learned score; None where it carries none, which is said.
    """

    known: ExpectedError | None

    name = "expected_error"
    section = "invention"
    record = Squares
    draws = (
        MapKind(
            "expected_error",
            "how far SR is probably from HR, as learned on held-out teachers, grey levels",
        ),
    )
    cannot = "Wrong detail, which hardly moves the error; and other materials than the teachers'."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Without the model nothing was learned; invention says so."""
        return None if setup.model is not None else ""

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Take the score from the model."""
        assert setup.model is not None, "only with a model"
        return cls(ExpectedError.of(setup.model.calibration))

    @property
    def maps(self) -> tuple[str, ...]:
        """One map, if the model has a score."""
        return ("expected_error",) if self.known is not None else ()

    def look(self, seen: "Seen") -> Found[Squares]:
        """Expected error by place."""
        import torch

        found = seen.invention
        if self.known is None or found is None:
            return Found(None)
        width = seen.setup.intensity.high - seen.setup.intensity.low
        weights = torch.from_numpy(self.known.weights.astype(np.float32)).to(seen.device)
        score = (weights @ _columns(found, width)).exp_().mul_(width)
        image = score.view(found.energy.shape).cpu().numpy()
        return Found(Squares.of(image), {"expected_error": image})

    def combine(
        self, records: Sequence[Squares], setup: "Setup", so_far: SoFar
    ) -> ExpectedErrorSection:
        """Root mean square over the field."""
        if self.known is None:
            so_far.limits.append(
                "The model carries no learned error score, so the size of errors was not foreseen; train it again with more than one specimen."
            )
            return ExpectedErrorSection(None, None, None)
        return ExpectedErrorSection(rms_of(records), self.known.auroc, self.known.auroc_slope)
