"""Noise of an LR image, one physical cause per step."""

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from napari_sem_sr.degradation.steps import Sampling, Step

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Dose(Step):
    """Counting statistics: ``electrons`` detected per LR pixel at white, none at black.

    Variance = grey / ``electrons``; what black itself emits belongs to `ReadNoise`.

    Parameters
    ----------
    electrons
        Detected per LR pixel at white.
    """

    kind: Literal["dose"] = "dose"
    electrons: float = Field(gt=0)

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Poisson noise; values below black are left as they are."""
        import torch

        expected = image.clamp_min(0) * self.electrons
        counted = torch.poisson(expected.cpu(), generator=generator).to(image.device)
        return image + (counted - expected) / self.electrons


class ReadNoise(Step):
    """Noise that is the same at every grey: detector, amplifier, electrons counted at black.

    ``sigma`` is a part of the span between black and white.

    Parameters
    ----------
    sigma
        Standard deviation, as a part of the span between black and white.
    """

    kind: Literal["read noise"] = "read noise"
    sigma: float = Field(ge=0)

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Gaussian noise."""
        import torch

        return image + self.sigma * torch.randn(image.shape, generator=generator).to(image.device)


class DetectorNoise(Step):
    """Counting and detector noise behind a detector that is slower than the pixel clock.

    Its variance goes linearly from that at black to that at white; neighbouring pixels of a scan line share part of it
    (``correlation``, lag 1), pixels of different lines nothing. Fast scans look like this: of tin on carbon, 0.46 at
    100 ns per pixel, nothing beyond the next pixel.

    ``black`` and ``white`` are standard deviations as parts of the span between black and white.

    Parameters
    ----------
    black
        Standard deviation at black, as a part of the span between black and white.
    white
        Standard deviation at white, as a part of that span.
    correlation
        Between neighbours of a scan line, 0 to 0.5.
    """

    kind: Literal["detector noise"] = "detector noise"
    black: float = Field(ge=0)
    white: float = Field(ge=0)
    correlation: float = Field(0.0, ge=0, le=0.5)

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Gaussian noise, a moving average of order one along x."""
        import torch

        *rest, width = image.shape
        drawn = torch.randn(*rest, width + 1, generator=generator).to(image.device)
        share = moving_average_share(self.correlation)
        noise = (drawn[..., 1:] + share * drawn[..., :-1]) / math.sqrt(1 + share**2)
        variance = self.black**2 + (self.white**2 - self.black**2) * image
        return image + variance.clamp_min(0).sqrt() * noise


def moving_average_share(correlation: float) -> float:
    """Share of the pixel before in a moving average of order one with this lag-1 correlation, 0 to 0.5.

    Parameters
    ----------
    correlation
        Between neighbours, 0 to 0.5.
    """
    if correlation == 0:
        return 0.0
    return (1 - math.sqrt(max(0.0, 1 - 4 * correlation**2))) / (2 * correlation)
