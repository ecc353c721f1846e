"""A blind test: small pictures without a name, and what a person says of them.

With HR, each trial shows SR and HR of one place as A and B, in random order, and asks which was measured. Without HR,
each shows SR of one place, taken from the list of suspect places or from elsewhere, and asks whether to trust it.
The answers are kept as a confusion matrix, and the share of right ones with a Clopper-Pearson interval (Clopper and
Pearson 1934, Biometrika 26, 404).

What it can and cannot tell: who cannot tell SR from HR has learnt that SR looks real, not that it is true; that is
why this is no evidence for SR. Who can tell them apart knows what to look for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from napari_sem_sr.checking.field import Field
from napari_sem_sr.errors import InputError
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

NAME = "blind.json"
LEVEL = 0.95
SIDE_PX = 64
Said = Literal["first", "second", "unsure"]
Image = npt.NDArray[Any]


@dataclass(frozen=True)
class BlindTrial:
    """One place.

    Parameters
    ----------
    slice, y, x
        Of the field; top left corner in its SR pixels.
    side
        Of the picture in SR pixels.
    first
        Pairs: whether A is HR. Single pictures: whether the place is on the list of suspect places.
    """

    slice: int
    y: int
    x: int
    side: int
    first: bool


@dataclass(frozen=True)
class Result:
    """What the answers so far amount to.

    Parameters
    ----------
    matrix
        Truth -> answer -> count.
    decided, right
        Trials.
    share, interval
        ``right / decided`` and its interval; None while nothing is decided.
    """

    matrix: Mapping[str, Mapping[str, int]]
    decided: int
    right: int
    share: float | None
    interval: tuple[float, float] | None


def pair_trials(field: Field, count: int, seed: int) -> list[BlindTrial]:
    """Random places; in half of them A is HR.

    Parameters
    ----------
    field
        With HR.
    count
        Places.
    seed
        Of the places.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.arange(count) % 2 == 0)
    return [BlindTrial(*_anywhere(field, rng), bool(first)) for first in order]


def single_trials(
    field: Field, regions: Sequence[Mapping[str, Any]], count: int, seed: int
) -> list[BlindTrial]:
    """Suspect places, worst first, mixed with as many random places that touch none of the list.

    Parameters
    ----------
    field
        LR and SR.
    regions
        As in ``report.json``.
    count
        Suspect places, and as many random ones.
    seed
        Of the places and their order.

    Raises
    ------
    InputError
        If there is no suspect place.
    """
    if not regions:
        raise InputError("No place of the stack is suspect, so there is nothing to tell apart.")
    rng = np.random.default_rng(seed)
    z0, y0, x0 = field.sr_start
    side = _side(field)
    _, height, width = field.sr.shape
    suspect = []
    for region in regions[: -(-count // 2)]:
        y = region["y"] - y0 + region["height"] // 2 - side // 2
        x = region["x"] - x0 + region["width"] // 2 - side // 2
        suspect.append(
            BlindTrial(
                region["slice"] - z0,
                int(np.clip(y, 0, height - side)),
                int(np.clip(x, 0, width - side)),
                side,
                True,
            )
        )
    others: list[BlindTrial] = []
    for _ in range(100 * count):
        trial = BlindTrial(*_anywhere(field, rng), False)
        if len(others) == len(suspect):
            break
        if not any(_touches(trial, region, field) for region in regions):
            others.append(trial)
    trials = [*suspect, *others]
    return [trials[i] for i in rng.permutation(len(trials))]


def pictures(field: Field, trial: BlindTrial) -> tuple[Image, ...]:
    """What is shown: A and B of a pair, or the one SR picture where there is no HR.

    Parameters
    ----------
    field
        With HR for a pair.
    trial
        The place.
    """
    here = np.s_[trial.y : trial.y + trial.side, trial.x : trial.x + trial.side]
    sr = field.sr.slice(trial.slice)[here]
    if field.hr is None:
        return (sr,)
    hr = field.hr.slice(trial.slice)[here]
    return (hr, sr) if trial.first else (sr, hr)


def result(trials: Sequence[BlindTrial], said: Sequence[Said], *, pairs: bool) -> Result:
    """Confusion matrix and the share of right answers among those decided.

    Parameters
    ----------
    trials
        In the order in which they were shown.
    said
        Pairs: "first" for "A was measured". Single pictures: "first" for "I do not trust it".
    pairs
        Whether A and B were shown.
    """
    matrix: dict[str, dict[str, int]]
    if pairs:
        matrix = {t: {"measured": 0, "made up": 0, "unsure": 0} for t in ("HR", "SR")}
        for trial, answer in zip(trials, said, strict=False):
            for which, is_hr in (("first", trial.first), ("second", not trial.first)):
                called = "unsure" if answer == "unsure" else "made up"
                matrix["HR" if is_hr else "SR"]["measured" if answer == which else called] += 1
    else:
        matrix = {t: {"not trusted": 0, "trusted": 0, "unsure": 0} for t in ("suspect", "other")}
        words = {"first": "not trusted", "second": "trusted", "unsure": "unsure"}
        for trial, answer in zip(trials, said, strict=False):
            matrix["suspect" if trial.first else "other"][words[answer]] += 1
    decided = [(t, a) for t, a in zip(trials, said, strict=False) if a != "unsure"]
    right = sum((a == "first") == t.first for t, a in decided)
    interval = None
    if decided:
        found = binomtest(right, len(decided)).proportion_ci(LEVEL, method="exact")
        interval = (float(found.low), float(found.high))
    share = right / len(decided) if decided else None
    return Result(matrix, len(decided), right, share, interval)


def keep(
    folder: Path, seed: int, trials: Sequence[BlindTrial], said: Sequence[Said], *, pairs: bool
) -> Result:
    """Keep the answers so far beside the report; on disk when this returns.

    Parameters
    ----------
    folder
        Of the check.
    seed
        Of the trials.
    trials
        In the order in which they were shown.
    said
        Answers so far.
    pairs
        Whether A and B were shown.
    """
    found = result(trials, said, pairs=pairs)
    answers = [
        {**asdict(trial), "said": answer} for trial, answer in zip(trials, said, strict=False)
    ]
    kind = "which was measured, A or B" if pairs else "is this to be trusted"
    with translate_os_errors(folder / NAME), atomic_write(folder / NAME) as path:
        text = json.dumps(
            {
                "question": kind,
                "seed": seed,
                "trials": len(trials),
                **asdict(found),
                "answers": answers,
            },
            indent=1,
        )
        path.write_text(text + "\n", encoding="utf-8")
    return found


def _side(field: Field) -> int:
    return min(SIDE_PX, *field.sr.shape[1:])


def _anywhere(field: Field, rng: np.random.Generator) -> tuple[int, int, int, int]:
    _, height, width = field.sr.shape
    side = _side(field)
    return (
        int(rng.choice(field.kept)),
        int(rng.integers(height - side + 1)),
        int(rng.integers(width - side + 1)),
        side,
    )


def _touches(trial: BlindTrial, region: Mapping[str, Any], field: Field) -> bool:
    z0, y0, x0 = field.sr_start
    y, x = region["y"] - y0, region["x"] - x0
    return bool(
        region["slice"] - z0 == trial.slice
        and y < trial.y + trial.side
        and trial.y < y + region["height"]
        and x < trial.x + trial.side
        and trial.x < x + region["width"]
    )
