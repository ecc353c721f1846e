"""What a result says of the run that made it, so that it is continued as it was begun and never taken for another's."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.events import Event
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.inference.engine.tiling import Interval, Region
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.card import Card
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True)
class RecordedRun:
    """A run as its output records it.

    Parameters
    ----------
    model
        Name on the card of the model.
    model_hash
        Its content, which tells two models of one name apart.
    factor
        SR pixels per LR pixel.
    sharpness
        0 (twin) to 1 (GAN).
    source_name
        Name of the stack that was upscaled.
    source_hash
        Its content.
    slices
        (first, end) in the stack.
    region
        ((y0, y1), (x0, x1)) in LR pixels.
    """

    model: str
    model_hash: str
    factor: int
    sharpness: float
    source_name: str
    source_hash: str
    slices: Interval
    region: Region
    conditions: Mapping[str, Any] | None = None
    """Noise and blur for which the network was set, as they are written down."""

    @classmethod
    def of(cls, provenance: Mapping[str, Any] | None) -> "RecordedRun | None":
        """What an output's provenance says; None where it does not say how it was made.

        Parameters
        ----------
        provenance
            Of an output; None where it carries none.
        """
        try:
            known = dict(provenance or {})
            (y0, y1), (x0, x1) = known["region"]
            first, end = known["slices"]
            return cls(
                model=str(known["model"]),
                model_hash=str(known["model_hash"]),
                factor=int(known["factor"]),
                sharpness=float(known["sharpness"]),
                source_name=str(known["source_name"]),
                source_hash=str(known["source_hash"]),
                slices=(int(first), int(end)),
                region=((int(y0), int(y1)), (int(x0), int(x1))),
                conditions=known.get("conditions"),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def settings(self, device: str = "auto") -> UpscaleSettings:
        """What continues the run; precision and tile are taken from the output anyway.

        Parameters
        ----------
        device
            As for `upscale`.
        """
        return UpscaleSettings(
            sharpness=self.sharpness, device=device, slices=self.slices, region=self.region
        )

    def is_of(self, stack: SemStack, card: Card, settings: UpscaleSettings) -> bool:
        """Whether a run of ``stack`` with these settings would be this one, as far as names and numbers tell.

        Parameters
        ----------
        card
            Of the model.
        settings
            What is asked for now.
        """
        usual = card.sharpness_under(Conditions.from_json(self.conditions))
        sharpness = usual if settings.sharpness is None else settings.sharpness
        return (
            self.model == card.name
            and self.factor == card.factor
            and abs(self.sharpness - sharpness) < 1e-6
            and self.slices == _slices(stack, settings)
            and self.region == _region(stack, settings)
            and self.source_name == stack.name
            and settings.noise == settings.blur == "auto"
        )

    def describe(self) -> str:
        """The run in a few words, for instance ``sem-x4, sharpness 0.50, slices 3 to 7``."""
        first, end = self.slices
        which = f"slice {first}" if end - first == 1 else f"slices {first} to {end - 1}"
        return f"{self.model}, sharpness {self.sharpness:.2f}, {which}"

    def misfit(self, stack: SemStack) -> str:
        """Why a result cannot have been made of ``stack``, without reading pixels; empty where it may have been."""
        depth, height, width = stack.shape
        (_, y1), (_, x1) = self.region
        if self.slices[1] > depth or y1 > height or x1 > width:
            return (
                f"it was made of '{self.source_name}', of which it covers {self.slices[1]} slices of {y1} × {x1} "
                f"pixels; '{stack.name}' has {depth} of {height} × {width}"
            )
        return ""


def iter_recognised(
    stack: SemStack, recorded: RecordedRun, output: Path
) -> Generator[Event, None, RecordedRun]:
    """Make sure that a result was made of a stack, by its pixels; takes as long as reading them.

    Parameters
    ----------
    stack
        LR.
    recorded
        What the output says of its run.
    output
        Path of the output, to name it.

    Raises
    ------
    InputError
        If it was not.
    """
    why = recorded.misfit(stack)
    if not why:
        found = yield from in_background(lambda: _hash_of(stack), f"recognising '{stack.name}'")
        if found == recorded.source_hash:
            return recorded
        why = (
            f"it was made of '{recorded.source_name}'"
            if recorded.source_name != stack.name
            else f"it was made of another stack of that name, or '{stack.name}' has changed since"
        )
    raise InputError(
        f"'{output.name}' is not a result of '{stack.name}': {why} ({recorded.describe()}). Choose its own stack, or "
        "another place for the result."
    )


def output_stem(stack: SemStack, card: Card, settings: UpscaleSettings) -> str:
    """Name of a run's output without suffix: stack, model with its factor, and what is not as usual.

    Parameters
    ----------
    stack
        LR.
    card
        Of the model.
    settings
        What is asked for.
    """
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in stack.name).strip("_.")
    factor = f"x{card.factor}"
    model = card.name if factor in card.name else f"{card.name}-{factor}"
    parts = [name or "stack", model]
    if settings.sharpness is not None and settings.sharpness != card.default_sharpness:
        parts.append(f"sharpness{settings.sharpness:.2f}")
    first, end = _slices(stack, settings)
    if (first, end) != (0, stack.shape[0]):
        parts.append(f"slice{first}" if end - first == 1 else f"slices{first}-{end - 1}")
    if not covers_picture(stack, settings):
        parts.append("part")
    return "_".join((*parts, "sr"))


def covers_picture(stack: SemStack, settings: UpscaleSettings) -> bool:
    """Whether all of each slice is upscaled, a databar left out or not.

    Parameters
    ----------
    stack
        LR.
    settings
        What is asked for.
    """
    whole = _region(stack, UpscaleSettings())
    rows = stack.image_rows or whole[0]
    return _region(stack, settings) in (whole, (tuple(rows), whole[1]))


def _slices(stack: SemStack, settings: UpscaleSettings) -> Interval:
    return settings.slices or (0, stack.shape[0])


def _region(stack: SemStack, settings: UpscaleSettings) -> Region:
    return settings.region or ((0, stack.shape[1]), (0, stack.shape[2]))


def _hash_of(stack: SemStack) -> str:
    try:
        return stack.content_hash
    except SemSrError:
        raise
    except Exception as error:  # readers of many formats fail in many ways
        raise InputError(f"'{stack.name}' cannot be read ({error}).") from error
