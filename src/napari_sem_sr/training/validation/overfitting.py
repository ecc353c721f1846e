"""What the curves of a training say about overfitting, in words.

The eye cannot tell an overfitted picture from a good one; the curves can. Three signs are read from the gains
in PSNR over bicubic on images never learned from (*unseen*) and on images learned from (*known*):

- unseen falls while known rises (the classical sign; Prechelt 1998, "Early stopping - but when?");
- the gap between them opens while the twin is still learned: what it adds, it knows by heart (a falling learning
  rate keeps unseen from falling, so the first sign alone missed a single small teacher after 500 epochs, which stood
  1.9 dB closer to its teacher than to anything else);
- in the adversarial stage, where both fall by design, the gap between known and unseen opens further than it
  was when the stage began: detail is then drawn from memory.

All must exceed the scatter of the curve itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
# Fewer looks than this say nothing.
ENOUGH = 3
# dB; smaller changes do not matter to anybody, even where the curve is smooth enough to show them.
FALL_DB = 0.1
GAP_DB = 0.3
# dB; images differ in difficulty, and the gap of an innocent twin follows its gain.
MEMORY_DB = 0.5
SCATTERS = 3.0


@dataclass(frozen=True)
class Verdict:
    """One sentence; ``since_epoch`` is where overfitting began, in epochs of stage ``stage``.

    ``sound`` is None while it is too early to say.

    Parameters
    ----------
    sentence
        For a person.
    """

    sentence: str
    sound: bool | None
    stage: str | None = None
    since_epoch: int | None = None

    def with_limit(self, sentence: str) -> "Verdict":
        """The same with a sentence, which may be empty, on what it does not cover.

        Parameters
        ----------
        sentence
            A whole one, or "".
        """
        return replace(self, sentence=f"{self.sentence} {sentence}".rstrip())


def judge(curve: Sequence[Mapping[str, Any]], unit: str = "specimen") -> Verdict:
    """Judge a training by its curve so far.

    Parameters
    ----------
    curve
        Points with ``stage``, ``epoch`` and ``scores`` (``psnr``, ``bicubic_psnr``, ``train_psnr``,
        ``train_bicubic_psnr`` in dB), in order.
    unit
        What was held out; scores on a part of a teacher cannot clear it.
    """
    twin, gan = ([p for p in curve if p["stage"] == stage] for stage in ("twin", "gan"))
    found = _twin(twin) or _memory(twin) or _gan(twin, gan)
    if found is not None:
        return found
    gains = [_gains(part)[0] for part in (twin, gan) if part]
    if not gains or max(len(g) for g in gains) < ENOUGH:
        return Verdict("Too early to say whether it overfits.", sound=None)
    if unit == "part of one image":
        return Verdict(
            "One image cannot show overfitting: what it is tested on is a part of what it learned from. "
            "Add teachers of other specimens.",
            sound=False,
        )
    last = gains[-1][-1]
    if last < 0:
        return Verdict(
            f"On images never seen it is {-last:.1f} dB further from the truth than bicubic.",
            sound=False,
        )
    state = "learning" if _still_rises(gains[-1]) else "learned"
    same = "" if unit == "specimen" else ", as far as other images of the same specimen can tell"
    return Verdict(f"{state.capitalize()}, no overfitting{same}.", sound=True)


def worst(verdicts: Sequence[Verdict], names: Sequence[str] = ()) -> Verdict:
    """The first that is not sound, else the last; ``names`` are the specimens left out, where there are several.

    Parameters
    ----------
    verdicts
        In the order of the runs.
    """
    for number, verdict in enumerate(verdicts):
        if verdict.sound is False:
            where = f"Without {names[number]}: " if names else ""
            return replace(verdict, sentence=f"{where}{verdict.sentence}")
    return verdicts[-1]


def _twin(points: Sequence[Mapping[str, Any]]) -> Verdict | None:
    if len(points) < ENOUGH:
        return None
    unseen, known = _gains(points)
    smooth_unseen, smooth_known = _smooth(unseen), _smooth(known)
    best = int(np.argmax(smooth_unseen))
    fall = smooth_unseen[best] - smooth_unseen[-1]
    if fall <= max(FALL_DB, SCATTERS * _scatter(unseen)) or smooth_known[-1] <= smooth_known[best]:
        return None
    epoch = int(points[best]["epoch"])
    return Verdict(
        f"Overfitting since epoch {epoch}: on images never seen it has lost {fall:.1f} dB since, while on its "
        "teachers it still gains. The network of that epoch is kept; more teachers help, more epochs do not.",
        sound=False,
        stage="twin",
        since_epoch=epoch,
    )


def _memory(points: Sequence[Mapping[str, Any]]) -> Verdict | None:
    """What is still learned late is learned by heart: the gap opens while unseen hardly gains."""
    if len(points) < ENOUGH:
        return None
    unseen, known = _gains(points)
    # the gap that was there once half of all gain was made is that between easy and hard images
    start = int(np.argmax(unseen >= unseen.max() / 2))
    gap = known - unseen
    opened = _smooth(gap) - gap[start]
    limit = max(MEMORY_DB, SCATTERS * _scatter(gap))
    if unseen.max() <= 0 or opened[-1] <= limit:
        return None
    closed = np.flatnonzero(opened <= limit)
    first = int(closed[-1]) + 1
    epoch = int(points[first]["epoch"])
    return Verdict(
        f"Overfitting since epoch {epoch}: the gap between its teachers and images never seen has opened by "
        f"{opened[-1]:.1f} dB. What it still learns it learns by heart; more teachers help, more epochs do not.",
        sound=False,
        stage="twin",
        since_epoch=epoch,
    )


def _gan(twin: Sequence[Mapping[str, Any]], gan: Sequence[Mapping[str, Any]]) -> Verdict | None:
    if not twin or not gan:
        return None
    # the stage begins from the twin: its last gap is the first here
    unseen, known = _gains([twin[-1], *gan])
    if len(unseen) < ENOUGH:
        return None
    gap = known - unseen
    opened = _smooth(gap) - gap[0]
    limit = max(GAP_DB, SCATTERS * _scatter(gap))
    if opened[-1] <= limit:
        return None
    # the first look after which the gap stayed open
    closed = np.flatnonzero(opened <= limit)
    first = min(int(closed[-1]) + 1, len(gan)) if closed.size else 1
    epoch = int(gan[first - 1]["epoch"])
    return Verdict(
        f"Overfitting since epoch {epoch} of the SRGAN stage: it is {opened[-1]:.1f} dB closer to its teachers than "
        "to images never seen than the twin was. Part of its detail is drawn from memory; use more teachers or "
        "less sharpness.",
        sound=False,
        stage="gan",
        since_epoch=epoch,
    )


def _gains(points: Sequence[Mapping[str, Any]]) -> tuple[Values, Values]:
    """Gains in dB over bicubic on images never seen and on images learned from."""
    scores = [p["scores"] for p in points]
    unseen = np.array([s["psnr"] - s["bicubic_psnr"] for s in scores])
    known = np.array([s["train_psnr"] - s["train_bicubic_psnr"] for s in scores])
    return unseen, known


def _smooth(values: Values) -> Values:
    """Running median of three; at the ends that of the outermost three."""
    if len(values) < 3:
        return values
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([middle[:1], middle, middle[-1:]])


def _scatter(values: Values) -> float:
    """Standard deviation of the curve about itself, robustly, from second differences."""
    if len(values) < 4:
        return 0.0
    second = np.diff(values, n=2)
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def _still_rises(unseen: Values) -> bool:
    recent = unseen[-max(3, len(unseen) // 4) :]
    return bool(recent[-1] - recent[0] > 0.02)
