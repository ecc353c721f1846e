"""Teachers that show the same place: tiles that overlap, neighbouring slices, a field photographed twice.

All pairs are compared. A coarse correlation of high-passed, zero-padded thumbnails proposes one displacement for each
pair; the proposal is believed only if the overlapping parts correlate at four times the detail, by far more than chance
makes images of such texture correlate over so many pixels (Bartlett 1946, J. R. Stat. Soc. Suppl. 8, 27): a few bright
spheres on a dark ground are easily laid over a few others.

What it can and cannot tell: fields of the same magnification, not turned. Images without texture, and overlaps of
less than a tenth of a side, escape it; a strictly periodic specimen is taken to overlap with itself.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.teacher import Teacher

Float = npt.NDArray[np.float32]

# Sides of the two thumbnails: for all pairs, and for those proposed.
COARSE_PX, FINE_PX = 64, 256
# Standard deviation, in thumbnail pixels, of the Gaussian whose local mean is taken off: shading is not a place.
HIGH_PASS = 3.0
# Correlation at the best displacement, in its standard deviations for images that have nothing in common.
PROPOSED = 6.0
# Correlation of the overlapping parts in detail: at least, and in its standard deviations by chance (measured: sparse
# discs and other tiles of one powder up to 11, true overlaps of an eighth under noise 24 and more).
SAME_PLACE, BY_CHANCE = 0.35, 16.0
# Least side of an overlap, as part of the larger image's side, and least number of coarse pixels.
LEAST_SIDE, LEAST_PX = 0.06, 96
# Coarse pixels by which a proposal may be off.
WRONG_BY = 2
PAIRS_PER_EVENT = 256


@dataclass(frozen=True)
class Overlap:
    """``first`` and ``second`` (numbers of teachers) show the same place, ``shift_px`` (y, x) apart.

    Parameters
    ----------
    correlation
        Of both pictures where they overlap, 0 to 1.
    """

    first: int
    second: int
    shift_px: tuple[int, int]
    correlation: float


def iter_overlaps(teachers: Sequence[Teacher]) -> Generator[Event, None, list[Overlap]]:
    """Compare all pairs of teachers that are not known to belong together already.

    Parameters
    ----------
    teachers
        As they were read, in one order.
    """
    count = len(teachers)
    if count < 2:
        return []
    side = max(max(t.image.shape) for t in teachers)
    coarse_by, fine_by = (max(1, round(side / px)) for px in (COARSE_PX, FINE_PX))
    coarse: list[Float] = []
    for number, teacher in enumerate(teachers):
        if number % 8 == 0:
            yield Progress("looking for overlaps", number, count, "images")
        coarse.append(_thumbnail(teacher.image, coarse_by))
    padded = next_fast_len(2 * max(max(c.shape) for c in coarse), real=True)
    spectra = np.stack([rfft2(c, (padded, padded)) for c in coarse])
    fine: dict[int, Float] = {}

    def in_detail(number: int) -> Float:
        if number not in fine:
            fine[number] = _thumbnail(teachers[number].image, fine_by)
        return fine[number]

    found: list[Overlap] = []
    ratio = coarse_by / fine_by
    for first in range(count - 1):
        yield Progress("looking for overlaps", first, count, "images")
        others = [n for n in range(first + 1, count) if not _together(teachers[first], teachers[n])]
        for begin in range(0, len(others), PAIRS_PER_EVENT):
            batch = others[begin : begin + PAIRS_PER_EVENT]
            products = spectra[first] * spectra[batch].conj()
            correlations = irfft2(products, (padded, padded))
            for second, correlation in zip(batch, correlations, strict=True):
                shift = _proposal(correlation, coarse[first].shape, coarse[second].shape)
                if shift is None:
                    continue
                near = (round(shift[0] * ratio), round(shift[1] * ratio))
                reach = round(WRONG_BY * ratio)
                place = _confirmed(in_detail(first), in_detail(second), near, reach)
                if place is not None:
                    (dy, dx), value = place
                    found.append(Overlap(first, second, (dy * fine_by, dx * fine_by), value))
            yield Progress("looking for overlaps", first, count, "images")
    return found


def kept_together(
    teachers: Sequence[Teacher], overlaps: Sequence[Overlap]
) -> tuple[list[Teacher], tuple[str, ...]]:
    """Teachers whose groups (and fields, within a group) are merged where they overlap, and sentences saying so.

    Parameters
    ----------
    teachers
        As they were given to `iter_overlaps`.
    overlaps
        What it found.
    """
    root = list(range(len(teachers)))

    def find(number: int) -> int:
        while root[number] != number:
            number = root[number]
        return number

    for overlap in overlaps:
        a, b = sorted((find(overlap.first), find(overlap.second)))
        root[b] = a
    fields = [find(n) for n in range(len(teachers))]
    groups = _merged_groups(teachers, overlaps)
    members = {new: [old for old in groups if groups[old] == new] for new in set(groups.values())}
    notices = [
        f"Overlapping fields: {_listed(sorted(old))} count as one specimen."
        for new, old in sorted(members.items())
        if len(old) > 1
    ]
    shared = {f for f in fields if fields.count(f) > 1}
    named = [
        replace(
            teacher,
            group=groups[teacher.group],
            field=teachers[field].name if field in shared else teacher.field,
        )
        for teacher, field in zip(teachers, fields, strict=True)
    ]
    return named, tuple(notices)


def _merged_groups(teachers: Sequence[Teacher], overlaps: Sequence[Overlap]) -> dict[str, str]:
    sets = {t.group: {t.group} for t in teachers}
    for overlap in overlaps:
        one, other = (sets[teachers[n].group] for n in (overlap.first, overlap.second))
        if one is not other:
            one |= other
            for group in other:
                sets[group] = one
    return {
        group: group if len(joined) == 1 else _joined(sorted(joined))
        for group, joined in sets.items()
    }


def _joined(groups: Sequence[str]) -> str:
    return " + ".join(groups) if len(groups) <= 3 else f"{groups[0]} + {len(groups) - 1} more"


def _listed(groups: Sequence[str]) -> str:
    quoted = [f"'{g}'" for g in groups[:5]]
    more = f" and {len(groups) - 5} more" if len(groups) > 5 else ""
    return ", ".join(quoted) + more


def _together(a: Teacher, b: Teacher) -> bool:
    return bool(a.field) and a.field == b.field


def _thumbnail(image: npt.NDArray[Any], by: int) -> Float:
    y, x = (n - n % by for n in image.shape)
    small = area_average(np.nan_to_num(image[:y, :x].astype(np.float32)), by)
    detail = small - gaussian_filter(small, HIGH_PASS, mode="nearest")
    return np.asarray(detail / (detail.std() or 1.0), np.float32)


def _lengths(a: int, b: int, padded: int) -> npt.NDArray[np.int64]:
    """Pixels along one axis that overlap when ``b`` is displaced by 0 ... padded - 1 (negative ones wrapped)."""
    shift = (np.arange(padded) + padded // 2) % padded - padded // 2
    common: npt.NDArray[np.int64] = np.minimum(a, shift + b) - np.maximum(0, shift)
    return common.clip(0)


def _proposal(correlation: Float, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, int] | None:
    """Displacement of ``b`` against ``a`` in coarse pixels at which they correlate best; None if that is chance."""
    padded = correlation.shape[0]
    ny, nx = (_lengths(a[k], b[k], padded) for k in (0, 1))
    least = max(1, round(LEAST_SIDE * max(*a, *b)))
    pixels = np.outer(ny * (ny >= least), nx * (nx >= least))
    allowed = pixels >= LEAST_PX
    if not allowed.any():
        return None
    score = np.where(allowed, correlation / np.sqrt(np.maximum(pixels, 1)), -np.inf)
    peak = int(score.argmax())
    if score.flat[peak] < PROPOSED:
        return None
    y, x = divmod(peak, padded)
    return (y + padded // 2) % padded - padded // 2, (x + padded // 2) % padded - padded // 2


def _confirmed(
    a: Float, b: Float, near: tuple[int, int], reach: int
) -> tuple[tuple[int, int], float] | None:
    best, place = 0.0, near
    for dy in range(near[0] - reach, near[0] + reach + 1):
        for dx in range(near[1] - reach, near[1] + reach + 1):
            value = _correlation(a, b, dy, dx)
            if value > best:
                best, place = value, (dy, dx)
    if best < SAME_PLACE:
        return None
    pixels = prod(
        min(n, m + shift) - max(0, shift)
        for n, m, shift in zip(a.shape, b.shape, place, strict=True)
    )
    chance = float(np.sqrt(_shared_texture(a, b) / max(1, pixels)))
    return (place, best) if best >= BY_CHANCE * chance else None


def _shared_texture(a: Float, b: Float) -> float:
    """Sum over displacements of the product of both autocorrelations: pixels that speak as one, by chance."""
    shape = tuple(next_fast_len(n + m, real=True) for n, m in zip(a.shape, b.shape, strict=True))
    one, other = (irfft2(np.abs(rfft2(i - i.mean(), shape)) ** 2, shape) for i in (a, b))
    power = float(one[0, 0] * other[0, 0])
    return float((one * other).sum()) / power if power else 1.0


def _correlation(a: Float, b: Float, dy: int, dx: int) -> float:
    """Of the pixels that ``a`` and ``b``, displaced by (dy, dx), have in common."""
    y0, y1 = max(0, dy), min(a.shape[0], b.shape[0] + dy)
    x0, x1 = max(0, dx), min(a.shape[1], b.shape[1] + dx)
    if y1 - y0 < 2 or x1 - x0 < 2:
        return 0.0
    one, other = a[y0:y1, x0:x1], b[y0 - dy : y1 - dy, x0 - dx : x1 - dx]
    one, other = one - one.mean(), other - other.mean()
    power = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / power if power else 0.0
