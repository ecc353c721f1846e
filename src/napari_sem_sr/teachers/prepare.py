"""From images as they were read to teachers that a training takes: cropped, to scale, and grouped by place."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.teachers.overlap import iter_overlaps, kept_together
from napari_sem_sr.teachers.scale import COARSER, SAME, factor_between, resample
from napari_sem_sr.teachers.teacher import Teacher, without_databar

DEFAULT_FACTOR = 4
# More names than this help nobody.
_NAMED = 5


@dataclass(frozen=True)
class Prepared:
    """Teachers ready to be split and learned from, and the factor they are for.

    ``kept`` are their numbers among those that were given.

    Parameters
    ----------
    teachers
        Cropped, to scale, and grouped by place.
    factor
        HR pixels per LR pixel.
    """

    teachers: tuple[Teacher, ...]
    factor: int
    kept: tuple[int, ...]


def iter_prepare(
    teachers: Sequence[Teacher],
    *,
    factor: int | None = None,
    lr_pixel_nm: float | None = None,
    pixel_nm: float | None = None,
) -> Generator[Event, None, Prepared]:
    """Leave out databars, find the factor, resample teachers to LR pixel / factor, keep overlapping fields together.

    What was done is said in `Notice` events.

    Parameters
    ----------
    teachers
        As read; those whose ``databar`` a person did not believe have it set to None.
    factor
        Upscale factor; by default that between the pixel sizes, and 4 where these are not known.
    lr_pixel_nm
        Pixel size of the stack that the model is for; None if unknown.
    pixel_nm
        Pixel size of all teachers where files do not say it or are wrong.

    Raises
    ------
    InputError
        If no teacher is left, or pixel sizes do not fit a factor.
    """
    if not teachers:
        raise InputError("No teacher image was given; give at least one high-resolution image.")
    ready = [
        t if t.lr is not None else replace(t, pixel_nm=pixel_nm or t.pixel_nm) for t in teachers
    ]
    barred = [t for t in ready if t.databar is not None]
    if barred:
        yield Notice(f"Databars are left out of {listed([_with_rows(t) for t in barred])}.")
        ready = [without_databar(t) for t in ready]
    shown, flat = with_contrast(ready)
    ready = [ready[n] for n in shown]
    for notice in flat:
        yield Notice(notice)
    known = [t.pixel_nm for t in ready if t.pixel_nm is not None and t.lr is None]
    if factor is None:
        both = bool(known) and lr_pixel_nm is not None
        factor = factor_between(known, lr_pixel_nm) if both and lr_pixel_nm else DEFAULT_FACTOR
    numbers = tuple(range(len(ready)))
    if lr_pixel_nm is not None:
        numbers, ready = yield from _to_scale(ready, lr_pixel_nm, factor)
    elif known and max(known) > (1 + SAME) * min(known):
        yield Notice(
            f"Teachers have pixels of {min(known):.4g} to {max(known):.4g} nm; the model will not know which it is "
            "looking at. Give the stack it is for, and they are resampled to one size."
        )
    overlaps = yield from iter_overlaps(ready)
    ready, said = kept_together(ready, overlaps)
    for notice in said:
        yield Notice(notice)
    return Prepared(tuple(ready), factor, tuple(shown[n] for n in numbers))


def _to_scale(
    teachers: Sequence[Teacher], lr_pixel_nm: float, factor: int
) -> Generator[Event, None, tuple[tuple[int, ...], list[Teacher]]]:
    """Teachers in pixels of ``lr_pixel_nm / factor``, and their numbers among those that were given."""
    target = lr_pixel_nm / factor
    coarse = [
        t
        for t in teachers
        if t.lr is None and t.pixel_nm is not None and target < COARSER * t.pixel_nm
    ]
    numbers = tuple(n for n, t in enumerate(teachers) if not any(t is c for c in coarse))
    kept = [teachers[n] for n in numbers]
    if not kept:
        raise InputError(
            f"Teachers need pixels of {target:.4g} nm for ×{factor} of a stack of {lr_pixel_nm:.4g} nm, but all are coarser; "
            "choose a smaller factor or give finer teachers."
        )
    if coarse:
        yield Notice(
            f"Left out, as their pixels are coarser than {target:.4g} nm: {listed([t.name for t in coarse])}."
        )
    unknown = [t.name for t in kept if t.pixel_nm is None and t.lr is None]
    if unknown:
        yield Notice(
            f"Pixel size unknown, taken as {target:.4g} nm: {listed(unknown)}; type it in if that is wrong."
        )
    ready = [t if t.lr is not None else resample(t, target) for t in kept]
    changed = sum(a is not b for a, b in zip(kept, ready, strict=True))
    if changed:
        yield Notice(
            f"{changed} of {len(kept)} teachers resampled to {target:.4g} nm, the stack's {lr_pixel_nm:.4g} nm / {factor}."
        )
    return numbers, ready


def with_contrast(teachers: Sequence[Teacher]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Numbers of the teachers that show something, and a sentence naming the others.

    Of one grey there is nothing to learn, and nothing to score: a blank image that is drawn blank is infinitely right.

    Parameters
    ----------
    teachers
        As they were read.

    Raises
    ------
    InputError
        If none shows anything.
    """
    flat = [_is_flat(t.image) or (t.lr is not None and _is_flat(t.lr)) for t in teachers]
    kept = tuple(n for n, is_flat in enumerate(flat) if not is_flat)
    if len(kept) == len(teachers):
        return kept, ()
    names = listed([t.name for t, is_flat in zip(teachers, flat, strict=True) if is_flat])
    if not kept:
        raise InputError(f"No teacher image has any contrast ({names}); give images of a specimen.")
    return kept, (f"Left out, as they have no contrast: {names}.",)


def _is_flat(image: npt.NDArray[Any]) -> bool:
    values = image[np.isfinite(image)] if image.dtype.kind == "f" else image
    return values.size == 0 or bool(values.min() == values.max())


def large_enough(
    teachers: Sequence[Teacher], patch_px: int
) -> tuple[tuple[Teacher, ...], tuple[str, ...]]:
    """Teachers that hold a training patch, and a sentence naming the others.

    All are kept where none is large enough, so that the refusal names one.

    Parameters
    ----------
    teachers
        As they were read.
    patch_px
        Side of a training patch in HR pixels.
    """
    small = [t for t in teachers if min(t.image.shape) < patch_px]
    if not small or len(small) == len(teachers):
        return tuple(teachers), ()
    kept = tuple(t for t in teachers if min(t.image.shape) >= patch_px)
    names = listed([t.name for t in small])
    return kept, (f"Left out, as training needs {patch_px} × {patch_px} pixels: {names}.",)


def _with_rows(teacher: Teacher) -> str:
    bar = teacher.databar
    return f"{teacher.name}, rows {bar.start}:{bar.stop}" if bar else teacher.name


def listed(names: Sequence[str]) -> str:
    """Name up to five, and count the others.

    Parameters
    ----------
    names
        In the order in which they are named.
    """
    shown = ", ".join(f"'{n}'" for n in names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
