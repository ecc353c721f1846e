"""Teacher images, and their split by specimen into train, calibration and test."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import is_zarr, list_images, read_stack
from napari_sem_sr.io.databar import Databar, find_databar
from napari_sem_sr.io.metadata.merged import databar_notice
from napari_sem_sr.stack import SemStack

SplitUnit = Literal["specimen", "image", "part of one image"]
# Shares of the specimens kept for calibration and test.
HELD_OUT = 0.2
# A part of one image held out for testing, when there is only one image.
TEST_PART = 0.25


@dataclass(frozen=True, eq=False)
class Teacher:
    """One high-resolution image.

    Parameters
    ----------
    image
        (y, x) in its own dtype.
    name
        For people: file stem, with the slice number for stacks.
    group
        The specimen it shows; images of one group are never split.
    pixel_nm
        Pixel size in nm, None if unknown.
    instrument
        Maker and model as text, "" if unknown.
    field
        Images of one field, or slices of one stack, share its name; "" for an image of its own.
    databar
        Found in ``image`` and still part of it: a proposal, which `without_databar` follows.
    lr
        What a coarser microscope recorded of the same field, ``(y/f, x/f)``, registered to ``image``; None where LR is
        to be made of ``image``.
    """

    image: npt.NDArray[Any]
    name: str
    group: str
    pixel_nm: float | None = None
    instrument: str = ""
    field: str = ""
    databar: Databar | None = None
    lr: npt.NDArray[Any] | None = None

    @cached_property
    def content_hash(self) -> str:
        """Hash of the pixels."""
        digest = hashlib.blake2b(np.ascontiguousarray(self.image).tobytes(), digest_size=20)
        if self.lr is not None:
            digest.update(np.ascontiguousarray(self.lr).tobytes())
        return f"blake2b:{digest.hexdigest()}"

    @property
    def seed(self) -> int:
        """Seed of what is random in its degradation wherever that must be the same each time."""
        return int(self.content_hash[-8:], 16)


@dataclass(frozen=True)
class Split:
    """Teachers by purpose; ``unit`` says how independent the held-out ones are.

    Parameters
    ----------
    train
        What networks learn from.
    calibration
        What the answer checks are calibrated on.
    test
        What scores are measured on.
    """

    train: tuple[Teacher, ...]
    calibration: tuple[Teacher, ...]
    test: tuple[Teacher, ...]
    unit: SplitUnit


def group_name(stem: str) -> str:
    """Specimen by file name: the part before the first underscore, without a running number.

    Parameters
    ----------
    stem
        Name of the file without suffix.
    """
    prefix, _, rest = stem.partition("_")
    return prefix if rest else (re.sub(r"[-_ ]*\d+$", "", stem) or stem)


def teachers_of(stack: SemStack, group: str | None = None) -> list[Teacher]:
    """Each slice of ``stack`` as a teacher of one group (slices of one stack are not independent).

    Parameters
    ----------
    group
        Specimen; by default that of the stack's name.
    """
    pixel = stack.voxel_nm[2]
    maker = " ".join(s for s in (stack.instrument.maker, stack.instrument.model) if s)
    several = stack.shape[0] > 1
    found = []
    for z in range(stack.shape[0]):
        image = stack.slice(z)
        found.append(
            Teacher(
                image=image,
                name=f"{stack.name} slice {z}" if several else stack.name,
                group=group or (stack.name if several else group_name(stack.name)),
                pixel_nm=pixel,
                instrument=maker,
                field=stack.name if several else "",
                databar=_databar(image, stack.image_rows),
            )
        )
    return found


def _databar(image: npt.NDArray[Any], rows: tuple[int, int] | None) -> Databar | None:
    if rows is None:
        return find_databar(image)
    first, end = rows
    height = image.shape[0]
    return Databar(end, height, height) if first == 0 else Databar(0, first, height)


def without_databar(teacher: Teacher) -> Teacher:
    """Leave out what was proposed as a databar.

    Parameters
    ----------
    teacher
        Whose databar was found when it was read; others stay as they are.
    """
    if teacher.databar is None:
        return teacher
    return replace(teacher, image=teacher.databar.cut(teacher.image), databar=None)


def read_teachers(
    sources: Sequence[str | Path], *, grey: bool = False, elsewhere: bool = False
) -> tuple[list[Teacher], tuple[str, ...]]:
    """Read teacher images from files and folders; sizes may differ.

    Parameters
    ----------
    sources
        Image files (a multi-page file is a stack: one group) and folders of images.
    grey
        Consent to converting colour photographs.
    elsewhere
        Also read pixels that a file keeps outside of its own folder.

    Returns
    -------
    The teachers, and sentences a person should read (files that were skipped, say).

    Raises
    ------
    InputError
        If nothing readable is there.
    """
    files: list[Path] = []
    notices: list[str] = []
    for source in map(Path, sources):
        if source.is_dir() and not is_zarr(source):
            images, skipped = list_images(source)
            files += images
            notices += skipped
        else:
            files.append(source)
    folders = len({f.parent for f in files}) > 1
    teachers: list[Teacher] = []
    for file in files:
        stack = read_stack(file, grey=grey, elsewhere=elsewhere)
        found = teachers_of(stack)
        # what to do about a databar is another thing for teachers than for a stack
        said = stack.image_rows and databar_notice(file, stack.image_rows, stack.shape[2])
        notices += [n for n in stack.notices if n != said]
        teachers += [
            replace(t, group=f"{file.parent.name}/{t.group}") if folders else t for t in found
        ]
    return teachers, tuple(notices)


def split_teachers(teachers: Sequence[Teacher], seed: int) -> Split:
    """Split by specimen; where there is only one, by field, and a single field (or stack) by parts of its images.

    Parameters
    ----------
    teachers
        At least one.
    seed
        Chooses which specimens are held out.
    """
    if not teachers:
        raise InputError("No teacher image was given; give at least one high-resolution image.")
    groups = sorted({t.group for t in teachers})
    if len(groups) > 1:
        train, calibration, test = _draw(groups, seed)
        return Split(
            tuple(t for t in teachers if t.group in train),
            tuple(t for t in teachers if t.group in calibration),
            tuple(t for t in teachers if t.group in test),
            "specimen",
        )
    fields = [t.field or f"image {i}" for i, t in enumerate(teachers)]
    names = list(dict.fromkeys(fields))
    if len(names) > 1:
        train, calibration, test = _draw(names, seed)
        by_field = list(zip(fields, teachers, strict=True))
        return Split(
            tuple(t for f, t in by_field if f in train),
            tuple(t for f, t in by_field if f in calibration),
            tuple(t for f, t in by_field if f in test),
            "image",
        )
    upper, lower = zip(*(_parts(t) for t in teachers), strict=True)
    return Split(upper, (), lower, "part of one image")


def _parts(only: Teacher) -> tuple[Teacher, Teacher]:
    """Upper and lower part; cut where an LR pixel ends if LR was measured."""
    factor = 1 if only.lr is None else only.image.shape[0] // only.lr.shape[0]
    row = round(only.image.shape[0] * (1 - TEST_PART)) // factor
    parts = []
    for rows, name in ((slice(row), "upper part"), (slice(row, None), "lower part")):
        hr = slice(*(None if n is None else n * factor for n in (rows.start, rows.stop)))
        lr = None if only.lr is None else only.lr[rows]
        parts.append(replace(only, image=only.image[hr], lr=lr, name=f"{only.name}, {name}"))
    return parts[0], parts[1]


def _draw(names: Sequence[str], seed: int) -> tuple[set[str], set[str], set[str]]:
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    n_test = max(1, round(len(names) * HELD_OUT))
    # calibration only where at least one specimen is left to learn from
    n_calibration = max(1, round(len(names) * HELD_OUT)) if len(names) >= 3 else 0
    test, calibration = order[:n_test], order[n_test : n_test + n_calibration]
    return set(order[n_test + n_calibration :]), set(calibration), set(test)
