"""What a training is made of: teachers, the factor between them and LR, and how LR comes from HR."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation
from napari_sem_sr.degradation.match import Match, iter_match
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.prepare import iter_prepare
from napari_sem_sr.teachers.teacher import Teacher


@dataclass(frozen=True, eq=False)
class Plan:
    """Teachers ready to be learned from; ``match`` is None where no stack was given to match."""

    teachers: tuple[Teacher, ...]
    factor: int
    degradation: Degradation = AREA_AVERAGE
    match: Match | None = None


def iter_plan(
    teachers: Sequence[Teacher],
    *,
    lr: SemStack | None = None,
    factor: int | None = None,
    pixel_nm: float | None = None,
) -> Generator[Event, None, Plan]:
    """Prepare teachers and, where there is a stack they are for, match their degradation to it.

    Parameters
    ----------
    teachers
        As read; those with a measured LR keep it, and say the factor.
    lr
        Stack that the model is for.
    factor
        Upscale factor where pixel sizes and pairs do not say it.
    pixel_nm
        Pixel size of the teachers, where files do not say it or are wrong.

    Raises
    ------
    InputError
        If teachers, pairs, stack and factor do not fit together.
    """
    measured = [t for t in teachers if t.lr is not None]
    loose = [t for t in teachers if t.lr is None]
    factors = {t.image.shape[0] // t.lr.shape[0] for t in measured if t.lr is not None}
    if factor is not None:
        factors.add(factor)
    if len(factors) > 1:
        raise InputError(
            f"Pairs and factor do not agree: {', '.join(f'×{f}' for f in sorted(factors))}; give pairs of one factor."
        )
    prepared = yield from iter_prepare(
        teachers,
        factor=factors.pop() if factors else None,
        lr_pixel_nm=None if lr is None else lr.voxel_nm[2],
        pixel_nm=pixel_nm,
    )
    if lr is None or not loose:
        return Plan(prepared.teachers, prepared.factor)
    unmeasured = [t for t in prepared.teachers if t.lr is None]
    match = yield from iter_match(unmeasured, lr, prepared.factor)
    yield Notice(match.summary())
    return Plan(prepared.teachers, prepared.factor, match.degradation, match)
