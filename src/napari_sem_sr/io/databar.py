"""The strip of text that microscopes burn under (or over) an image, found in the pixels.

A databar is drawn by a program, an image is measured: the rows of a bar hold one ground grey and one or few inks,
those of an image do not. Files that say themselves where the image ends are to be believed first; this is
for all others.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import label

# Grey levels (of 255) by which a drawn grey may differ from itself, and by which JPEG blurs it.
TOLERANCE, JPEG = 1, 8
# JPEG rings around letters: within a bar this many of the rows may look measured.
RINGING = 0.1
# Side of JPEG's blocks.
BLOCK = 8
# Text leaves at least this part of a row its ground; single rows of a frame or of a scale bar are all ink.
GROUND = 0.5
# Ink against ground, in grey levels of 255.
CONTRAST = 60
# Of what is not ground, this much is nearer to ink; in a saturated part of a specimen most is nearly ground.
INK = 0.45
# Part of the image's height: the thinnest bar holds one line of text, a thick one is no bar.
THINNEST, THICKEST = 0.015, 0.25
# Ground lost from the last rows of the bar to the first of the image, as part of a row.
EDGE = 0.2
# Letters and marks: a bar without any is a dark margin of the specimen.
FEWEST_MARKS = 4


@dataclass(frozen=True)
class Databar:
    """Rows ``start`` to ``stop`` (half open) of an image ``height`` rows high, at its top or bottom edge."""

    start: int
    stop: int
    height: int

    @property
    def image_rows(self) -> tuple[int, int]:
        """Rows (first, end) of what was measured."""
        return (self.stop, self.height) if self.start == 0 else (0, self.start)

    def cut(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """``image`` (y, x) without the bar."""
        first, end = self.image_rows
        return image[first:end]


def find_databar(image: npt.NDArray[Any]) -> Databar | None:
    """Find the databar of one grey image; a proposal to be shown, None where there is none.

    Parameters
    ----------
    image
        (y, x), any dtype.

    What it can and cannot tell: a bar over the full width along the bottom or the top edge, with text in it. Text or
    a scale bar written into the image itself is not found.
    """
    # the full span: letters are often the only saturated pixels
    low, high = _span(image)
    height = image.shape[0]
    thickest = int(height * THICKEST)
    bottom = _bar_height(_as_8_bit(image[::-1][: thickest + 1], low, high), height)
    if bottom:
        return Databar(height - bottom, height, height)
    top = _bar_height(_as_8_bit(image[: thickest + 1], low, high), height)
    return Databar(0, top, height) if top else None


def _span(image: npt.NDArray[Any]) -> tuple[float, float]:
    """Darkest and brightest grey; what is not finite counts as 0."""
    if image.dtype.kind != "f":
        return float(image.min()), float(image.max())
    low, high = np.inf, -np.inf
    for row in image:
        finite = np.nan_to_num(row.astype(np.float32), posinf=0, neginf=0)
        low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return low, high


def _as_8_bit(image: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image
    grey = np.empty(image.shape, np.uint8)
    for row, line in zip(grey, image, strict=True):
        values = np.nan_to_num(line.astype(np.float32), posinf=0, neginf=0)
        row[:] = (values - low) / ((high - low) or 1.0) * 255
    return grey


def _bar_height(grey: npt.NDArray[np.uint8], height: int) -> int:
    """Rows of the bar that begins at row 0 of ``grey``, as much as may be bar of ``height`` rows; 0 where there is none."""
    width = grey.shape[1]
    thickest = int(height * THICKEST)
    strip = grey.astype(np.int16)
    if thickest < 8 or width < 32:
        return 0
    drawn = np.array([_is_drawn(row) for row in strip])
    share = np.cumsum(drawn) / np.arange(1, len(drawn) + 1)
    ends = np.flatnonzero(drawn & (share >= 1 - RINGING))
    rows = int(ends[-1]) + 1 if len(ends) else 0
    if not height * THINNEST <= rows <= thickest:
        return 0
    bar = strip[:rows]
    ground = _commonest(bar)
    is_ground = np.abs(bar - ground) <= JPEG
    others = np.abs(bar - ground)[~is_ground]
    if others.size == 0:
        return 0
    contrast = float(np.percentile(others, 95))
    half = (others >= contrast / 2).mean()
    if contrast < CONTRAST or half < INK or (~is_ground).mean() > 1 - GROUND:
        return 0
    if label(~is_ground, np.ones((3, 3)))[1] < FEWEST_MARKS:
        return 0
    # JPEG's blocks mix the last rows of the bar with the first of the image
    share = (np.abs(strip - ground) <= JPEG).mean(axis=1)
    last = float(share[max(0, rows - BLOCK) : rows].max())
    for row in range(rows, min(rows + BLOCK, len(strip))):
        if share[row] < GROUND:
            break
        rows += 1
    # a bar ends at once, a saturated part of a specimen little by little
    return rows if rows < len(strip) and last - share[rows] >= EDGE else 0


def _commonest(values: npt.NDArray[np.int16]) -> int:
    return int(np.bincount(values.ravel(), minlength=256).argmax())


def _is_drawn(row: npt.NDArray[np.int16]) -> bool:
    return bool((np.abs(row - _commonest(row)) <= TOLERANCE).mean() >= GROUND)
