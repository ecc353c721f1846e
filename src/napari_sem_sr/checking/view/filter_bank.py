"""The SR grid looked at once: what all kinds of evidence need of SR, its twin and its neighbours, on the LR grid.

Everything is computed window by window, so that memory does not grow with the slice, on the device where the networks
run, in float32, in 255ths of the intensity range. A window has a margin wide enough for all filters, beyond the ends of
the image as in a mirror, so that windows leave no trace.

Filters are those of `invention` and `expected_error`. Wide windows are evaluated at two places of every LR pixel along
each axis (Gauss's quadrature of the mean over its pixels, exact to the third order) and not at all of its pixels: the
local correlation deviates by less than 0.01 from the mean over all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.metrics.banded import Banded, gaussian, mirrored, radius_of, sampled, smoothing

Image = npt.NDArray[Any]

# In SR pixels at factor 4, where they were measured; they scale with the factor, as the LR pixel does.
FINE, COARSE, WINDOW, BLUR = 0.7, 2.5, 5.0, 1.5
MEASURED_AT = 4
# Of a 255th of the intensity range: below this there is nothing to correlate.
TINY = 1e-3
# LR pixels of a window, and around it.
CORE = {"cpu": 256, "mps": 512, "cuda": 1024}
MARGIN = 8
LEVELS = 255.0


@dataclass(frozen=True)
class Scale:
    """Grey values in 255ths of the intensity range (``unit``), from its ``middle``."""

    middle: float
    unit: float

    @classmethod
    def of(cls, intensity: IntensityRange) -> "Scale":
        """That of a stack with this ``intensity`` range."""
        return cls((intensity.high + intensity.low) / 2, (intensity.high - intensity.low) / LEVELS)


@dataclass(frozen=True, eq=False)
class Window:
    """Part of a slice: LR pixels ``rows`` and ``columns``, half open."""

    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def here(self) -> tuple[slice, slice]:
        """Where it lies on the LR grid."""
        return slice(*self.rows), slice(*self.columns)

    def of(
        self, image: Image, factor: int, margin: int, device: torch.device, scale: Scale
    ) -> Tensor:
        """Pixels of ``image`` (y, x), ``factor`` along an LR pixel, with ``margin`` LR pixels around, in ``scale`` on ``device``."""
        index = [
            mirrored(factor * (start - margin), factor * (stop + margin), size)
            for (start, stop), size in zip((self.rows, self.columns), image.shape, strict=True)
        ]
        pixels = np.ascontiguousarray(image[index[0]][:, index[1]])
        if pixels.dtype not in (np.uint8, np.int16, np.float32):
            pixels = pixels.astype(np.float32)
        there = torch.from_numpy(pixels).to(device).to(torch.float32)
        return there.sub_(scale.middle).div_(scale.unit)


def windows(shape: tuple[int, int], core: int) -> Iterator[Window]:
    """Windows of about equal size that cover ``shape`` (y, x) of LR, none wider than ``core``."""
    rows, columns = (np.linspace(0, n, -(-n // core) + 1).round().astype(int) for n in shape)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            yield Window((int(top), int(bottom)), (int(left), int(right)))


@dataclass(frozen=True, eq=False)
class Local:
    """Detail of a window of one picture, and its local statistics at two places of every LR pixel.

    Parameters
    ----------
    detail
        ``(y, x)``, band-passed, as far beyond the window as local statistics look.
    mean, square, variance
        In a Gaussian window.
    """

    detail: Tensor
    mean: Tensor
    square: Tensor
    variance: Tensor


class FilterBank:
    """Filters for one upscale factor.

    Parameters
    ----------
    factor
        SR pixels along an LR pixel.
    """

    def __init__(self, factor: int) -> None:
        self.factor = factor
        scale = factor / MEASURED_AT
        self._coarse_reach = radius_of(COARSE * scale)
        self._fine = Banded(gaussian(FINE * scale, reach=self._coarse_reach), 1)
        self._coarse = smoothing(COARSE * scale)
        self._reach = radius_of(WINDOW * scale)
        middle = (factor - 1) / 2
        aside = ((factor**2 - 1) / 12) ** 0.5
        places = (middle - aside, middle + aside)
        self._local = Banded(sampled(WINDOW * scale, factor, places, self._reach), factor)
        box = np.full(factor, 1 / factor)
        blur = np.convolve(gaussian(BLUR * scale)[0], box)
        self._blur_reach = radius_of(BLUR * scale)
        self._blurred = Banded(blur[np.newaxis], factor)
        self._mean = Banded(box[np.newaxis], factor)
        self._smooth, self._steep = smoothing(BLUR * scale), smoothing(BLUR * scale, 1)

    def local(self, picture: Tensor) -> Local:
        """Detail and local statistics of a ``picture`` (y, x) with `MARGIN`."""
        detail = self.detail(picture)
        mean, square = self._local.both(detail), self._local.both(detail * detail)
        return Local(detail, mean, square, (square - mean * mean).clamp_min_(0))

    def detail(self, picture: Tensor) -> Tensor:
        """Band-pass H of a ``picture`` (y, x) with `MARGIN`, as far as local statistics look."""
        spare = MARGIN * self.factor - self._reach - self._coarse_reach
        picture = picture[spare : -spare or None, spare : -spare or None]
        return self._fine.both(picture).sub_(self._coarse.both(picture))

    def correlation(self, one: Local, other: Local) -> Tensor:
        """Local correlation of the detail of ``one`` and ``other``, -1 to 1, at two places of every LR pixel; 0 where either is flat."""
        covariance = self._local.both(one.detail * other.detail).sub_(one.mean * other.mean)
        norm = (one.variance * other.variance).sqrt_()
        found = covariance.div_(norm.clamp_min(TINY**2)).clamp_(-1, 1)
        return found.mul_(norm > TINY**2)

    def amount(self, one: Tensor, other: Tensor) -> Tensor:
        """Root mean square of ``one`` − ``other``, (y, x) with `MARGIN`, blurred, on the LR grid."""
        spare = MARGIN * self.factor - self._blur_reach
        different = (one - other)[spare:-spare, spare:-spare]
        return self._blurred.both(different.square_()).clamp_min_(0).sqrt_()

    def slope(self, picture: Tensor) -> Tensor:
        """Root mean square of the slope of a ``picture`` (y, x) with `MARGIN`, on the LR grid."""
        spare = MARGIN * self.factor - 2 * self._blur_reach
        picture = picture[spare:-spare, spare:-spare]
        smooth, steep = self._smooth.along_y(picture), self._steep.along_y(picture)
        energy = self._steep.along_x(smooth).square_().add_(self._smooth.along_x(steep).square_())
        return self._blurred.both(energy).clamp_min_(0).sqrt_()

    def power(self, local: Local) -> Tensor:
        """Root mean square of ``local`` detail over each LR pixel alone, on the LR grid."""
        core = self.core(local)
        return self._mean.both(core * core).clamp_min_(0).sqrt_()

    def average(self, picture: Tensor) -> Tensor:
        """Mean over LR pixels of a ``picture`` (y, x) with `MARGIN`."""
        spare = MARGIN * self.factor
        return self._mean.both(picture[spare:-spare, spare:-spare])

    def core(self, local: Local) -> Tensor:
        """Detail of the window itself, of ``local``, which reaches further."""
        return local.detail[self._reach : -self._reach, self._reach : -self._reach]


@lru_cache(maxsize=8)
def filter_bank(factor: int) -> FilterBank:
    """Filters for ``factor``, made once."""
    return FilterBank(factor)


def pooled(image: Tensor) -> Tensor:
    """Mean of the two by two places of every LR pixel, of ``image`` (2 y, 2 x)."""
    rows = image[0::2] + image[1::2]
    return (rows[:, 0::2] + rows[:, 1::2]).mul_(0.25)


@dataclass(frozen=True, eq=False)
class Fine:
    """What was found of one slice on the SR grid, ``(y, x)`` on the LR grid in 255ths of the intensity range.

    Parameters
    ----------
    amount
        Root mean square of what SR adds to its twin.
    agreement
        Local correlation of their detail, -1 to 1.
    energy
        Local root mean square of SR's detail.
    slope
        Root mean square of SR's slope, per SR pixel.
    unexplained
        Local root mean square of the detail that no multiple of the twin's detail explains.
    """

    amount: Tensor
    agreement: Tensor
    energy: Tensor
    slope: Tensor
    unexplained: Tensor


@torch.no_grad()
def compare_with_twin(
    sr: Image, twin: Image, factor: int, intensity: IntensityRange, device: torch.device
) -> Fine:
    """Look at ``sr`` beside its ``twin``, both ``(y, x)`` in grey levels, without NaN, on ``device``.

    ``factor`` SR pixels lie along an LR pixel; ``intensity`` is the range of the stack.
    """
    scale, bank = Scale.of(intensity), filter_bank(factor)
    shape = (sr.shape[0] // factor, sr.shape[1] // factor)
    made = torch.empty((5, *shape), device=device)
    for window in windows(shape, CORE[device.type]):
        one, other = (window.of(i, factor, MARGIN, device, scale) for i in (sr, twin))
        a, b = bank.local(one), bank.local(other)
        agreement = bank.correlation(a, b)
        explained = agreement.clamp_min(0).square_()
        found = (
            bank.amount(one, other),
            pooled(agreement),
            pooled(a.square).clamp_min_(0).sqrt_(),
            bank.slope(one),
            pooled(a.square * (1 - explained)).clamp_min_(0).sqrt_(),
        )
        for place, image in zip(made, found, strict=True):
            place[window.here] = image
    return Fine(*made)


@dataclass(frozen=True, eq=False)
class Lasting:
    """How far the detail of one slice is in its neighbours too.

    Parameters
    ----------
    correlation
        ``(y, x)`` of LR: the larger of the local correlations with the neighbours, -1 to 1.
    power
        Root mean square of the slice's detail over each LR pixel, in 255ths of the intensity range.
    change, detail
        Sums over SR pixels: squared change of detail to the slice after, and squared detail; 0 without one.
    """

    correlation: Tensor
    power: Tensor
    change: float
    detail: float


@torch.no_grad()
def compare_with_neighbours(
    here: Image,
    before: Image | None,
    after: Image | None,
    factor: int,
    intensity: IntensityRange,
    device: torch.device,
    *,
    sums: bool = True,
) -> Lasting:
    """Look at ``here`` beside the slices ``before`` and ``after``, at least one of them, all ``(y, x)`` without NaN.

    ``factor``, ``intensity``, ``device``: as for `compare_with_twin`.
    ``sums``: whether the slice after it is the next one, so that the change to it counts.
    """
    scale, bank = Scale.of(intensity), filter_bank(factor)
    shape = (here.shape[0] // factor, here.shape[1] // factor)
    correlation, power = torch.empty((2, *shape), device=device)
    change = whole = 0.0
    for window in windows(shape, CORE[device.type]):
        own = bank.local(window.of(here, factor, MARGIN, device, scale))
        found = []
        for other in (before, after):
            if other is None:
                continue
            beside = bank.local(window.of(other, factor, MARGIN, device, scale))
            found.append(bank.correlation(own, beside))
            if other is after and sums:
                a, b = bank.core(own), bank.core(beside)
                change += _squares(a - b)
                whole += (_squares(a) + _squares(b)) / 2
        larger = found[0] if len(found) == 1 else torch.maximum(*found)
        correlation[window.here] = pooled(larger)
        power[window.here] = bank.power(own)
    return Lasting(correlation, power, change, whole)


def total(image: Tensor) -> float:
    """Sum of ``image``, any shape, in double precision; on a CPU the same whatever the number of threads."""
    if image.device.type == "cuda":
        return float(image.sum(dtype=torch.float64))
    return float(image.cpu().numpy().sum(dtype=np.float64))


def _squares(image: Tensor) -> float:
    return total(image.square())


def agreement_of(
    one: Image, other: Image, factor: int, intensity: IntensityRange
) -> npt.NDArray[np.float32]:
    """Local correlation of the detail of ``one`` and ``other``, ``(y, x)`` without NaN, on the LR grid.

    ``factor``, ``intensity``: as for `compare_with_twin`.
    """
    found = compare_with_twin(one, other, factor, intensity, torch.device("cpu"))
    return found.agreement.numpy()


def without_gaps(image: Image) -> tuple[Image, npt.NDArray[np.bool_] | None]:
    """``image`` (y, x) with its mean where it is not finite, and where that is (None: nowhere)."""
    if image.dtype.kind != "f":
        return image, None
    masked = ~np.isfinite(image)
    if not masked.any():
        return image, None
    values = image.astype(np.float32)
    values[masked] = 0.0 if masked.all() else values[~masked].mean(dtype=np.float64)
    return values, masked


def coarse_mask(masks: Sequence[npt.NDArray[np.bool_] | None], factor: int) -> Any:
    """LR pixels (``factor`` SR pixels wide) of which any is masked in any of ``masks``, (f y, f x); None where there are none."""
    known = [m for m in masks if m is not None]
    if not known:
        return None
    whole = np.logical_or.reduce(known)
    y, x = whole.shape
    return whole.reshape(y // factor, factor, x // factor, factor).any(axis=(1, 3))
