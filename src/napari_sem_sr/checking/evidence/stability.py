"""Whether SR depends on how the slice lies: LR flipped and turned in eight ways, upscaled, and turned back.

A structure in the sample does not know which way up the camera was. Where the eight pictures differ, the network
decides by itself; the map is their standard deviation. Eight pictures cost eight times the upscaling, so that it is
measured on up to `SAMPLED_SLICES` slices of a stack.

Source: test-time augmentation as a measure of uncertainty (Wang et al. 2019, Neurocomputing 338, 34).

What it can and cannot tell: it localises error about as well as the amount of invention does. What all eight draw alike can
still be wrong.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.metrics.resample import area_average

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

SAMPLED_SLICES = 4
VIEWS = 8


def sampled(slices: int) -> frozenset[int]:
    """Slices on which it is measured."""
    picks = np.linspace(0, slices - 1, min(slices, SAMPLED_SLICES)).round().astype(int)
    return frozenset(int(i) for i in picks)


def instability(upscale: Callable[[Image], Image], lr: Image, factor: int) -> Float:
    """Standard deviation over the eight views, root mean square over LR pixels, (y, x) of LR in grey levels.

    Parameters
    ----------
    upscale
        (y, x) of LR to SR.
    lr
        One slice.
    """
    total = np.zeros((factor * lr.shape[0], factor * lr.shape[1]))
    squares = np.zeros_like(total)
    first = None
    for view in range(VIEWS):
        turned = np.rot90(lr.T if view >= VIEWS // 2 else lr, view)
        seen = np.rot90(upscale(np.ascontiguousarray(turned)), -view).astype(np.float64)
        seen = seen.T if view >= VIEWS // 2 else seen
        # differences to the first view are small, so that their squares lose nothing
        first = seen if first is None else first
        total += seen - first
        squares += (seen - first) ** 2
    variance = np.maximum(squares / VIEWS - (total / VIEWS) ** 2, 0) * VIEWS / (VIEWS - 1)
    return np.sqrt(area_average(variance, factor)).astype(np.float32)


def sums(image: Float) -> dict[str, float]:
    """Squares of a map and how many there are, for the journal."""
    valid = image[np.isfinite(image)].astype(np.float64)
    return {"squared": float(np.dot(valid, valid)), "n": float(valid.size)}


def rms_of(slices: Sequence[Mapping[str, float]]) -> float | None:
    """Root mean square of `sums` of several slices; None without any."""
    n = sum(s["n"] for s in slices)
    return math.sqrt(sum(s["squared"] for s in slices) / n) if n else None
