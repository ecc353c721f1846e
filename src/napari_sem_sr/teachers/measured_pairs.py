"""Registered pairs of real LR and HR recordings, as teachers whose LR was measured."""

import json
from collections.abc import Sequence
from pathlib import Path

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from napari_sem_sr.teachers.registration.pairs import HR, LR, REGISTRATION
from napari_sem_sr.teachers.scale import FACTORS
from napari_sem_sr.teachers.teacher import Teacher, group_name


def read_pairs(sources: Sequence[str | Path]) -> list[Teacher]:
    """Read pairs written by `iter_register`; each slice of a pair is a teacher, all slices of one are a specimen.

    Parameters
    ----------
    sources
        Folders of one pair each (see `pairs`), or folders of such folders.

    Raises
    ------
    InputError
        If there is no pair, a pair is damaged, or its factor is not 2, 3, 4 or 8.
    """
    folders = [pair for source in sources for pair in _pairs_in(Path(source))]
    return [teacher for folder in folders for teacher in _teachers(folder)]


def _pairs_in(folder: Path) -> list[Path]:
    if (folder / LR).is_file() and (folder / HR).is_file():
        return [folder]
    inner = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [p for p in inner if (p / LR).is_file() and (p / HR).is_file()]
    if not found:
        raise InputError(
            f"'{folder}' holds no pair ({LR} and {HR}); make one with sem-sr register."
        )
    return found


def _teachers(folder: Path) -> list[Teacher]:
    lr, hr = read_stack(folder / LR), read_stack(folder / HR)
    factor = hr.shape[1] // lr.shape[1]
    if hr.shape != (lr.shape[0], factor * lr.shape[1], factor * lr.shape[2]):
        raise InputError(
            f"The pair '{folder}' does not lie pixel on pixel: LR {lr.shape}, HR {hr.shape}; make it again with sem-sr register."
        )
    if factor not in FACTORS:
        raise InputError(
            f"The pair '{folder}' is made for ×{factor}; a model is made for 2, 3, 4 or 8: register it with one of these."
        )
    name = _recorded_name(folder)
    several = lr.shape[0] > 1
    return [
        Teacher(
            image=hr.slice(z),
            name=f"{name} slice {z}" if several else name,
            group=group_name(name),
            pixel_nm=hr.voxel_nm[2],
            field=name if several else "",
            lr=lr.slice(z),
        )
        for z in range(lr.shape[0])
    ]


def _recorded_name(folder: Path) -> str:
    """Name of the HR recording, from which the specimen is told; that of the folder where it is not written down."""
    try:
        described = json.loads((folder / REGISTRATION).read_text(encoding="utf-8"))
        return str(described["hr"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name
