"""Suspect places as a kind of evidence: all maps that tell of single places, brought to one scale.

Every place gets the scores of its reasons (see `extreme_values`); `regions` makes boxes of them. The section is the list of
the worst, with whole slices before them where the domain alarm is raised.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_sem_sr.checking.evidence.consistency import ROUNDING
from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.invention import added
from napari_sem_sr.checking.evidence.persistence import ABSENT, PersistenceEvidence
from napari_sem_sr.checking.protocol import Evidence, Found, SoFar
from napari_sem_sr.checking.suspects.extreme_values import Tail, tails_of
from napari_sem_sr.checking.suspects.missing import empty_regions, hole_regions, holes
from napari_sem_sr.checking.suspects.reasons import KIND_OF
from napari_sem_sr.checking.suspects.regions import (
    IN_REPORT,
    WHOLE_FIELD,
    Region,
    suspect_regions,
    worst,
)

if TYPE_CHECKING:
    from napari_sem_sr.checking.suspects.background_model import BackgroundModel, Slice
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

# Whole slices on the list of suspect regions: half of it is left to places.
FIELDS = IN_REPORT // 2


@dataclass(frozen=True)
class SuspectsRecord:
    """Suspect regions of one slice, worst first, as in ``report.json``.

    Parameters
    ----------
    regions
        Of one slice.
    """

    regions: list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class SuspectsEvidence(Evidence[SuspectsRecord]):
    """Where to look first.

    Parameters
    ----------
    background
        What is usual in this stack.
    tails
        By kind of evidence how rare a height is.
    persistence
        Tells what is usual from slice to slice; None where that does not apply.
    """

    background: "BackgroundModel"
    tails: Mapping[str, Tail]
    persistence: PersistenceEvidence | None

    name = "suspects"
    section = "regions"
    record = SuspectsRecord
    cannot = "A place that is not on the list is not proven true; a fault that is everywhere raises no place above the rest."

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Measure what is usual on a few pieces."""
        from napari_sem_sr.checking.suspects.background_model import measure
        from napari_sem_sr.checking.view.seen import glimpses

        # SR's rounding, averaged; LR's own a generator follows
        rounding = ROUNDING**0.5 / setup.field.factor
        least = rounding / setup.unit if setup.field.sr.dtype.kind in "ui" else 0.0
        background = measure([slice_of(seen) for seen in glimpses(setup)], least)
        lasts = PersistenceEvidence.missing(setup) is None
        return cls(
            background,
            tails_of({} if setup.model is None else setup.model.calibration),
            PersistenceEvidence.prepare(setup) if lasts else None,
        )

    def look(self, seen: "Seen") -> Found[SuspectsRecord]:
        """Places of one slice."""
        z_scores = self.background.z_scores(slice_of(seen))
        if self.persistence is not None:
            z_scores[ABSENT] = self.persistence.z_scores(seen)
        field = seen.setup.field
        pixels = field.sr.shape[0] * seen.lr.size
        scores = {
            reason: self.tails[KIND_OF[reason]].score(image, pixels).cpu().numpy()
            for reason, image in z_scores.items()
        }
        z, y, x = field.sr_start
        start = (z + seen.index, y, x)
        regions = [
            *hole_regions(holes(seen.lr, seen.residual), field.factor, start),
            *suspect_regions(scores, field.factor, start),
        ]
        return Found(SuspectsRecord([r.describe() for r in regions]))

    def combine(
        self, records: Sequence[SuspectsRecord], setup: "Setup", so_far: SoFar
    ) -> list[dict[str, Any]]:
        """The worst of all slices."""
        regions = [
            Region(**{**r, "reasons": tuple(r["reasons"])}) for s in records for r in s.regions
        ]
        regions += empty_regions(setup.field)
        fields: list[Region] = []
        if so_far.sections.get("domain") is not None and setup.model is not None:
            domain = Domain.of(setup.model.calibration)
            assert domain is not None, "there is a section on it"
            fields = _fields_outside(domain, setup, so_far)
        # a field that is outside is listed however many places are worse
        listed = worst([*fields, *worst(regions)[: IN_REPORT - len(fields)]])
        return [r.describe() for r in listed]


def slice_of(seen: "Seen") -> "Slice":
    """A slice as the background model sees it.

    Parameters
    ----------
    seen
        The slice.
    """
    from napari_sem_sr.checking.suspects.background_model import Slice

    setup = seen.setup
    found = None if setup.sr_is_twin else seen.invention
    black, unit = np.float32(setup.intensity.low), np.float32(setup.unit)
    return Slice.of(
        (seen.lr.astype(np.float32) - black) / unit,
        seen.residual / unit,
        () if found is None else [a / setup.unit for a in added(found)],
        seen.device,
    )


def _fields_outside(domain: Domain, setup: "Setup", so_far: SoFar) -> list[Region]:
    """Every slice as a suspect region where the alarm is raised; of many the farthest from the teachers, ``FIELDS`` at most.

    They lie over the places of their slices, which are listed as well: those are where to look first in a field of
    which nothing may be relied on.

    Nothing local can show what a model invents everywhere. The score grows by 1 for every doubling of the distance.
    """
    about = so_far.sections["domain"]
    if not about["alarm"]:
        return []
    z, y, x = setup.field.sr_start
    _, height, width = setup.field.sr.shape
    limit = about["threshold"] or about["distance"]
    regions = []
    for index, record in zip(so_far.slices, so_far.records["domain"], strict=True):
        if record is None:
            continue
        features = np.array(record.features)
        far = math.log2(max(domain.distance(features), 1e-9) / max(limit, 1e-9))
        score = round(1 + max(0.0, far), 4)
        reasons = (WHOLE_FIELD, *(domain.unlike(features) or about["reasons"]))
        regions.append(Region(z + index, y, x, height, width, score, reasons))
    return worst(regions)[:FIELDS]
