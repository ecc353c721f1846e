"""The images of a study: simulated ones, or a person's own, split by specimen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import drain
from napari_sem_sr.samples.specimens import Kind, specimens
from napari_sem_sr.samples.truth import Simulated
from napari_sem_sr.teachers.prepare import iter_prepare
from napari_sem_sr.teachers.teacher import Split, Teacher, read_teachers, split_teachers

# Numbers of simulated specimens by purpose; no study draws so many that they meet.
CALIBRATION_FROM = 100_000
TEST_FROM = 200_000


@dataclass(frozen=True)
class Images:
    """Teachers and held-out images of one material.

    Parameters
    ----------
    train
        To be taught with, in the order in which they are added.
    calibration, test
        Of other specimens; the first are looked at during training, the second only at its end.
    material
        What they show, for people.
    truth
        The simulated images behind ``test``; empty for real ones.
    """

    train: tuple[Teacher, ...]
    calibration: tuple[Teacher, ...]
    test: tuple[Teacher, ...]
    material: str
    truth: tuple[Simulated, ...] = ()

    def split(self, count: int | None = None) -> Split:
        """Return the split that teaches with the first ``count`` teachers (all by default)."""
        return Split(self.train[:count], self.calibration, self.test, "specimen")


def simulated_images(
    kind: Kind, teachers: int, held_out: int, teacher_px: int, held_out_px: int
) -> Images:
    """One image of each of ``teachers`` specimens, and ``held_out`` of others for either purpose.

    Parameters
    ----------
    kind
        Material.
    teacher_px
        Side of a teacher.
    held_out_px
        Side of a held-out image.
    """

    def images(count: int, first: int, side: int) -> list[Simulated]:
        return list(specimens(kind, count, first, (side, side)))

    def as_teachers(simulated: Sequence[Simulated]) -> tuple[Teacher, ...]:
        return tuple(Teacher(s.image, s.name, s.specimen, s.pixel_nm) for s in simulated)

    test = images(held_out, TEST_FROM, held_out_px)
    return Images(
        train=as_teachers(images(teachers, 0, teacher_px)),
        calibration=as_teachers(images(held_out, CALIBRATION_FROM, held_out_px)),
        test=as_teachers(test),
        material=f"{test[0].material} (simulated)",
        truth=tuple(test),
    )


def real_images(
    sources: Sequence[Path], held_out: int, held_out_px: int, teacher_px: int | None = None
) -> Images:
    """Images of files and folders, split by specimen; held-out ones are cut to their centres.

    Parameters
    ----------
    sources
        Files, and folders of files.
    held_out, held_out_px
        At most so many images for either purpose, and the sides of what is used of them.
    teacher_px
        What is used of teachers; all of them by default.

    Raises
    ------
    InputError
        If they are not of at least three specimens.
    """
    found = drain(iter_prepare(read_teachers(sources)[0])).teachers
    split = split_teachers(found, seed=0)
    if split.unit != "specimen" or not split.calibration:
        groups = len({t.group for t in found})
        raise InputError(
            f"The images are of {groups} specimen{'s' if groups != 1 else ''} by their file names, but the "
            "study needs three: to teach with, to look at, and to test on."
        )
    return Images(
        train=tuple(_centre(t, teacher_px or max(t.image.shape)) for t in split.train),
        calibration=tuple(_centre(t, held_out_px) for t in split.calibration[:held_out]),
        test=tuple(_centre(t, held_out_px) for t in split.test[:held_out]),
        material=" and ".join(p.name for p in sources),
    )


def _centre(teacher: Teacher, side: int) -> Teacher:
    top, left = (max(0, (n - side) // 2) for n in teacher.image.shape)
    return replace(teacher, image=teacher.image[top : top + side, left : left + side])
