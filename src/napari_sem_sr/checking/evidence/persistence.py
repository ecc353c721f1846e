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

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, SoFar, summed
from napari_sem_sr.metrics.robust import middle_and_scatter
from napari_sem_sr.stack import SemStack

if TYPE_CHECKING:
    from torch import Tensor

    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

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

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    """
    if sr.shape[0] < 2:
        return "there is a single slice"
    spacing, _, pixel = sr.voxel_nm
    if spacing is None or pixel is None:
        return "the voxel size is unknown"
    if 2 * spacing > factor * pixel:
        return f"slices are {spacing:g} nm apart, so detail under {factor * pixel:g} nm, which LR cannot show, need not be in the next"
    return None


@dataclass(frozen=True)
class UsualPersistence:
    """How much visible detail of a stack usually persists: Fisher's z (Fisher 1915) of it, and how far that scatters.

    Parameters
    ----------
    middle
        Median of Fisher's z.
    scatter
        Robust standard deviation of it.
    """

    middle: float
    scatter: float

    @classmethod
    def of(cls, slices: Sequence[tuple[Float, Float]], sigma: float) -> "UsualPersistence":
        """Measure it on some slices: persistence and detail energy of each, on the LR grid.

        Parameters
        ----------
        slices
            Persistence and detail energy, ``(y, x)`` of LR each.
        sigma
            Noise of LR in grey levels.
        """
        seen = [_fisher(found[energy > sigma]) for found, energy in slices]
        values = np.concatenate(seen) if seen else np.empty(0)
        return cls(*middle_and_scatter(values, SMALLEST_SCATTER))

    def z_scores(self, found: "Tensor", energy: "Tensor", sigma: float) -> "Tensor":
        """How many standard deviations less than usual persists at a place, (y, x).

        0 where detail does not stand out of LR's noise ``sigma``, or is not absent from both neighbours; NaN where masked.

        Parameters
        ----------
        found
            ``(y, x)``, persistence; NaN where masked.
        energy
            ``(y, x)``, local root mean square of SR's detail.
        """
        less = (self.middle - found.clamp(-PERFECT, PERFECT).atanh()) / self.scatter
        absent = (energy > sigma) & (found < ABSENT_BELOW)
        return less.masked_fill(~absent, 0.0).masked_fill_(~found.isfinite(), float("nan"))


def _fisher(correlation: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.arctanh(np.clip(correlation.astype(np.float64), -PERFECT, PERFECT))


@dataclass(frozen=True)
class PersistenceRecord:
    """Sums over one slice.

    Places, those whose detail stands out of LR's noise, their persistence, and how many of them are in no neighbour;
    squared change of detail to the next slice, and squared detail of both (0 where there is no next one).

    Parameters
    ----------
    n
        Places.
    visible
        Those whose detail stands out of LR's noise.
    sum
        Of the persistence of these.
    absent
        Those of them that are in no neighbour.
    change
        Squared change of detail to the next slice.
    detail
        Squared detail of both.
    """

    n: float
    visible: float
    sum: float
    absent: float
    change: float
    detail: float


@dataclass(frozen=True)
class PersistenceEvidence(Evidence[PersistenceRecord]):
    """Slice beside slice.

    Parameters
    ----------
    usual
        How much detail of this stack usually persists.
    """

    usual: UsualPersistence

    name = "persistence"
    section = "persistence"
    record = PersistenceRecord
    draws = (
        MapKind(
            "persistence",
            "local correlation of SR's detail with the slice before or after, −1 to 1",
        ),
    )
    cannot = "Detail that stays is not proven: the same LR makes the same fiction."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Slices that lie too far apart, or alone."""
        reason = unsuited(setup)
        if reason is None:
            return None
        return f"Persistence from slice to slice says nothing here: {reason}."

    @classmethod
    def instead(cls, setup: "Setup") -> dict[str, Any]:
        """Why it does not apply."""
        return {"applicable": False, "reason": unsuited(setup)}

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Measure what is usual on a few pieces."""
        from napari_sem_sr.checking.view.seen import glimpses

        pieces = [
            (seen.lasting.correlation.cpu().numpy(), _power(seen).cpu().numpy())
            for seen in glimpses(setup)
        ]
        return cls(UsualPersistence.of(pieces, setup.sigma))

    def look(self, seen: "Seen") -> Found[PersistenceRecord]:
        """Sums and map of one slice."""
        from napari_sem_sr.checking.view.filter_bank import total

        found, power, sigma = seen.lasting, _power(seen), seen.setup.sigma
        visible = power > sigma
        squared = seen.setup.unit**2
        record = PersistenceRecord(
            n=float(power.numel()),
            visible=float(visible.sum()),
            sum=total(found.correlation * visible),
            absent=float((visible & (found.correlation < ABSENT_BELOW)).sum()),
            change=found.change * squared,
            detail=found.detail * squared,
        )
        image = found.correlation.cpu().numpy()
        there = np.where(np.isfinite(seen.residual), image, np.float32(np.nan))
        return Found(record, {"persistence": there})

    def z_scores(self, seen: "Seen") -> "Tensor":
        """How far less than usual persists, by place.

        Parameters
        ----------
        seen
            The slice.
        """
        found = seen.lasting.correlation
        masked = ~seen.tensor(seen.residual).isfinite()
        return self.usual.z_scores(
            found.masked_fill(masked, float("nan")), _power(seen), seen.setup.sigma
        )

    def combine(
        self, records: Sequence[PersistenceRecord], setup: "Setup", so_far: SoFar
    ) -> dict[str, Any]:
        """How much of the visible detail is in a neighbouring slice too."""
        t = summed(records)
        return {
            "applicable": True,
            "mean": t["sum"] / t["visible"] if t["visible"] else None,
            "absent_fraction": t["absent"] / t["n"],
            "flicker": math.sqrt(t["change"] / t["detail"]) if t["detail"] else None,
        }


def unsuited(setup: "Setup") -> str | None:
    """Why persistence says nothing about a stack; None if it applies.

    Parameters
    ----------
    setup
        The stack.
    """
    field = setup.field
    reason = inapplicable(field.sr, field.factor)
    if reason is None and len(field.kept) < 2:
        return "all slices but one are left out or empty"
    return reason


def _power(seen: "Seen") -> "Tensor":
    """Root mean square of detail in grey levels."""
    return seen.lasting.power * seen.setup.unit
