"""Phases that come as labels: from napari, ilastik, micro-sam or any other segmentation."""

from collections.abc import Generator

import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.phases.segmentation import MOST_PHASES, NOTHING, Labels
from napari_sem_sr.stack import SemStack


def check_labels(labels: SemStack, stack: SemStack) -> None:
    """Refuse labels that do not lie on a stack.

    Parameters
    ----------
    labels
        One whole number for each voxel.
    stack
        That they have to lie on.

    Raises
    ------
    InputError
        If their shape differs or they are no whole numbers.
    """
    if labels.shape != stack.shape:
        raise InputError(
            f"The labels '{labels.name}' have the shape {labels.shape}, '{stack.name}' has {stack.shape}; "
            "give labels of the same voxels."
        )
    if labels.dtype.kind not in "ui":
        raise InputError(
            f"'{labels.name}' holds {labels.dtype} values; labels are whole numbers, one for each phase."
        )


def iter_values(labels: SemStack) -> Generator[Event, None, tuple[int, ...]]:
    """The phases that labels hold, rising.

    Parameters
    ----------
    labels
        One whole number for each voxel.

    Raises
    ------
    InputError
        If there is only one, or so many that they are objects rather than phases.
    """
    found: set[int] = set()
    for index in range(labels.shape[0]):
        yield Progress(f"reading {labels.name}", index, labels.shape[0], "slices")
        found.update(int(v) for v in np.unique(labels.slice(index)))
        if len(found) > MOST_PHASES:
            raise InputError(
                f"'{labels.name}' holds more than {MOST_PHASES} labels, which looks like objects and not like phases; "
                "give one label for each phase."
            )
    if len(found) == 1:
        raise InputError(
            f"The labels '{labels.name}' hold nothing but {found.pop()}: this phase fills everything; give two phases or more."
        )
    return tuple(sorted(found))


def plane(labels: SemStack, index: int, values: tuple[int, ...]) -> Labels:
    """Phases 0, 1, ... of a slice, in the order of ``values``.

    Parameters
    ----------
    labels
        One whole number for each voxel.
    index
        Number of the slice.
    """
    image = labels.slice(index)
    phases = np.full(image.shape, NOTHING, np.uint8)
    for number, value in enumerate(values):
        phases[image == value] = number
    return phases
