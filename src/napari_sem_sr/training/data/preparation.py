"""From images as they were read to what a training learns from: teachers, their split, the factor, the degradation.

Every training goes through here, whoever starts it: databars are left out, teachers brought to scale, their degradation
matched to the stack they are for, and images of one place kept on one side of the split.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from napari_sem_sr.degradation.match import Match, iter_match
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.prepare import Prepared, iter_prepare, large_enough, listed
from napari_sem_sr.teachers.teacher import Split, Teacher, split_teachers
from napari_sem_sr.training.data.few_specimens import (
    leaves_one_group_out,
    split_leaving_one_group_out,
)
from napari_sem_sr.training.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training learns from.

    Parameters
    ----------
    split
        Teachers by purpose.
    leave_one_group_out
        Whether specimens are so few that each is left out once; all are learned from and tested on then.
    settings
        As given, with the factor and the degradation that were found.
    """

    split: Split
    leave_one_group_out: bool
    settings: TrainSettings


def iter_training_data(
    teachers: Sequence[Teacher],
    settings: TrainSettings,
    *,
    lr: SemStack | None = None,
    pixel_nm: float | None = None,
    split: Split | None = None,
) -> Generator[Event, None, TrainingData]:
    """Prepare teachers and split them by specimen.

    Parameters
    ----------
    teachers
        As read; those of ``split`` where there is one.
    settings
        A factor or a degradation that was set in them is kept, others are found: the factor between the pixel sizes,
        and what makes teachers look like ``lr``.
    lr
        Stack that the model is for.
    pixel_nm
        Pixel size of the teachers, where files do not say it or are wrong.
    split
        Who is learned from and who is held out, as somebody decided it. What turns out to show the same place as a
        held-out image is not learned from.

    Raises
    ------
    InputError
        If teachers, stack and factor do not fit together, or nothing is left to learn from.
    """
    given = teachers if split is None else everyone(split)
    said = settings.model_fields_set
    prepared = yield from _iter_prepared(
        given, lr=lr, factor=settings.factor if "factor" in said else None, pixel_nm=pixel_nm
    )
    found: dict[str, Any] = {"factor": prepared.factor}
    if lr is not None and "degradation" not in said and _unmeasured(prepared):
        match = yield from iter_match(_unmeasured(prepared), lr, prepared.factor)
        yield Notice(match.summary())
        found["degradation"] = match.degradation
    settings = settings.model_copy(update=found)
    if split is not None:
        became = {id(given[n]): t for n, t in zip(prepared.kept, prepared.teachers, strict=True)}
        parts = (split.train, split.calibration, split.test)
        train, calibration, test = (
            tuple(became[id(t)] for t in part if id(t) in became) for part in parts
        )
        apart, shown = held_apart(Split(train, calibration, test, split.unit))
        if shown:
            yield Notice(f"Not learned from, as they show what is held out: {listed(shown)}.")
        return TrainingData(apart, False, settings)
    kept, notices = large_enough(prepared.teachers, settings.patch_lr_px * prepared.factor)
    for notice in notices:
        yield Notice(notice)
    leave_one_group_out = leaves_one_group_out(kept)
    parted = (
        split_leaving_one_group_out(kept)
        if leave_one_group_out
        else split_teachers(kept, settings.seed)
    )
    return TrainingData(parted, leave_one_group_out, settings)


def iter_matched(
    teachers: Sequence[Teacher],
    lr: SemStack,
    *,
    factor: int | None = None,
    pixel_nm: float | None = None,
) -> Generator[Event, None, Match]:
    """Find the degradation that a training from ``teachers`` for ``lr`` would use.

    Parameters
    ----------
    factor
        HR pixels per LR pixel; None takes that of the pixel sizes.
    pixel_nm
        Side of the teachers' pixels in nm, where their files do not say it.

    Raises
    ------
    InputError
        If teachers, stack and factor do not fit together, or LR of all teachers was measured.
    """
    prepared = yield from _iter_prepared(teachers, lr=lr, factor=factor, pixel_nm=pixel_nm)
    if not _unmeasured(prepared):
        raise InputError("LR of all teachers was measured; there is nothing to match.")
    return (yield from iter_match(_unmeasured(prepared), lr, prepared.factor))


def everyone(split: Split) -> tuple[Teacher, ...]:
    """Each teacher of a split once.

    Parameters
    ----------
    split
        Teachers by purpose; one may have several.
    """
    return tuple(dict.fromkeys((*split.train, *split.calibration, *split.test)))


def held_apart(split: Split) -> tuple[Split, list[str]]:
    """Take out what shows the place of an image held out for a later purpose, and name it.

    Parameters
    ----------
    split
        Teachers by purpose.

    Raises
    ------
    InputError
        If nothing is left to learn from.
    """
    if split.unit == "part of one image":
        return split, []
    names: list[str] = []
    seen = {_place(t, split) for t in split.test}
    left: list[tuple[Teacher, ...]] = []
    for part in (split.calibration, split.train):
        left.append(tuple(t for t in part if _place(t, split) not in seen))
        names += [t.name for t in part if _place(t, split) in seen]
        seen |= {_place(t, split) for t in part}
    calibration, train = left
    if split.train and not train:
        raise InputError(
            "Every teacher shows part of what is held out; give images of other specimens to learn from."
        )
    return Split(train, calibration, split.test, split.unit), names


def _place(teacher: Teacher, split: Split) -> str:
    """What must lie on one side of ``split``."""
    if split.unit == "specimen":
        return teacher.group
    return teacher.field or teacher.content_hash


def _unmeasured(prepared: Prepared) -> list[Teacher]:
    return [t for t in prepared.teachers if t.lr is None]


def _iter_prepared(
    teachers: Sequence[Teacher],
    *,
    lr: SemStack | None,
    factor: int | None,
    pixel_nm: float | None,
) -> Generator[Event, None, Prepared]:
    """Teachers to scale; those with a measured LR keep it, and say the factor."""
    factors = {t.image.shape[0] // t.lr.shape[0] for t in teachers if t.lr is not None}
    if factor is not None:
        factors.add(factor)
    if len(factors) > 1:
        raise InputError(
            f"Pairs and factor do not agree: {', '.join(f'×{f}' for f in sorted(factors))}; give pairs of one factor."
        )
    return (
        yield from iter_prepare(
            teachers,
            factor=factors.pop() if factors else None,
            lr_pixel_nm=None if lr is None else lr.voxel_nm[2],
            pixel_nm=pixel_nm,
        )
    )
