"""The model card: what a person must know about a model before believing a picture."""

from typing import Literal

from pydantic import Field

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.model.card_parts import (
    Architecture,
    CardPart,
    ImageScore,
    KnownConditions,
    SharpnessUnder,
    Teachers,
    Training,
)
from napari_sem_sr.model.recovery import ResolvingPower


def _around(value: float, grid: set[float]) -> set[float]:
    """Neighbours of ``value`` in ``grid``; its end where the value lies beyond it."""
    below = max((g for g in grid if g <= value), default=min(grid))
    above = min((g for g in grid if g >= value), default=max(grid))
    return {below, above}


# A smaller gain in dB over bicubic is none: it would be written as +0.0.
LEAST_GAIN_DB = 0.05
UNSCORED = (
    "It has not been scored yet: how good it is is not known; resume its training to find out."
)


class Card(CardPart):
    """Everything that travels with a model (``card.json``).

    Parameters
    ----------
    name
        By which the model is found.
    description
        For a person.
    factor
        SR pixels per LR pixel, along y and along x.
    architecture
        From which both networks are built again.
    teachers
        What was learned from and tested on.
    degradation
        How LR was made of teachers.
    training
        How the model came about.
    scores
        One of each held-out teacher.
    default_sharpness
        0 twin to 1 SRGAN, where nothing is known of the conditions.
    conditions
        What the model learned over; None where it does not know conditions.
    sharpness_by_conditions
        Default sharpness as measured under some conditions.
    domain
        Of what the domain alarm compares stacks with.
    resolving_power
        As measured; None where it was not.
    licence
        Of the weights.
    credits
        Whose images and work the model rests on.
    """

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1)
    description: str = ""
    factor: Literal[2, 3, 4, 8]
    architecture: Architecture
    teachers: Teachers
    degradation: Degradation
    training: Training
    # empty until the training that wrote it has come to its end
    scores: list[ImageScore]
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

        Parameters
        ----------
        conditions
            Noise and blur of the stack.
        """
        table = self.sharpness_by_conditions
        if not table:
            return self.default_sharpness
        blurs = _around(conditions.blur_px, {entry.blur_px for entry in table})
        noises = _around(conditions.noise, {entry.noise for entry in table})
        found = [e.sharpness for e in table if e.blur_px in blurs and e.noise <= max(noises)]
        return min(found or [self.default_sharpness])

    def gain(self, which: Literal["twin", "gan"]) -> float | None:
        """Mean PSNR over bicubic on the held-out teachers, in dB; None where none was scored yet.

        Parameters
        ----------
        which
            Network.
        """
        if not self.scores:
            return None
        gains = [
            (s.twin_psnr if which == "twin" else s.gan_psnr) - s.bicubic_psnr for s in self.scores
        ]
        return sum(gains) / len(gains)

    @property
    def beats_bicubic(self) -> bool:
        """Whether its test shows a gain of the twin, which is its best, and not only +0.0 dB."""
        gain = self.gain("twin")
        return gain is not None and gain >= LEAST_GAIN_DB

    def summary(self) -> str:
        """One paragraph for a person."""
        unit = (
            "specimens" if self.teachers.unit == "specimen" else f"a held-out {self.teachers.unit}"
        )
        if self.teachers.left_out_in_turn:
            unit = "specimens left out in turn and"
        pairs = self.teachers.measured_pairs
        measured = f" ({pairs} with measured LR)" if pairs else ""
        twin, gan = self.gain("twin"), self.gain("gan")
        tested = (
            UNSCORED
            if twin is None or gan is None
            else f"On {unit} never trained on, PSNR over bicubic is {twin:+.2f} dB for the twin and {gan:+.2f} dB for "
            f"the SRGAN; the default sharpness is {self.default_sharpness:g}."
        )
        return (
            f"{self.name}: ×{self.factor}, {self.teachers.count} teachers{measured}. {tested}"
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
