"""The phases of a whole volume, on disk: slice by slice, in memory that does not grow with it."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.numbers.components import Components, Mask
from napari_sem_sr.measure.phases import given
from napari_sem_sr.measure.phases.segmentation import NOTHING, Histogram, Labels, Threshold
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True, eq=False)
class Phases:
    """The phases of a volume.

    Parameters
    ----------
    file
        Phase 0, 1, ... of each voxel, `NOTHING` where it has none.
    values
        The label by which each phase is called: that of given labels, else 1, 2, ... from dark to bright.
    levels
        Grey values between them; empty for given labels.
    histogram
        Of the blurred grey values; None for given labels.
    """

    file: PlaneFile
    values: tuple[int, ...]
    levels: tuple[float, ...] = ()
    histogram: Histogram | None = None

    def mask(self, index: int, phase: int) -> Mask:
        """Where in a plane a phase (0, 1, ...) is.

        Parameters
        ----------
        index
            Number of the plane.
        phase
            From 0 on, from dark to bright or in the order of the labels.
        """
        return np.asarray(self.file.read(index) == phase)

    def valid(self, index: int) -> Mask:
        """What of a plane belongs to any phase.

        Parameters
        ----------
        index
            Number of the plane.
        """
        return np.asarray(self.file.read(index) != NOTHING)


def iter_given(stack: SemStack, labels: SemStack, path: Path) -> Generator[Event, None, Phases]:
    """Take the phases of a volume from labels that `given.check_labels` let pass.

    Parameters
    ----------
    stack
        The volume.
    labels
        One whole number for each of its voxels.
    path
        File for the phases, plane by plane.

    Raises
    ------
    InputError
        If they hold one phase only.
    """
    values = yield from given.iter_values(labels)
    file = PlaneFile(path, stack.shape, np.uint8)
    for index in range(stack.shape[0]):
        yield Progress(f"phases of {stack.name}", index, stack.shape[0], "slices")
        file.write(index, given.plane(labels, index, values))
    return Phases(file, values)


def iter_threshold(
    stack: SemStack, threshold: Threshold, path: Path
) -> Generator[Event, None, Phases]:
    """Find the phases of a volume by grey value.

    Parameters
    ----------
    stack
        The volume.
    threshold
        How grey values become phases.
    path
        File for the phases, plane by plane.

    Raises
    ------
    InputError
        If there are no two phases.
    """
    histogram = yield from iter_histogram(stack, threshold)
    levels = threshold.chosen(histogram, stack.name)
    file = PlaneFile(path, stack.shape, np.uint8)
    counts = np.zeros(256, np.int64)
    for index in range(stack.shape[0]):
        yield Progress(f"phases of {stack.name}", index, stack.shape[0], "slices")
        plane = threshold.plane(threshold.blurred(stack.slice(index)), levels)
        counts += np.bincount(plane.ravel(), minlength=256)
        file.write(index, plane)
    if threshold.hysteresis:
        yield from _iter_hysteresis(stack, file, path.parent)
    n = 2 if threshold.hysteresis else len(levels) + 1
    for number in range(n):
        if not counts[number] and not threshold.hysteresis:
            raise InputError(
                f"Nothing of '{stack.name}' has a grey value of phase {number + 1} "
                f"(thresholds {', '.join(f'{v:g}' for v in levels)}); give others."
            )
    return Phases(file, tuple(range(1, n + 1)), levels, histogram)


def iter_histogram(stack: SemStack, threshold: Threshold) -> Generator[Event, None, Histogram]:
    """Count the grey values of all voxels, as they are after the blur.

    Parameters
    ----------
    stack
        The volume.
    threshold
        Says how much is blurred.
    """
    low, high = math.inf, -math.inf
    for index in range(stack.shape[0]):
        yield Progress(f"grey values of {stack.name}", index, 2 * stack.shape[0], "slices")
        plane = stack.slice(index)
        finite = plane[np.isfinite(plane)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if not math.isfinite(low):
        raise InputError(f"'{stack.name}' is NaN everywhere; there is nothing to measure.")
    histogram = Histogram(low, high)
    if low == high:
        return histogram
    for index in range(stack.shape[0]):
        yield Progress(
            f"grey values of {stack.name}", stack.shape[0] + index, 2 * stack.shape[0], "slices"
        )
        histogram.add(threshold.blurred(stack.slice(index)))
    return histogram


def _iter_hysteresis(
    stack: SemStack, file: PlaneFile, folder: Path
) -> Generator[Event, None, None]:
    """Keep of phase 1 what hangs together with phase 2, as the second of two phases."""
    components = Components(stack.shape[0], folder)
    total = 2 * stack.shape[0]
    for index in range(stack.shape[0]):
        yield Progress(f"hysteresis of {stack.name}", index, total, "slices")
        plane = file.read(index)
        components.add(index, _above(plane), plane == 2)
    components.settled()
    chosen = np.append(False, components.marked)
    for index in range(stack.shape[0]):
        yield Progress(f"hysteresis of {stack.name}", stack.shape[0] + index, total, "slices")
        plane = file.read(index)
        kept = chosen[components.plane(index, _above(plane))].astype(np.uint8)
        file.write(index, np.where(plane == NOTHING, NOTHING, kept))
    components.close()


def _above(plane: Labels) -> Mask:
    return np.asarray((plane == 1) | (plane == 2))
