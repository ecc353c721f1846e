"""Whether detail is there again in the next slice, as FIB-SEM would image it again.

Detail is the band-pass H of `invention`; a place's persistence is the larger of its local correlations with the
slice before and the slice after. Flicker is the root mean square of the change of detail from slice to slice,
over that of the detail itself: 0 for a stack that does not change, about 1.4 for independent slices.

Source: our own comparison on an isotropic FIB-SEM stack, subsampled and super-resolved slice by slice: noise that a
generator turned into detail was found with certainty at a spacing of one or two slices of 10 nm.

What it can and cannot tell: it is one-sided. Detail that is absent from both neighbours is suspect if the
structure is at least two slice spacings thick. Detail that persists is *not* proven: LR that changes slowly
makes a generator invent the same fiction again, and invention persisted more than real detail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.evidence.invention import MEASURED_AT, WINDOW, local_correlation
from napari_sem_sr.metrics.robust import middle_and_scatter
from napari_sem_sr.stack import SemStack

Detail = npt.NDArray[np.float64]
Float = npt.NDArray[np.float32]

ABSENT = "detail that neither neighbouring slice shows"

# Detail with less correlation to both neighbours is absent from them. On isotropic FIB-SEM of 10 nm (benchmarks/checking/
# persistence.py) 3 % of the true visible detail lies below it at 20 nm, and 91 % of what a generator makes of noise.
ABSENT_BELOW = 0.35
# Keeps the Fisher transform of a perfect correlation finite.
PERFECT = 0.999
SMALLEST_SCATTER = 0.1


def inapplicable(sr: SemStack, factor: int) -> str | None:
    """Why persistence says nothing about ``sr``; None if it applies.

    Detail that LR cannot show is finer than an LR pixel; it has to be at least two slice spacings thick.
    """
    if sr.shape[0] < 2:
        return "there is a single slice"
    spacing, _, pixel = sr.voxel_nm
    if spacing is None or pixel is None:
        return "the voxel size is unknown"
    if 2 * spacing > factor * pixel:
        return f"slices are {spacing:g} nm apart, so detail under {factor * pixel:g} nm, which LR cannot show, need not be in the next"
    return None


def persistence(here: Detail, neighbours: list[Detail], factor: int) -> npt.NDArray[np.float32]:
    """Persistence of detail ``here`` (y, x) of SR, -1 to 1; ``neighbours``: detail of one or two slices."""
    window = WINDOW * factor / MEASURED_AT
    return np.asarray(
        np.max([local_correlation(here, other, window) for other in neighbours], axis=0), np.float32
    )


@dataclass(frozen=True)
class UsualPersistence:
    """How much visible detail of a stack usually persists: Fisher's z (Fisher 1915) of it, and how far that scatters."""

    middle: float
    scatter: float

    @classmethod
    def of(cls, slices: Sequence[tuple[Float, Float]], sigma: float) -> "UsualPersistence":
        """Measure it on some slices: persistence and detail energy of each, on the LR grid."""
        seen = [_fisher(found[energy > sigma]) for found, energy in slices]
        values = np.concatenate(seen) if seen else np.empty(0)
        return cls(*middle_and_scatter(values, SMALLEST_SCATTER))

    def heights(self, found: Float, energy: Float, sigma: float) -> Float:
        """How many standard deviations less than usual persists at a place, (y, x).

        0 where detail does not stand out of LR's noise ``sigma``, or is not absent from both neighbours; NaN where masked.
        """
        less = (self.middle - _fisher(found)) / self.scatter
        absent = (energy > sigma) & (found < ABSENT_BELOW)
        return np.where(np.isfinite(found), np.where(absent, less, 0), np.nan).astype(np.float32)


def _fisher(correlation: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.arctanh(np.clip(correlation.astype(np.float64), -PERFECT, PERFECT))


def persistence_numbers(
    persistent: npt.NDArray[Any], energy: npt.NDArray[Any], sigma: float
) -> dict[str, float]:
    """Sums over one slice; only detail that stands out of LR's noise ``sigma`` counts."""
    visible = energy > sigma
    return {
        "n": float(persistent.size),
        "visible": float(np.count_nonzero(visible)),
        "sum": float(persistent[visible].sum(dtype=np.float64)),
        "absent": float(np.count_nonzero(visible & (persistent < ABSENT_BELOW))),
    }


def flicker_sums(here: Detail, after: Detail) -> dict[str, float]:
    """Squared change of detail from one slice to the next, and squared detail."""
    return {
        "change": float(((here - after) ** 2).sum()),
        "detail": float((here**2 + after**2).sum() / 2),
    }
