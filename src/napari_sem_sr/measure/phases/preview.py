"""What phases would be on one slice, before a whole volume is measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.measure.phases.segmentation import NOTHING, Histogram, Labels, Threshold
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True, eq=False)
class Preview:
    """Phases of one slice.

    Parameters
    ----------
    labels
        (y, x): 1, 2, ... from dark to bright, 0 where it is NaN.
    levels
        Grey values between the phases.
    grey, share
        Histogram: grey values, and the share of pixels in percent.
    """

    labels: Labels
    levels: tuple[float, ...]
    grey: npt.NDArray[Any]
    share: npt.NDArray[Any]


def preview(stack: SemStack, index: int, threshold: Threshold) -> Preview:
    """Find the phases of slice ``index`` by its own grey values; with hysteresis, what may be kept is in it too.

    Parameters
    ----------
    stack
        The volume.
    threshold
        How grey values become phases.

    Raises
    ------
    InputError
        If the slice has no two phases by this threshold.
    """
    plane = stack.slice(index)
    finite = plane[np.isfinite(plane)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    histogram = Histogram(low, high)
    smooth = threshold.blurred(plane)
    if low < high:
        histogram.add(smooth)
    levels = threshold.chosen(histogram, f"slice {index} of {stack.name}")
    phases = threshold.plane(smooth, levels)
    labels = np.where(phases == NOTHING, 0, phases + 1).astype(np.uint8)
    counts = histogram.counts.reshape(-1, 8).sum(1)
    middles = histogram.middles.reshape(-1, 8).mean(1)
    return Preview(labels, levels, middles, 100 * counts / max(1, counts.sum()))
