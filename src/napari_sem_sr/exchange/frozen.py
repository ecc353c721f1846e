"""One picture-making function out of a model: its networks blended, its conditions folded in, its greys settled."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.generator import Generator


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """What of a model leaves the house: other programs know no twin, no conditions and no sharpness.

    Parameters
    ----------
    model
        The model as loaded.
    sharpness
        0 (twin) to 1 (SRGAN).
    conditions
        Noise and blur that are folded into the weights.
    intensity
        Grey values that the network sees as 0 and 1; None where nobody has settled them.
    """

    model: Model
    sharpness: float
    conditions: Conditions
    intensity: IntensityRange | None = None

    @property
    def factor(self) -> int:
        """Upscale factor."""
        return self.model.card.factor

    @cached_property
    def network(self) -> Generator:
        """The plain fp32 generator, (N, 1, H, W) in [0, 1] -> (N, 1, fH, fW)."""
        return self.model.blended(self.sharpness, self.conditions)

    def describe(self) -> dict[str, Any]:
        """What a reader of the exported file has to know, as JSON."""
        scale = self.intensity
        return {
            "model": self.model.card.name,
            "model_hash": self.model.content_hash,
            "factor": self.factor,
            "sharpness": self.sharpness,
            "conditions": self.conditions.to_json(),
            "intensity_range": None if scale is None else [scale.low, scale.high],
            "synthetic": True,
            "licence": self.model.card.licence,
            "credits": list(self.model.card.credits),
        }
