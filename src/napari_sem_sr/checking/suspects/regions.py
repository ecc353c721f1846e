"""Where to look first: the maps of one slice combined into places, worst first.

Every kind of evidence comes as a map of scores on the LR grid (see `tails`): 1 is what a clean stack of this size has
once, and every further unit is ten times rarer. A place's score is the largest of them there, and its reasons are
all that reach 1 and half of that.

What it can and cannot tell: the list says where something is unlike the rest, not that it is wrong, and a
place that is not on it is not proven true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.segmentation import flood

WHOLE_FIELD = "whole field"
# A place is at most this share of a slice; where more than WHOLE_SHARE is suspect, the field is, not places in it.
MAX_SHARE = 0.02
WHOLE_SHARE = 0.25
# A place ends where suspicion falls below this share of its peak.
EDGE = 0.5
# LR pixels around a place that belong to the same thing.
MARGIN = 1
PER_SLICE = 10
IN_REPORT = 100


@dataclass(frozen=True)
class Region:
    """One place.

    Parameters
    ----------
    slice, y, x, height, width
        Index of the slice and box in SR pixels, top left corner, half open.
    score
        1 where a clean stack has one such place, 2 where ten of them have one; larger is worse.
    reasons
        In words.
    """

    slice: int
    y: int
    x: int
    height: int
    width: int
    score: float
    reasons: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """As in ``report.json``."""
        return {**vars(self), "reasons": list(self.reasons)}


def suspect_regions(
    evidence: Mapping[str, npt.NDArray[Any]],
    factor: int,
    start: tuple[int, int, int] = (0, 0, 0),
) -> list[Region]:
    """Places of one slice, worst first; boxes do not overlap.

    Parameters
    ----------
    evidence
        By reason: ``(y, x)`` scores on the LR grid, suspect from 1; NaN says nothing.
    factor
        Upscale factor.
    start
        Slice, y and x (SR pixels) at which the maps begin.
    """
    if not evidence:
        return []
    maps = {reason: np.nan_to_num(image) for reason, image in evidence.items()}
    left = np.maximum.reduce(list(maps.values()))
    height, width = left.shape
    side = int(np.sqrt(MAX_SHARE * height * width))
    suspect = left >= 1
    if not suspect.any():
        return []
    if side < 1 or suspect.mean() > WHOLE_SHARE:
        reasons = [r for r, m in maps.items() if (m >= 1).mean() > WHOLE_SHARE / len(maps)]
        box = (0, 0, height, width)
        return [
            _region(box, float(np.median(left[suspect])), [WHOLE_FIELD, *reasons], factor, start)
        ]
    taken = np.zeros(left.shape, bool)
    found: list[Region] = []
    while len(found) < PER_SLICE:
        peak = float(left.max())
        if peak < 1:
            break
        row, column = (int(i) for i in np.unravel_index(int(left.argmax()), left.shape))
        thing = flood(left >= max(1.0, EDGE * peak), (row, column), connectivity=1)  # type: ignore[no-untyped-call]
        top, end_row = _span(thing.any(axis=1), row, side)
        first, end_column = _span(thing.any(axis=0), column, side)
        if taken[top:end_row, first:end_column].any():
            top, end_row, first, end_column = row, row + 1, column, column + 1
        here = np.s_[top:end_row, first:end_column]
        reasons = [r for r, m in maps.items() if m[here].max() >= max(1.0, EDGE * peak)]
        box = (top, first, end_row - top, end_column - first)
        found.append(_region(box, peak, reasons, factor, start))
        taken[here] = True
        left[thing] = 0
        left[
            max(0, top - MARGIN) : end_row + MARGIN, max(0, first - MARGIN) : end_column + MARGIN
        ] = 0
    return found


def worst(regions: Sequence[Region]) -> list[Region]:
    """At most IN_REPORT of all slices' regions, worst first.

    Parameters
    ----------
    regions
        Of each slice.
    """
    return sorted(regions, key=lambda r: (-r.score, r.slice, r.y, r.x))[:IN_REPORT]


def _span(occupied: npt.NDArray[np.bool_], centre: int, side: int) -> tuple[int, int]:
    """First and end of what is occupied, at most ``side`` long and around ``centre``."""
    where = np.flatnonzero(occupied)
    low, high = int(where[0]), int(where[-1]) + 1
    if high - low > side:
        low = min(max(low, centre - side // 2), high - side)
        high = low + side
    return low, high


def _region(
    box: tuple[int, int, int, int],
    score: float,
    reasons: Sequence[str],
    factor: int,
    start: tuple[int, int, int],
) -> Region:
    y, x, height, width = (factor * n for n in box)
    z, y0, x0 = start
    return Region(z, y0 + y, x0 + x, height, width, round(score, 4), tuple(reasons))
