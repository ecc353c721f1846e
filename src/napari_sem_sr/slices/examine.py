"""What is odd about the slices of a stack, each by its number; nothing is changed.

Each slice is read once and reduced to a small picture and a few numbers, so that memory does not grow with
the stack.

What it can and cannot tell: doubled slices are those with the very same pixels. Neighbours that differ far more
than neighbours usually do are named as a jump: slices may be missing there, or the stage moved. Slow changes of
brightness are no jumps.
"""

import hashlib
import re
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.registration import phase_cross_correlation

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.geometry import shear_nm
from napari_sem_sr.slices.alignment import FEWEST, Alignment, steady
from napari_sem_sr.slices.findings import Examination, Finding
from napari_sem_sr.stack import SemStack

# Width in pixels to which slices are reduced for comparing them.
_SMALL = 256
# Beyond so many robust standard deviations (and a floor) a value is unlike its neighbours.
_UNLIKE = 6.0
_LEAST_GREY = 0.05  # of the range of greys
_LEAST_SHIFT = 2.0  # pixels
# A drift worth a sentence, in pixels over the stack.
_DRIFT = 4.0
# A steady step along y within this part of the tilt's shear is that shear.
_LIKE_SHEAR = 0.15
# This part of a slice's rows being one grey at its end is worth a sentence.
_BLANK = 0.02
# Neighbours that differ by this much more than usual.
_JUMP = 1.6
_TO_SD = 1.4826


@dataclass(frozen=True)
class _Slice:
    grey: float
    spread: float
    blank_rows: int
    digest: bytes
    step: tuple[float, float]
    change: float


def examine(stack: SemStack) -> Examination:
    """Examine every slice; see :func:`iter_examine`.

    Parameters
    ----------
    stack
        As it was read.
    """
    return drain(iter_examine(stack))


def iter_examine(stack: SemStack) -> Generator[Event, None, Examination]:
    """Read every slice once and say what is odd.

    Parameters
    ----------
    stack
        As it was read; each slice is read once.

    Yields
    ------
    Event
        Progress after each slice.

    Returns
    -------
    Examination
        Findings by slice, and the shifts of neighbours by phase correlation (Kuglin and Hines 1975; subpixel as
        Guizar-Sicairos et al., Optics Letters 33, 156, 2008).
    """
    count = stack.shape[0]
    step = max(1, round(max(stack.shape[1:]) / _SMALL))
    measured: list[_Slice | None] = []
    findings = _missing_numbers(stack)
    before: npt.NDArray[np.float32] | None = None
    digest = b""
    for z in range(count):
        try:
            image = stack.slice(z)
        except SemSrError as error:
            findings.append(Finding("unreadable", z, f"Slice {z} cannot be read: {error}"))
            measured.append(None)
        else:
            small = _reduced(image, step)
            flat = _flat(small)
            now = _measure(image, small, step, _compare(before, flat))
            if digest == now.digest:
                findings.append(
                    Finding("doubled", z, f"Slice {z} has the very same pixels as the one before.")
                )
            measured.append(now)
            before, digest = flat, now.digest
        yield Progress("examining slices", z + 1, count, "slices")
    steps = np.array([s.step if s else (0.0, 0.0) for s in measured])
    findings += [
        *_blank(measured, stack.shape[1]),
        *_brightness(measured),
        *_jumps(measured),
        *_drift(stack, steps),
    ]
    findings.sort(key=lambda f: (f.slice is None, f.slice or 0))
    return Examination(tuple(findings), tuple((float(y), float(x)) for y, x in steps))


def _reduced(image: npt.NDArray[Any], step: int) -> npt.NDArray[np.float32]:
    """Average blocks of step x step pixels; NaN counts as the middle of the rest."""
    y, x = (n // step * step for n in image.shape)
    cut = image[:y, :x].astype(np.float32)
    if image.dtype.kind == "f" and not np.isfinite(cut).all():
        good = np.isfinite(cut)
        cut = np.where(good, cut, np.median(cut[good]) if good.any() else 0)
    reduced: npt.NDArray[np.float32] = cut.reshape(y // step, step, x // step, step).mean((1, 3))
    return reduced


def _measure(
    image: npt.NDArray[Any],
    small: npt.NDArray[np.float32],
    step: int,
    compared: tuple[tuple[float, float], float],
) -> _Slice:
    low, middle, high = np.percentile(small, (1, 50, 99))
    shift, change = compared
    return _Slice(
        grey=float(middle),
        spread=float(high - low),
        blank_rows=_blank_rows(image),
        digest=hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest(),
        step=(shift[0] * step, shift[1] * step),
        change=change,
    )


def _compare(
    before: npt.NDArray[np.float32] | None, now: npt.NDArray[np.float32]
) -> tuple[tuple[float, float], float]:
    """Return how far ``now`` lies from ``before`` (y, x), and how much they differ once laid over each other."""
    if before is None or not before.any() or not now.any():
        return (0.0, 0.0), 0.0
    rows, columns = (np.hanning(n + 2)[1:-1].astype(np.float32) for n in now.shape)
    window = np.outer(rows, columns)
    # unnormalised: the noise of SEM images would outvote their structure
    back: npt.NDArray[np.float32] = phase_cross_correlation(  # type: ignore[no-untyped-call]
        before * window, now * window, upsample_factor=20, normalization=None
    )[0]
    dy, dx = (float(-s) for s in back)
    moved = np.roll(now, (-round(dy), -round(dx)), (0, 1))
    rest = gaussian_filter((moved - before) * window, 1)
    whole = gaussian_filter(before * window, 1)
    return (dy, dx), float(np.sqrt((rest**2).sum() / (whole**2).sum()))


def _flat(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Take slow changes of brightness away, and the contrast of the whole."""
    flat = image - gaussian_filter(image, 16)
    spread = float(flat.std())
    result: npt.NDArray[np.float32] = flat / spread if spread > 0 else np.zeros_like(flat)
    return result


def _blank_rows(image: npt.NDArray[Any]) -> int:
    """Count the rows at the end that are all of one grey, as an interrupted scan leaves them."""
    same = (image == image[-1, :1]).all(axis=1)[::-1]
    return int(len(same) if same.all() else np.argmin(same))


def _missing_numbers(stack: SemStack) -> list[Finding]:
    """Find gaps in the numbers of a folder's files."""
    if len(stack.paths) != stack.shape[0] or len(stack.paths) < 3:
        return []
    numbers = [_number(path) for path in stack.paths]
    steps = [b - a for a, b in pairwise(numbers)]
    usual = sorted(steps)[len(steps) // 2]
    if usual < 1:
        return []
    found: list[Finding] = []
    for z, step in enumerate(steps, start=1):
        gone = step // usual - 1
        if step > usual and gone:
            found.append(
                Finding(
                    "missing",
                    z,
                    f"{gone} slice{'s are' if gone > 1 else ' is'} missing before slice {z} "
                    f"('{stack.paths[z].name}'), by the files' numbers.",
                )
            )
    return found


def _number(path: Path) -> int:
    """Return the last number in a file's name, which counts slices."""
    found = re.findall(r"\d+", path.stem)
    return int(found[-1]) if found else 0


def _blank(measured: list[_Slice | None], height: int) -> list[Finding]:
    rows = [s.blank_rows if s else 0 for s in measured]
    usual = float(np.median(rows))
    return [
        Finding("blank", z, f"Slice {z} is blank from row {height - n} on: its scan was cut short.")
        for z, n in enumerate(rows)
        if n > usual + _BLANK * height
    ]


def _brightness(measured: list[_Slice | None]) -> list[Finding]:
    greys = np.array([s.grey if s else np.nan for s in measured])
    span = np.nanmedian([s.spread if s else np.nan for s in measured]) if any(measured) else 0.0
    found: list[Finding] = []
    for z, step in _unlike(np.diff(greys), _LEAST_GREY * float(span)):
        found.append(
            Finding(
                "brightness",
                z,
                f"Slice {z} is {abs(step) / span:.0%} of the grey range {'brighter' if step > 0 else 'darker'} than "
                "the one before.",
            )
        )
    return found


def _jumps(measured: list[_Slice | None]) -> list[Finding]:
    changes = np.array([s.change if s else np.nan for s in measured])
    shifts = np.array([s.step if s else (0.0, 0.0) for s in measured])
    found: list[Finding] = []
    if len(changes) >= 4:
        usual = float(np.nanmedian(changes[1:]))
        spread = _TO_SD * float(np.nanmedian(np.abs(changes[1:] - usual)))
        limit = max(usual * _JUMP, usual + _UNLIKE * spread)
        found += [
            Finding(
                "jump",
                z,
                f"Slice {z} differs from the one before {changes[z] / usual:.1f} times as much as slices usually do: "
                "slices may be missing before it.",
            )
            for z in range(1, len(changes))
            if usual > 0 and changes[z] > limit
        ]
    for axis, name in enumerate("yx"):
        found += [
            Finding("jump", z, f"Slice {z} lies {step:+.1f} px along {name} from the one before.")
            for z, step in _unlike(shifts[1:, axis], _LEAST_SHIFT)
        ]
    return found


def _unlike(steps: npt.NDArray[np.float64], least: float) -> list[tuple[int, float]]:
    """Return (slice, step) of the steps to a slice that are unlike the others."""
    if len(steps) < 3 or np.isnan(steps).all():
        return []
    middle = np.nanmedian(steps)
    spread = _TO_SD * np.nanmedian(np.abs(steps - middle))
    limit = max(_UNLIKE * float(spread), least)
    return [(z, float(s)) for z, s in enumerate(steps, start=1) if abs(s - middle) > limit]


def _drift(stack: SemStack, steps: npt.NDArray[np.float64]) -> list[Finding]:
    found: list[Finding] = []
    if len(steps) < FEWEST:
        return found
    dy, dx = np.ptp(np.asarray(Alignment.of_steps(steps).wander), axis=0)
    if max(dy, dx) >= _DRIFT:
        found.append(
            Finding(
                "drift",
                None,
                f"Slices wander irregularly, by {dy:.0f} px along y and {dx:.0f} px along x; they can be aligned.",
            )
        )
    along_y, along_x = steady(steps)[-1]
    if max(abs(along_y), abs(along_x)) * len(steps) < _DRIFT:
        return found
    said = (
        f"Slices move steadily by {along_y:+.2f} px along y and {along_x:+.2f} px along x per slice"
    )
    thickness, pixel, _ = stack.voxel_nm
    shear = (
        shear_nm(thickness, stack.tilt_deg) / pixel
        if thickness and pixel and stack.tilt_deg
        else 0.0
    )
    if shear and abs(abs(along_y) - shear) < max(_LIKE_SHEAR * shear, 0.1):
        found.append(
            Finding(
                "shear",
                None,
                f"{said}, as an untracked face at {stack.tilt_deg:.0f} degrees does ({shear:.2f} px): undo it as shear.",
            )
        )
    else:
        found.append(
            Finding(
                "drift",
                None,
                f"{said}, which cannot be told from structure that runs obliquely: undo it only if nothing does.",
            )
        )
    return found
