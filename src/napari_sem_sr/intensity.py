"""One intensity range per stack, between which networks see 0 and 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

# Robust against a few charged or dead pixels, wide enough that real bright particles stay below 1.
PERCENTILES = (0.1, 99.9)
# Enough slices to know the range of a stack, few enough that 10,000 slices open at once.
SAMPLED_SLICES = 16
# Pixels of a slice that are looked at, evenly spread: percentiles of so many do not depend on the others.
SAMPLED_PIXELS = 1 << 20
# Beyond this ratio of values to contrast float32 has too few digits to tell grey levels apart.
_SINGLE = 4096.0
_HUGE, _TINY = 1e30, 1e-30
# Grey levels that float64 must be able to tell apart within the range.
_LEVELS = 1024
# A slice of so little of the others' contrast shows nothing, one of so little outside of their greys nothing of theirs.
_FLAT, _WEAK = 0.1, 0.33
# Rows that are computed at once in float64.
_ROWS = 256


@dataclass(frozen=True)
class IntensityRange:
    """Grey values that networks see as 0 (``low``) and 1 (``high``)."""

    low: float
    high: float

    @property
    def needs_double(self) -> bool:
        """Whether float32 could not tell the grey values within the range apart."""
        width, largest = self.high - self.low, max(abs(self.low), abs(self.high))
        return largest > _SINGLE * width or largest > _HUGE or width < _TINY

    def normalise(self, image: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Map grey values to the network's scale; values outside the range stay outside, unclipped.

        Parameters
        ----------
        image
            Of any shape and real dtype.
        """
        out = np.empty(image.shape, np.float32)
        width = self.high - self.low
        if not self.needs_double:
            np.subtract(image, np.float32(self.low), out=out, dtype=np.float32, casting="unsafe")
            return np.divide(out, np.float32(width), out=out)
        for start in range(0, len(image), _ROWS):
            rows = slice(start, start + _ROWS)
            out[rows] = (image[rows].astype(np.float64) - self.low) / width
        return out

    def restore(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]]:
        """Map the network's scale back to grey values, float32 or, where that is too coarse, float64.

        Parameters
        ----------
        image
            Of any shape, float32 on the network's scale.
        """
        width = self.high - self.low
        if self.needs_double:
            return image.astype(np.float64) * width + self.low
        return (image * np.float32(width) + np.float32(self.low)).astype(np.float32)


def to_dtype(
    image: npt.NDArray[np.floating[Any]], dtype: np.dtype[Any]
) -> tuple[npt.NDArray[Any], int]:
    """Round grey values to ``dtype``; also return how many pixels lay outside what it can hold.

    Parameters
    ----------
    image
        Of any shape, floating.
    """
    if dtype.kind == "f":
        # what float64 holds is compared in float64
        largest = min(float(np.finfo(dtype).max), float(np.finfo(image.dtype).max))
        outside = int(np.count_nonzero(np.abs(image) > largest))
        return (np.clip(image, -largest, largest) if outside else image).astype(dtype), outside
    limits = np.iinfo(dtype)
    # float32 rounds the limits of 32 bits, and float64 those of 64 bits, to what the dtype cannot hold
    wide = dtype.itemsize > 2
    rounded = np.rint(image.astype(np.float64) if wide else image)
    # the limit as the image's own type rounds it is no value beyond it
    highest = float(image.dtype.type(limits.max))
    outside = int(np.count_nonzero((rounded < limits.min) | (rounded > highest)))
    top = np.nextafter(2.0**63, 0) if dtype == np.int64 else float(limits.max)
    top = np.nextafter(2.0**64, 0) if dtype == np.uint64 else top
    pixels = np.clip(rounded, limits.min, top).astype(dtype)
    if dtype.itemsize == 8:
        pixels[rounded >= float(limits.max)] = limits.max
    return pixels, outside


def range_of(image: npt.NDArray[Any]) -> IntensityRange:
    """Robust range of one array (any shape), NaN and infinities ignored.

    Parameters
    ----------
    image
        Of any shape and real dtype.

    Raises
    ------
    InputError
        If no pixel is finite, or the values are more than can be computed with.
    """
    values = image[np.isfinite(image)] if image.dtype.kind == "f" else image.ravel()
    if values.size == 0:
        raise InputError("All pixels are NaN; give an image with data in it.")
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (float(v) for v in np.percentile(values, PERCENTILES))
    if not np.isfinite(high - low):
        raise InputError(
            f"The grey values reach from {values.min():.3g} to {values.max():.3g}, which is more than can be "
            "computed with; rescale the image."
        )
    if image.dtype.kind in "ui" and image.dtype.itemsize == 8:
        spread = int(values.max()) - int(values.min())
        if 0 < spread < _LEVELS * np.spacing(max(-low, high)):
            raise InputError(
                f"The grey values lie between {values.min()} and {values.max()}, too close for their size to be "
                "told apart; subtract the offset that they have in common."
            )
    if high > low:
        return IntensityRange(low, high)
    # a flat image has no contrast to normalise; any width that changes its value keeps it finite
    return IntensityRange(low, low + max(1.0, _LEVELS * float(np.spacing(abs(low)))))


@dataclass(frozen=True)
class MeasuredRange:
    """The range of a stack, and which of the slices that were looked at have no part in it, with the reason.

    Parameters
    ----------
    intensity
        The range.
    apart
        By number of the slice.
    """

    intensity: IntensityRange
    apart: Mapping[int, str] = field(default_factory=dict)

    def sentence(self, name: str) -> str | None:
        """Say which slices of the stack ``name`` stand apart; None where none does."""
        if not self.apart:
            return None
        named = ", ".join(f"{z} ({why})" for z, why in sorted(self.apart.items()))
        some = "Slice" if len(self.apart) == 1 else "Slices"
        return (
            f"{some} {named} of '{name}' {'stands' if len(self.apart) == 1 else 'stand'} apart from the others and "
            "had no part in the intensity range; leave out what is no image (--without)."
        )


def stack_range(
    stack: SemStack, region: tuple[tuple[int, int], tuple[int, int]] | None = None
) -> IntensityRange:
    """Range of a stack; see `measure_range`.

    Parameters
    ----------
    stack
        LR, as a rule.
    region
        ((y0, y1), (x0, x1)), half open, to look at; everything by default.
    """
    return measure_range(stack, region).intensity


def measure_range(
    stack: SemStack, region: tuple[tuple[int, int], tuple[int, int]] | None = None
) -> MeasuredRange:
    """Range of a stack from up to ``SAMPLED_SLICES`` evenly spaced slices; never per slice.

    Only what is picture counts: not the databar, nor what lies outside ``region``, nor blank margins, nor slices that
    are blank or unlike all others. Slices that cannot be read are left out, as one bad file among thousands must not
    stop the others.

    Parameters
    ----------
    stack
        LR, as a rule.
    region
        ((y0, y1), (x0, x1)) in LR pixels of the part that is used; None for all of each slice.

    Raises
    ------
    InputError
        If every sampled slice is all NaN, or none can be read.
    """
    y, x = _picture(stack, region)
    seen: dict[int, _Sample] = {}
    unread = ""
    for z in evenly_spaced(stack.shape[0], SAMPLED_SLICES):
        try:
            seen[z] = _Sample.of(stack.slice(z)[y, x])
        except Exception as error:  # readers of many formats fail in many ways
            unread = str(error) or type(error).__name__
    if not seen:
        raise InputError(f"No slice of '{stack.name}' can be read ({unread}); repair the files.")
    apart = _apart(seen)
    try:
        values = np.concatenate([s.values for z, s in seen.items() if z not in apart])
        return MeasuredRange(range_of(values), apart)
    except InputError as error:
        if "NaN" not in str(error):
            raise InputError(f"'{stack.name}': {error}") from None
        raise InputError(
            f"All pixels of '{stack.name}' are NaN; give a stack with data in it."
        ) from None


def _picture(
    stack: SemStack, region: tuple[tuple[int, int], tuple[int, int]] | None
) -> tuple[slice, slice]:
    """Rows and columns of what is used, without a databar that was found."""
    (y0, y1), (x0, x1) = region or ((0, stack.shape[1]), (0, stack.shape[2]))
    if stack.image_rows is not None:
        first, end = max(y0, stack.image_rows[0]), min(y1, stack.image_rows[1])
        if first < end:
            y0, y1 = first, end
    return slice(y0, y1), slice(x0, x1)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Evenly spread pixels of a slice without its blank margins."""

    values: npt.NDArray[Any]
    blank: bool

    @classmethod
    def of(cls, image: npt.NDArray[Any]) -> "_Sample":
        step = int(np.ceil(np.sqrt(image.size / SAMPLED_PIXELS))) or 1
        rows = _inside(image)
        if rows is None:
            return cls(image[::step, ::step].ravel(), blank=True)
        columns = _inside(image[rows].T) or slice(None)
        values = image[rows, columns][::step, ::step].ravel()
        good = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        return cls(good, blank=good.size == 0)


def _inside(lines: npt.NDArray[Any]) -> slice | None:
    """Lines between blank margins, as a scan that was cut short or a shifted slice has them; None where all are blank."""
    first = next((i for i, line in enumerate(lines) if (line != lines[0, 0]).any()), None)
    if first is None:
        return None
    last = next(i for i, line in enumerate(lines[::-1]) if (line != lines[-1, -1]).any())
    return slice(first, len(lines) - last)


def _apart(seen: Mapping[int, _Sample]) -> dict[int, str]:
    """Slices that are blank or show nothing of what the others show; none where there are no others."""
    shown = {z: np.percentile(s.values, (1, 50, 99)) for z, s in seen.items() if not s.blank}
    if not shown:
        return {}
    apart = {z: "blank" for z, sample in seen.items() if sample.blank}
    low, _, high = np.median(list(shown.values()), axis=0)
    for z, (dark, middle, bright) in shown.items():
        contrast = (bright - dark) / (high - low) if high > low else 1.0
        if contrast < _FLAT:
            apart[z] = "without contrast"
        elif contrast < _WEAK and not low <= middle <= high:
            apart[z] = "darker" if middle < low else "brighter"
    return apart
