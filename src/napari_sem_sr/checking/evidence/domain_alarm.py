"""Whether the stack lies within what the model was taught on: the domain of `domain`, asked of every slice.

The stack counts as a whole: its features are the medians over its slices, since neighbouring slices show the same
specimen. Beside the pixels stand the pixel sizes that files state.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from napari_sem_sr.checking.evidence.acquisition import circumstances
from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.protocol import Evidence, Found, SoFar
from napari_sem_sr.errors import InputError
from napari_sem_sr.model.card import Card

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

# LR pixels of another size than the model's teachers were degraded to.
PIXEL_MARGIN = 1.25


@dataclass(frozen=True)
class DomainRecord:
    """Features of one slice.

    Parameters
    ----------
    features
        As of `image_features`.
    """

    features: list[float]


@dataclass(frozen=True)
class DomainSection:
    """Distance of the stack from the model's teachers, and whether the alarm is raised.

    Parameters
    ----------
    distance
        1 is what a teacher specimen typically has from the others.
    threshold
        Distance from which the alarm is raised; None with too few specimens.
    p_value
        Conformal; None with too few specimens.
    alarm
        Whether the stack lies outside.
    reasons
        In words.
    n_specimens
        Of the teachers.
    pixel_ratio
        LR pixel of the stack over that of the teachers; None where either is unknown.
    compared
        What could be compared.
    """

    distance: float
    threshold: float | None
    p_value: float | None
    alarm: bool
    reasons: list[str]
    n_specimens: int
    pixel_ratio: float | None
    compared: list[str]


@dataclass(frozen=True, eq=False)
class DomainEvidence(Evidence[DomainRecord]):
    """The domain alarm.

    Parameters
    ----------
    domain
        What the model was taught on.
    """

    domain: Domain

    name = "domain"
    section = "domain"
    record = DomainRecord
    cannot = "With few teacher specimens there is no probability; another pixel size hardly changes the statistics."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """The model, or its statistics."""
        if setup.model is None:
            return ""
        if Domain.of(setup.model.calibration) is None:
            return f"Model '{setup.model.card.name}' carries no domain statistics, so its domain could not be judged; train it again."
        return None

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Take the statistics from the model."""
        assert setup.model is not None, "only with a model"
        domain = Domain.of(setup.model.calibration)
        assert domain is not None, "only where there is one"
        return cls(domain)

    def look(self, seen: "Seen") -> Found[DomainRecord]:
        """Features of one slice; a slice of hardly anything but a masked border has no say."""
        try:
            found = domain_features(seen.setup.intensity.normalise(seen.lr), seen.device)
        except InputError:
            return Found(None)
        return Found(DomainRecord([float(v) for v in found]))

    def combine(
        self, records: Sequence[DomainRecord], setup: "Setup", so_far: SoFar
    ) -> DomainSection | None:
        """The alarm for the stack as a whole."""
        assert setup.model is not None, "only with a model"
        card, limits = setup.model.card, so_far.limits
        if not records:
            limits.append("No slice has enough unmasked pixels to compare with the model's domain.")
            return None
        features = np.median([r.features for r in records], axis=0)
        distance = self.domain.distance(features)
        reasons = self.domain.unlike(features)
        ratio = _pixel_ratio(card, setup.field)
        if ratio is not None and not 1 / PIXEL_MARGIN <= ratio <= PIXEL_MARGIN:
            reasons.append(f"its LR pixels are {ratio:.2g} times the size of the teachers'")
        section = DomainSection(
            distance=distance,
            threshold=self.domain.threshold,
            p_value=self.domain.p_value(distance),
            alarm=bool(reasons),
            reasons=reasons,
            n_specimens=self.domain.n_specimens,
            pixel_ratio=ratio,
            compared=circumstances(setup.field.lr, card, self.domain, features),
        )
        limits += self._limits(section, card)
        return section

    def _limits(self, section: DomainSection, card: Card) -> list[str]:
        found = []
        if not self.domain.knows_patterns:
            found.append(
                f"Model '{card.name}' was calibrated by an earlier version, so its domain alarm is less sharp; train it again."
            )
        if section.p_value is None:
            found.append(
                f"With {section.n_specimens} teacher specimens there is no p-value for the domain (19 are needed); the alarm "
                "compares with the specimens left out one at a time."
            )
        if section.threshold is None:
            found.append(
                "The model has one teacher specimen, so how much specimens differ is unknown: only noise, blur and pixel size can raise the alarm."
            )
        if section.pixel_ratio is None:
            found.append(
                "The pixel size of LR or of the teachers is unknown, so they could not be compared."
            )
        return found


def _pixel_ratio(card: Card, field: Field) -> float | None:
    """LR pixel size over that of the degraded teachers nearest to it; None where either is unknown."""
    size = field.lr.voxel_nm[2]
    if size is None or not card.teachers.pixel_nm:
        return None
    ratios = [size / (pixel * card.factor) for pixel in card.teachers.pixel_nm]
    return min(ratios, key=lambda r: abs(math.log(r)))
