"""What a person may choose about a training, with values that work."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.model.card_parts import Architecture


class LossWeights(BaseModel):
    """Weights of the generator's losses in the adversarial stage; the pixel loss weighs 1.

    Parameters
    ----------
    adversarial
        Of the adversarial loss.
    feature
        Of the feature loss.
    spectrum
        Of the loss over radial power.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    adversarial: float = Field(1e-2, ge=0)
    feature: float = Field(3e-2, ge=0)
    spectrum: float = Field(5e-3, ge=0)
    vgg: float = Field(6e-3, ge=0)
    """Only where weights of VGG19 are given; as in Ledig et al. 2017."""


class TrainSettings(BaseModel):
    """Budget, architecture and recipe of a training.

    The budget is ``epochs`` or ``minutes``. An epoch shows each teacher's share of patches once: as
    many patches as fill its area with content.

    Parameters
    ----------
    factor
        HR pixels per LR pixel.
    gan_share
        Part of the minutes for the SRGAN.
    architecture
        Of both networks.
    degradation
        How LR is made of teachers.
    batch
        Patches per step of the twin.
    gan_batch
        Patches per step of the SRGAN.
    patch_lr_px
        Side of a patch in LR pixels.
    learning_rate
        Highest rate of the twin.
    gan_learning_rate
        Highest rate of the SRGAN.
    discriminator_learning_rate
        Highest rate of the discriminator.
    weights
        Of the losses.
    seed
        Of all that is random.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        Of the networks' arithmetic.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    factor: Literal[2, 3, 4, 8] = 4
    epochs: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0)
    gan_share: float = Field(0.35, ge=0, lt=1)
    architecture: Architecture = Architecture(channels=48, blocks=8, tail_channels=24)
    degradation: Degradation = Degradation()
    batch: int = Field(16, ge=1)
    gan_batch: int = Field(8, ge=1)
    patch_lr_px: int = Field(24, ge=8)
    learning_rate: float = Field(8e-4, gt=0)
    gan_learning_rate: float = Field(2e-4, gt=0)
    discriminator_learning_rate: float = Field(4e-4, gt=0)
    weights: LossWeights = LossWeights()
    seed: int = 0
    vgg: Path | None = None
    """File with the weights of VGG19, for the perceptual loss of SRGAN beside the others."""
    device: str = "auto"
    devices: int = Field(1, ge=1)
    """GPUs that share every batch; one process."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.epochs is None) == (self.minutes is None):
            raise ValueError("give the budget either as epochs or as minutes")
        return self
