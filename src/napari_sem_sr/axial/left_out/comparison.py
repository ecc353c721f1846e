"""The test on the user's own stack: slices are left out, predicted, and compared with what was measured there.

Of every N slices one is kept; a network that has seen the kept ones only fills in the others, N times as far apart
as the volume's own network has to bridge, so that the test is harder than the task. Beside it stand linear
interpolation and cubic convolution of the same slices.

What it can and cannot tell: whether the network does better than interpolation on this material, at N times the
spacing. A measured slice is noisy, so that even the true structure scores no more than that noise allows: gains are
smaller than they are against a truth without noise.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.fill.tile import Tile, iter_fill
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.events import Event
from napari_sem_sr.inference.engine.prepared import prepare_slice
from napari_sem_sr.intensity import IntensityRange, to_dtype
from napari_sem_sr.metrics.psnr_ssim import data_range_of

Float = npt.NDArray[np.float32]

# Of longer stacks this many gaps between kept slices are looked at, in runs spread over the stack.
GAPS, RUN = 64, 16
# Of wider slices the middle.
SIDE = 1024


@dataclass(frozen=True)
class SliceScore:
    """Mean squared errors, in grey values², on one slice that was left out.

    Parameters
    ----------
    index
        Number of the slice.
    network
        Of the network.
    linear
        Of linear interpolation.
    cubic
        Of cubic interpolation.
    """

    index: int
    network: float
    linear: float
    cubic: float


@dataclass(frozen=True, eq=False)
class LeftOut:
    """How well slices that were left out are predicted.

    Parameters
    ----------
    slices
        By slice.
    data_range
        Peak value of the PSNR: that of the dtype, for floats the stack's intensity range.
    network_map, linear_map
        Mean squared error by pixel, (y, x).
    """

    slices: tuple[SliceScore, ...]
    data_range: float
    network_map: Float
    linear_map: Float

    @property
    def psnr(self) -> float:
        """PSNR of the network in dB, of the mean squared error over all slices."""
        return self._decibel([s.network for s in self.slices])

    @property
    def linear_psnr(self) -> float:
        """PSNR of linear interpolation in dB."""
        return self._decibel([s.linear for s in self.slices])

    @property
    def cubic_psnr(self) -> float:
        """PSNR of cubic convolution in dB."""
        return self._decibel([s.cubic for s in self.slices])

    def _decibel(self, errors: list[float]) -> float:
        # a perfect prediction would be infinite, which JSON cannot hold
        floor = (self.data_range * 1e-6) ** 2
        return float(10 * np.log10(self.data_range**2 / max(float(np.mean(errors)), floor)))

    def summary(self) -> dict[str, Any]:
        """What goes into ``provenance.left_out``."""
        return {
            "psnr": round(self.psnr, 3),
            "linear_psnr": round(self.linear_psnr, 3),
            "cubic_psnr": round(self.cubic_psnr, 3),
            "n_slices": len(self.slices),
        }


def kept_slices(n_slices: int, every: int) -> list[int]:
    """Slices that are kept where of every ``every`` slices one is.

    Parameters
    ----------
    n_slices
        Of the stack.
    """
    return list(range(0, n_slices, every))


def runs(n_kept: int) -> list[tuple[int, int]]:
    """First and last kept slice of each run whose gaps are looked at.

    Parameters
    ----------
    n_kept
        Slices that are kept.
    """
    gaps = n_kept - 1
    if gaps <= GAPS:
        return [(0, gaps)]
    starts = np.linspace(0, gaps - RUN, GAPS // RUN).round().astype(int)
    return [(int(s), int(s) + RUN) for s in starts]


def iter_left_out(
    read: Callable[[int], npt.NDArray[Any]],
    dtype: np.dtype[Any],
    intensity: IntensityRange,
    n_slices: int,
    every: int,
    network: AxialGenerator,
    device: torch.device,
) -> Generator[Event, None, LeftOut]:
    """Predict what was left out and compare it.

    Parameters
    ----------
    read
        Gives slice z as measured, (y, x).
    dtype
        Of the stack; predictions are rounded to it as the volume's slices are.
    intensity
        Range of the stack.
    n_slices
        Of the stack.
    network
        Learned on the kept slices only, at ``every`` times the stack's ratio.
    device
        Where it is computed.
    """
    kept = kept_slices(n_slices, every)
    scores: list[SliceScore] = []
    sums: list[npt.NDArray[np.float64]] = []
    counted: npt.NDArray[np.float64] | None = None
    for first, last in runs(len(kept)):
        low = max(0, first - network.reach_slices)
        high = min(len(kept), last + 1 + network.reach_slices)
        known = np.stack(
            [
                prepare_slice(_middle(read(kept[k])), intensity, kept[k]).image
                for k in range(low, high)
            ]
        )
        between = [z for a, b in pairwise(kept[first : last + 1]) for z in range(a + 1, b)]
        places = np.array(between) / every - low
        predicted = np.empty((len(places), *known.shape[1:]), np.float32)

        def store(tile: Tile, rows: Float, into: Float = predicted) -> None:
            into[:, *tile] = rows

        what = "predicting slices that were left out"
        yield from iter_fill(network, known, places, store, what, device)
        for number, z in enumerate(between):
            truth = _middle(read(z))
            one = places[number : number + 1]
            answers = [
                predicted[number],
                interpolated(known, one, "linear")[0],
                interpolated(known, one, "cubic")[0],
            ]
            errors = [_error(intensity.restore(a), truth, dtype) for a in answers]
            scores.append(SliceScore(z, *(float(np.nanmean(e)) for e in errors)))
            found = np.isfinite(errors[0])
            if counted is None:
                counted = np.zeros(truth.shape)
                sums = [np.zeros(truth.shape), np.zeros(truth.shape)]
            counted += found
            sums = [t + np.where(found, e, 0) for t, e in zip(sums, errors[:2], strict=True)]
    assert counted is not None
    with np.errstate(invalid="ignore"):  # NaN where no slice has data
        maps = [(total / counted).astype(np.float32) for total in sums]
    span = data_range_of(dtype) or intensity.high - intensity.low
    return LeftOut(tuple(scores), span, *maps)


def _middle(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return image[tuple(slice(max(0, (n - SIDE) // 2), (n + SIDE) // 2) for n in image.shape)]


def _error(
    predicted: Float, truth: npt.NDArray[Any], dtype: np.dtype[Any]
) -> npt.NDArray[np.float64]:
    rounded = to_dtype(predicted, dtype)[0].astype(np.float64)
    return (rounded - truth.astype(np.float64)) ** 2
