"""Slices laid over each other before anything is learned from what lies between them."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.slices import Alignment, Examination, iter_examine
from napari_sem_sr.stack import SemStack

# Pairs of neighbours by which an alignment is judged, and the part of their difference it has to leave at most:
# structure that really runs obliquely, or changes from slice to slice, looks like wander too.
_PAIRS = 32
BETTER = 0.9
# Findings about single slices that are said one by one; more of them are counted.
_SAID = 3


@dataclass(frozen=True, eq=False)
class Steadied:
    """A stack whose slices lie over each other.

    Parameters
    ----------
    stack
        The part that all slices show.
    undone
        "nothing", "wander" or "shear".
    """

    stack: SemStack
    undone: str


def iter_steady(stack: SemStack) -> Generator[Event, None, Steadied]:
    """Undo irregular wander, and shear that the tilt explains; say what else is odd about the slices.

    Either is undone only if neighbouring slices are clearly more alike then. A steady drift that the tilt does not
    explain stays: it cannot be told from structure that runs obliquely.

    Parameters
    ----------
    stack
        As it was read.
    """
    found = yield from iter_examine(stack)
    single = [f for f in found.findings if f.slice is not None]
    for finding in single[:_SAID]:
        yield Notice(finding.sentence)
    if len(single) > _SAID:
        yield Notice(
            f"{len(single) - _SAID} more slices are odd; sem-sr isotropic takes all slices as they are."
        )
    steady = [f for f in found.findings if f.slice is None]
    if any(f.kind == "shear" for f in steady):
        candidate, what = _shear(stack, found), "shear"
    elif steady:
        candidate, what = found.alignment(), "wander"
    else:
        return Steadied(stack, "nothing")
    before, after = yield from in_background(
        lambda: (_unlike(stack, None), _unlike(stack, candidate)), "comparing neighbouring slices"
    )
    if after < before * BETTER:
        return (yield from _iter_undone(stack, candidate, what))
    return Steadied(stack, "nothing")


def _unlike(stack: SemStack, alignment: Alignment | None) -> float:
    """Mean squared difference of neighbouring slices, once laid over each other; where all slices show something."""
    aligned = stack if alignment is None else alignment.applied(stack)
    above = np.unique(np.linspace(0, stack.shape[0] - 2, _PAIRS).round().astype(int))
    differences = []
    for z in above:
        a, b = (aligned.slice(int(k)).astype(np.float64) for k in (z, z + 1))
        differences.append(float(np.nanmean((a - b) ** 2)))
    return float(np.mean(differences))


def _shear(stack: SemStack, found: Examination) -> Alignment:
    along_y = float(np.median([y for y, _ in found.steps[1:]]))
    return Alignment.of_shear(stack, 1 if along_y > 0 else -1)


def _iter_undone(
    stack: SemStack, alignment: Alignment, what: str
) -> Generator[Event, None, Steadied]:
    aligned = alignment.applied(stack)
    lost = [a - b for a, b in zip(stack.shape[1:], aligned.shape[1:], strict=True)]
    yield Notice(
        f"The slices' {what} was undone by whole pixels: the volume shows the part that all slices show, "
        f"{lost[0]} rows and {lost[1]} columns less."
    )
    return Steadied(aligned, what)
