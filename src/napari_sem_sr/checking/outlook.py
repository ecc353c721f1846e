"""Before hours are spent: whether a model knows such a stack, and which installed model knows it better.

It looks at a few slices and at what the cards say; no network is run. What gain is to be expected, `foreseen` measures on
small pieces, and `with_gain` says it. A full check after upscaling sees more.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.expected_gain import Gain
from napari_sem_sr.checking.evidence.image_features import Vector, domain_features
from napari_sem_sr.degradation.measure_conditions import MeasuredConditions, measure_conditions
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.parts import CALIBRATION, read_parts
from napari_sem_sr.model.zoo import Entry
from napari_sem_sr.stack import SemStack

# Slices looked at, all along the stack, and the part of each, in LR pixels along a side.
SLICES, SIDE_PX = 3, 768
# Pixel sizes that differ by less than this make no difference to a model.
SAME_SIZE = 1.5
# From 3 dB on the mean error is at most 0.7 of bicubic's; below 1 dB, more than 0.9 of it.
MUCH_DB, LITTLE_DB = 3.0, 1.0
Colour = Literal["green", "amber", "red", "grey"]
# From the best to the worst.
COLOURS: tuple[Colour, ...] = ("green", "grey", "amber", "red")


@dataclass(frozen=True)
class Outlook:
    """What is to be expected of a model on a stack.

    Parameters
    ----------
    colour
        Green: the model knows such a stack. Amber: something speaks against it. Red: it does not know it, or is no
        better than bicubic. Grey: not known.
    sentence
        For a person, with what to do.
    why
        The reasons, one a line.
    better
        Name of an installed model of the same factor that knows such a stack, where this one does not.
    conditions
        Noise and blur of the stack; None for a model that does not ask for them.
    sharper_than_good
        Whether the twin, sharpness 0, is expected to be better than bicubic where what was asked for is hardly so.
    """

    colour: Colour
    sentence: str
    why: str
    better: str | None = None
    conditions: MeasuredConditions | None = None
    sharper_than_good: bool = False


@dataclass(frozen=True)
class Foreseen:
    """PSNR over bicubic to be expected of a stack.

    Parameters
    ----------
    gain
        Of what was asked for.
    twin
        Of sharpness 0.
    sharpness
        That was asked for, or is the default for the stack.
    """

    gain: Gain
    twin: Gain
    sharpness: float


@dataclass(frozen=True)
class _Known:
    """How far one model knows a stack."""

    against: tuple[str, ...]
    doubts: tuple[str, ...]
    distance: float | None
    """From its teachers, over the distance at which the alarm is raised; None where its teachers are not known."""


def iter_outlook(
    stack: SemStack, entry: Entry, others: Sequence[Entry] = ()
) -> Generator[Event, None, Outlook]:
    """Look at a few slices of a stack and say whether a model knows such a stack.

    Parameters
    ----------
    stack
        The LR stack.
    entry
        The model.
    others
        Models that might do better; those of another factor are passed over.

    Raises
    ------
    InputError
        If a slice cannot be read.
    """
    features = yield from iter_features(stack)
    found = _known(stack, entry, features)
    better = None
    if found.against or found.doubts:
        rivals = [o for o in others if o.card.factor == entry.card.factor and o.name != entry.name]
        seen = [(_known(stack, rival, features), rival.name) for rival in rivals]
        fit = [
            (known.distance, name)
            for known, name in seen
            if not known.against and not known.doubts and known.distance is not None
        ]
        better = min(fit)[1] if fit else None
    outlook = _spoken(entry, found, better)
    if entry.card.conditions is None:
        return outlook
    yield Progress("measuring noise and blur", 0, 1, "step")
    return _under(outlook, measure_conditions(stack), entry.card)


def _under(outlook: Outlook, measured: MeasuredConditions, card: Card) -> Outlook:
    """The same outlook with what was measured, red where the model has not learned such noise or blur."""
    assert card.conditions is not None, "only of a model that knows some"
    outside = card.conditions.outside(measured.conditions)
    if outside is None:
        why = f"{outlook.why}\n• measured: {measured.sentence()}"
        return replace(outlook, why=why, conditions=measured)
    return replace(
        outlook,
        colour="red",
        sentence="Noisier or more blurred than anything the model learned. Bin the stack, or train a model on it.",
        why=f"• {outside}\n{outlook.why}",
        conditions=measured,
    )


def iter_features(stack: SemStack) -> Generator[Event, None, Vector | None]:
    """Median of the statistics of a few slices; None where they hold too little picture.

    Parameters
    ----------
    stack
        Of which a few slices are read.
    """
    depth, height, width = stack.shape
    picks = sorted({int(z) for z in np.linspace(0, depth - 1, min(SLICES, depth))})
    yield Progress("looking at the stack", 0, len(picks), "slices")
    grey = stack_range(stack)
    rows, columns = (_middle(size) for size in (height, width))
    found = []
    for done, z in enumerate(picks):
        yield Progress("looking at the stack", done, len(picks), "slices")
        image = stack.slice(z)[rows, columns]
        try:
            found.append(domain_features(grey.normalise(image)))
        except InputError:
            # a blank border, for instance; other slices may have a picture
            continue
    return np.median(found, axis=0) if found else None


def _middle(size: int) -> slice:
    spare = max(0, size - SIDE_PX)
    return slice(spare // 2, size - (spare - spare // 2))


def _known(stack: SemStack, entry: Entry, features: Vector | None) -> _Known:
    against, doubts = [], []
    gain = entry.card.gain("twin")
    if gain is None:
        doubts.append("its training ended before it was scored; resume it")
    elif not entry.card.beats_bicubic:
        against.append(f"in its own test it is no better than bicubic ({gain:+.1f} dB as twin)")
    doubt = _size_doubt(stack, entry.card)
    if doubt:
        doubts.append(doubt)
    calibration: Mapping[str, Any] = load(read_parts(entry.path)[CALIBRATION])
    domain = Domain.of(calibration)
    distance = None
    if domain is not None and features is not None:
        against.extend(domain.unlike(features))
        if domain.threshold:
            distance = domain.distance(features) / domain.threshold
    return _Known(tuple(against), tuple(doubts), distance)


def _size_doubt(stack: SemStack, card: Card) -> str:
    pixel, known = stack.voxel_nm[2], card.teachers.pixel_nm
    if not known:
        return ""
    low, high = min(known), max(known)
    taught = f"{low:.3g} nm" if low == high else f"{low:.3g} to {high:.3g} nm"
    if pixel is None:
        return f"the pixel size of the stack is not known, and its teachers have {taught}"
    made = pixel / card.factor
    if low / SAME_SIZE <= made <= high * SAME_SIZE:
        return ""
    return f"SR pixels of {made:.3g} nm, where its teachers have {taught}: detail may have the wrong size"


def _spoken_gain(decibel: float) -> str:
    """How much a gain is, in words."""
    if decibel >= MUCH_DB:
        return "much closer to the truth"
    return "a little closer to the truth" if decibel < LITTLE_DB else "closer to the truth"


def _spoken(entry: Entry, found: _Known, better: str | None) -> Outlook:
    gain = entry.card.gain("twin") or 0.0
    reasons = [*found.against, *found.doubts]
    why = "\n".join(f"• {reason}" for reason in reasons)
    advice = f"'{better}' fits better." if better else "Check a few slices first, or train a model."
    if found.against:
        return Outlook("red", f"Not made for such a stack. {advice}", why, better)
    if found.doubts:
        return Outlook("amber", f"May not fit. {advice}", why, better)
    if found.distance is None:
        return Outlook(
            "grey",
            "Not known whether it fits: try a preview first.",
            "• what its teachers look like was not recorded, or the slices hold too little picture",
        )
    return Outlook(
        "green",
        f"Knows such stacks: {_spoken_gain(gain)} than bicubic in its test ({gain:+.1f} dB).",
        f"• noise, blur and texture are like those of its {entry.card.teachers.count} teachers\n"
        f"• {gain:+.1f} dB over bicubic, on average, on specimens it never saw, at sharpness 0; your stack may differ",
    )


def with_gain(outlook: Outlook, foreseen: Foreseen | None) -> Outlook:
    """The same outlook with the gain that is to be expected, in the worse of both colours.

    Parameters
    ----------
    outlook
        Whether the model knows such a stack: where it does not, what is foreseen is too hopeful, and that is said.
    foreseen
        None where the model was not calibrated to foresee it.
    """
    if foreseen is None:
        why = f"{outlook.why}\n• the gain on this stack cannot be foreseen: the model was not calibrated for that"
        return replace(outlook, why=why)
    gain = foreseen.gain
    value, low, high = gain.spoken_db
    number = f"{value:+.1f} dB (90 % between {low:+.1f} and {high:+.1f})"
    why = f"• {number} over bicubic expected at sharpness {foreseen.sharpness:g}, from samples of this stack\n{outlook.why}"
    if outlook.colour in ("red", "amber"):
        hopeful = f"{outlook.sentence} Expected, if it did know it: {number} over bicubic."
        colour: Colour = max(outlook.colour, gain.colour, key=COLOURS.index)
        return replace(outlook, colour=colour, sentence=hopeful, why=why)
    if gain.colour == "green":
        sentence = f"Expected to be {_spoken_gain(gain.value)} than bicubic: {number}."
        return replace(outlook, sentence=sentence, why=why)
    probably = "Probably no closer" if gain.value <= 0 else "Hardly closer"
    sharp = foreseen.sharpness > 0 and foreseen.twin.value > max(0.0, gain.value)
    advice = (
        f"At sharpness 0 {foreseen.twin.value:+.1f} dB are expected."
        if sharp
        else "Check a few slices first, or train a model."
    )
    return replace(
        outlook,
        colour=gain.colour,
        sentence=f"{probably} to the truth than bicubic: {number} expected. {advice}",
        why=why,
        sharper_than_good=sharp,
    )
