"""Parts of a model card, each validated as it is read."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_sem_sr.degradation.conditions import Conditions

# Far beyond what any training gives: a card with more is damaged or made up.
Count = Annotated[int, Field(ge=0, le=10**12)]


Seconds = Annotated[float, Field(ge=0, le=1e9)]


Nanometre = Annotated[float, Field(gt=0, le=1e6)]


Decibel = Annotated[float, Field(ge=-200, le=200)]


Similarity = Annotated[float, Field(ge=-1, le=1)]


class CardPart(BaseModel):
    """A part of a card: it cannot be changed, and holds nothing that this version does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Architecture(CardPart):
    """Parameters from which the generator is built again.

    Parameters
    ----------
    name
        Of the kind of generator.
    channels
        Features of the residual blocks.
    blocks
        Residual blocks.
    tail_channels
        Features after upscaling.
    """

    name: Literal["srresnet-nobn"] = "srresnet-nobn"
    channels: int = Field(48, ge=1, le=512)
    blocks: int = Field(8, ge=1, le=64)
    tail_channels: int = Field(24, ge=1, le=512)


class Groups(CardPart):
    """Names of the specimens used for each purpose.

    Parameters
    ----------
    train
        What networks learn from.
    calibration
        What the answer checks are calibrated on.
    test
        What scores are measured on.
    """

    train: list[str]
    calibration: list[str]
    test: list[str]


class Teachers(CardPart):
    """The teacher images.

    ``unit`` says what was held out: whole specimens, images of one specimen, or a part of one image;
    only the first is independent of the training images. ``measured_pairs`` of them came with an LR that was measured;
    the degradation on the card is that of the others. Where ``left_out_in_turn``, there were too few specimens to hold
    some back: the model learned from all, and scores and calibration come from networks trained alike, each
    without the specimen in question.

    Parameters
    ----------
    count
        How many.
    hashes
        Of their contents.
    pixel_nm
        Sides of their pixels in nm; one, or one of each.
    instruments
        Maker and model.
    groups
        Specimens by purpose.
    """

    count: Count
    measured_pairs: Count = 0
    hashes: list[str]
    pixel_nm: list[Nanometre]
    instruments: list[str]
    groups: Groups
    unit: Literal["specimen", "image", "part of one image"]
    left_out_in_turn: bool = False


class CurvePoint(CardPart):
    """Scores on held-out teachers at one moment of the training.

    Parameters
    ----------
    stage
        Network that was scored.
    epoch
        From 1 on.
    step
        Of the stage.
    scores
        By name; PSNR in dB.
    """

    stage: Literal["twin", "gan"]
    epoch: int
    step: int
    scores: dict[str, float]
    without: str = ""
    """Specimen that was left out, where each was in turn."""


class Tested(CardPart):
    """How long a network learned that was only tested: epochs and steps by stage, and seconds.

    Parameters
    ----------
    epochs
        By stage.
    steps
        By stage.
    seconds
        In all.
    """

    epochs: dict[str, Count]
    steps: dict[str, Count]
    seconds: Seconds


class Training(CardPart):
    """How the model came about.

    ``in_turn`` says the same of the networks that each specimen was left out of once, by its name; all other figures
    are of the model that ships.

    Parameters
    ----------
    epochs
        By stage.
    steps
        By stage.
    seconds
        In all.
    batch
        Patches per step of the twin.
    gan_batch
        Patches per step of the SRGAN.
    patch_lr_px
        Side of a patch in LR pixels.
    losses
        Weights by name.
    seed
        Of all that was random.
    device
        ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision
        Of the arithmetic while training.
    started_from
        Hash of the model that training started from; None for chance.
    versions
        Of libraries, by name.
    curve
        Scores over the training.
    verdict
        What the curves say, in a sentence.
    overfitted_since
        Epoch where overfitting began; None if it did not.
    """

    epochs: dict[str, Count]
    steps: dict[str, Count]
    seconds: Seconds
    batch: int
    gan_batch: int
    patch_lr_px: int
    losses: dict[str, float]
    seed: int
    device: str
    precision: str
    started_from: str | None = None
    versions: dict[str, str]
    curve: list[CurvePoint]
    verdict: str = ""
    overfitted_since: int | None = None
    in_turn: dict[str, Tested] = Field(default_factory=dict)


class ImageScore(CardPart):
    """One whole held-out teacher, degraded and upscaled again; PSNR in dB, data range of its dtype.

    Parameters
    ----------
    name
        Of the teacher.
    group
        Its specimen.
    bicubic_psnr, bicubic_ssim
        Of bicubic interpolation.
    twin_psnr, twin_ssim
        Of the twin.
    gan_psnr, gan_ssim
        Of the SRGAN.
    """

    name: str
    group: str
    bicubic_psnr: Decibel
    bicubic_ssim: Similarity
    twin_psnr: Decibel
    twin_ssim: Similarity
    gan_psnr: Decibel
    gan_ssim: Similarity


class KnownConditions(CardPart):
    """Range of conditions that a model learned over: from none up to these.

    Noise as a part of the intensity range, at mid range; blur in LR pixels.

    Parameters
    ----------
    noise
        Largest standard deviation.
    line_correlation
        Largest correlation between neighbours of a scan line.
    blur_px
        Largest blur, standard deviation.
    """

    noise: float = Field(ge=0)
    line_correlation: float = Field(ge=0, le=0.5)
    blur_px: float = Field(ge=0)

    def outside(self, conditions: Conditions) -> str | None:
        """What of ``conditions`` the model has not learned, for a person; None where it has learned all."""
        parts = []
        if conditions.noise > self.noise:
            parts.append(
                f"its noise is {conditions.noise:.0%} of the grey range, more than the {self.noise:.0%} learned"
            )
        if conditions.blur_px > self.blur_px:
            parts.append(
                f"its blur is {conditions.blur_px:.2g} LR pixels, more than the {self.blur_px:.2g} learned"
            )
        return " and ".join(parts) or None


class SharpnessUnder(CardPart):
    """Largest sharpness that is not under bicubic on any held-out specimen of a material under some conditions.

    Parameters
    ----------
    noise
        Standard deviation at mid range, as a part of the intensity range.
    blur_px
        Standard deviation in LR pixels.
    sharpness
        0 to 1.
    """

    noise: float = Field(ge=0)
    blur_px: float = Field(ge=0)
    sharpness: float = Field(ge=0, le=1)
