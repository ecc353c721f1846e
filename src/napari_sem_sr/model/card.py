"""The model card: what a person must know about a model before believing a picture."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.degradation.degrade import Degradation

# Far beyond what any training gives: a card with more is damaged or made up.
Count = Annotated[int, Field(ge=0, le=10**12)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Nanometre = Annotated[float, Field(gt=0, le=1e6)]
Decibel = Annotated[float, Field(ge=-200, le=200)]
Similarity = Annotated[float, Field(ge=-1, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _around(value: float, grid: set[float]) -> set[float]:
    """Neighbours of ``value`` in ``grid``; its end where the value lies beyond it."""
    below = max((g for g in grid if g <= value), default=min(grid))
    above = min((g for g in grid if g >= value), default=max(grid))
    return {below, above}


class Architecture(_Part):
    """Parameters from which the generator is built again."""

    name: Literal["srresnet-nobn"] = "srresnet-nobn"
    channels: int = Field(48, ge=1, le=512)
    blocks: int = Field(8, ge=1, le=64)
    tail_channels: int = Field(24, ge=1, le=512)


class Groups(_Part):
    """Names of the specimens used for each purpose."""

    train: list[str]
    calibration: list[str]
    test: list[str]


class Teachers(_Part):
    """The teacher images.

    ``unit`` says what was held out: whole specimens, images of one specimen, or a part of one image;
    only the first is independent of the training images. ``measured_pairs`` of them came with an LR that was measured;
    the degradation on the card is that of the others. Where ``left_out_in_turn``, there were too few specimens to hold
    some back: the model learned from all, and scores and calibration come from networks trained alike, each
    without the specimen in question.
    """

    count: Count
    measured_pairs: Count = 0
    hashes: list[str]
    pixel_nm: list[Nanometre]
    instruments: list[str]
    groups: Groups
    unit: Literal["specimen", "image", "part of one image"]
    left_out_in_turn: bool = False


class CurvePoint(_Part):
    """Scores on held-out teachers at one moment of the training."""

    stage: Literal["twin", "gan"]
    epoch: int
    step: int
    scores: dict[str, float]
    without: str = ""
    """Specimen that was left out, where each was in turn."""


class Tested(_Part):
    """How long a network learned that was only tested: epochs and steps by stage, and seconds."""

    epochs: dict[str, Count]
    steps: dict[str, Count]
    seconds: Seconds


class Training(_Part):
    """How the model came about.

    ``in_turn`` says the same of the networks that each specimen was left out of once, by its name; all other figures
    are of the model that ships.
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


class ImageScore(_Part):
    """One whole held-out teacher, degraded and upscaled again; PSNR in dB, data range of its dtype."""

    name: str
    group: str
    bicubic_psnr: Decibel
    bicubic_ssim: Similarity
    twin_psnr: Decibel
    twin_ssim: Similarity
    gan_psnr: Decibel
    gan_ssim: Similarity


# Share of trials in which a feature has to be recovered to count as resolved.
RECOVERED = 0.9
# A smaller gain in dB over bicubic is none: it would be written as +0.0.
LEAST_GAIN_DB = 0.05


class Recovery(_Part):
    """Share of planted features that are recovered, by size; None where none was planted.

    ``size_lr_px`` are diameters, or widths of lines, in LR pixels; ``rate`` is by picture: "gan", "twin", "bicubic".
    """

    kind: Literal["disc", "pore", "line"]
    size_lr_px: list[float]
    n: list[int]
    rate: dict[str, list[float | None]]

    def smallest(self, picture: str, wanted: float) -> float | None:
        """Smallest size, in LR pixels, from which on every size is recovered at least so often; None if none."""
        found = None
        for size, rate in zip(self.size_lr_px[::-1], self.rate[picture][::-1], strict=True):
            if rate is None or rate < wanted:
                break
            found = size
        return found


class ResolvingPower(_Part):
    """What the model resolves, measured with planted and erased features (`checking.resolving`).

    ``drawn_back`` is the share of ``n_erased`` erased objects that a picture shows again; None without any.
    """

    planted: list[Recovery]
    n_erased: int
    drawn_back: dict[str, float] | None
    specimens: int

    def smallest(self, picture: str) -> float | None:
        """Size, in LR pixels, from which features of every kind are recovered; None if there is none."""
        sizes = [recovery.smallest(picture, RECOVERED) for recovery in self.planted]
        found = [size for size in sizes if size is not None]
        return max(found) if found and len(found) == len(sizes) else None

    def sentence(self, lr_pixel_nm: float | None = None) -> str:
        """For a person; with sizes in nm where the LR pixel is known."""
        parts = []
        for recovery in self.planted:
            smallest = recovery.smallest("gan", RECOVERED)
            size = "none of the sizes tried" if smallest is None else f"from {smallest:g} LR pixels"
            if smallest is not None and lr_pixel_nm is not None:
                size += f" ({smallest * lr_pixel_nm:.3g} nm)"
            parts.append(f"{recovery.kind}s: {size}")
        text = f"Recovered in at least 90 % of trials, {', '.join(parts)}."
        if self.drawn_back is not None:
            text += f" Of {self.n_erased} erased objects {100 * self.drawn_back['gan']:.0f} % were drawn back."
        return text


class KnownConditions(_Part):
    """Range of conditions that a model learned over: from none up to these.

    Noise as a part of the intensity range, at mid range; blur in LR pixels.
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


class SharpnessUnder(_Part):
    """Largest sharpness that is not under bicubic on any held-out specimen of a material under some conditions."""

    noise: float = Field(ge=0)
    blur_px: float = Field(ge=0)
    sharpness: float = Field(ge=0, le=1)


class Card(_Part):
    """Everything that travels with a model (``card.json``)."""

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1)
    description: str = ""
    factor: Literal[2, 3, 4, 8]
    architecture: Architecture
    teachers: Teachers
    degradation: Degradation
    training: Training
    scores: list[ImageScore] = Field(min_length=1)
    default_sharpness: float = Field(ge=0, le=1)
    conditions: KnownConditions | None = None
    sharpness_by_conditions: list[SharpnessUnder] = Field(default_factory=list)
    domain: dict[str, float | int | str]
    resolving_power: ResolvingPower | None = None
    licence: str
    credits: list[str]

    def sharpness_under(self, conditions: Conditions) -> float:
        """Sharpness used by default for a stack: the least of those measured at the conditions around its own.

        What less noise does not allow, more noise does not either: where bicubic is far off, that would only hide it.
        """
        table = self.sharpness_by_conditions
        if not table:
            return self.default_sharpness
        blurs = _around(conditions.blur_px, {entry.blur_px for entry in table})
        noises = _around(conditions.noise, {entry.noise for entry in table})
        found = [e.sharpness for e in table if e.blur_px in blurs and e.noise <= max(noises)]
        return min(found or [self.default_sharpness])

    def gain(self, which: Literal["twin", "gan"]) -> float:
        """Mean PSNR over bicubic on the held-out teachers, in dB."""
        gains = [
            (s.twin_psnr if which == "twin" else s.gan_psnr) - s.bicubic_psnr for s in self.scores
        ]
        return sum(gains) / len(gains)

    @property
    def beats_bicubic(self) -> bool:
        """Whether its test shows a gain of the twin, which is its best, and not only +0.0 dB."""
        return self.gain("twin") >= LEAST_GAIN_DB

    def summary(self) -> str:
        """One paragraph for a person."""
        unit = (
            "specimens" if self.teachers.unit == "specimen" else f"a held-out {self.teachers.unit}"
        )
        if self.teachers.left_out_in_turn:
            unit = "specimens left out in turn and"
        pairs = self.teachers.measured_pairs
        measured = f" ({pairs} with measured LR)" if pairs else ""
        return (
            f"{self.name}: ×{self.factor}, {self.teachers.count} teachers{measured}. On {unit} never trained on, "
            f"PSNR over bicubic is {self.gain('twin'):+.2f} dB for the twin and {self.gain('gan'):+.2f} dB "
            f"for the SRGAN; the default sharpness is {self.default_sharpness:g}."
        ) + "".join(
            f" {sentence}"
            for sentence in (
                self.resolving_power.sentence() if self.resolving_power else "",
                self._in_turn() if self.teachers.left_out_in_turn else "",
                self.training.verdict,
            )
            if sentence
        )

    def _in_turn(self) -> str:
        text = "The model itself learned from all specimens"
        tested = [sum(run.epochs.values()) for run in self.training.in_turn.values()]
        if not tested:
            return f"{text}."
        least, most = min(tested), max(tested)
        span = f"{least}" if least == most else f"{least} to {most}"
        return f"{text}, for {sum(self.training.epochs.values())} epochs; those that were tested, for {span}."
