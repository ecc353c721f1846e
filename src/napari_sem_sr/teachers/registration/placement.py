"""Where a picture lies over another one, and what it looks like there: the arithmetic behind `register`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, gaussian_filter, spline_filter

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.resample import area_average

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float64]
Shape = tuple[int, int]

# LR pixels: finer is noise, coarser is shading.
BAND = (0.7, 6.0)
# HR pixels per SR pixel from which on HR holds what SR's pixels cannot.
FINER = 1.05


@dataclass(frozen=True)
class Placement:
    """Takes SR pixels to HR pixels: turned and stretched about the middle of SR, then shifted.

    Parameters
    ----------
    ratio
        HR pixels per SR pixel, as the pixel sizes have it.
    shift
        (dy, dx) in SR pixels.
    turn
        Degrees.
    stretch
        On top of ``ratio``.
    """

    ratio: float
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    stretch: float = 1.0

    @property
    def matrix(self) -> Float:
        """Of (y, x)."""
        c, s = np.cos(np.radians(self.turn)), np.sin(np.radians(self.turn))
        return self.ratio * self.stretch * np.array([[c, -s], [s, c]])

    def offset(self, sr_shape: Shape) -> Float:
        """HR pixel at the SR pixel (0, 0), on an SR grid of that shape.

        Parameters
        ----------
        sr_shape
            (y, x) of the grid of SR.
        """
        middle = (np.array(sr_shape) - 1) / 2
        # the first edges of SR and HR lie on each other before anything is moved
        there = self.ratio * (middle + 0.5 + np.array(self.shift)) - 0.5
        return np.asarray(there - self.matrix @ middle)


@dataclass(frozen=True, eq=False)
class Picture:
    """HR as a smooth surface that can be looked at anywhere; NaN stays NaN.

    Parameters
    ----------
    coefficients
        ``(y, x)``, of the cubic spline through its pixels.
    masked
        ``(y, x)``, its NaN pixels, if it has any.
    """

    coefficients: Float
    masked: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, image: Image, ratio: float) -> "Picture":
        """Make it, without the detail that pixels ``ratio`` times larger cannot hold.

        Parameters
        ----------
        image
            ``(y, x)`` of any real dtype; may hold NaN.
        """
        values = image.astype(np.float64)
        masked = ~np.isfinite(values)
        if masked.all():
            raise InputError("HR is all NaN; give a picture with data in it.")
        values = filled(values)
        if ratio > FINER:
            values = gaussian_filter(values, (ratio - 1) / 2)
        coefficients = np.asarray(spline_filter(values, order=3, mode="mirror"))
        return cls(coefficients, masked if masked.any() else None)

    @property
    def shape(self) -> Shape:
        """(y, x) in pixels."""
        y, x = self.coefficients.shape
        return int(y), int(x)

    def placed(self, where: Placement, sr_shape: Shape) -> Float:
        """Look at it through the pixels of SR; NaN outside.

        Parameters
        ----------
        where
            Where HR lies over SR.
        sr_shape
            (y, x) of the grid of SR.
        """
        return self.at(where.matrix, where.offset(sr_shape), sr_shape)

    def at(self, matrix: Float, offset: Float, shape: Shape) -> Float:
        """Look at it at ``matrix @ (y, x) + offset``, for the pixels of a grid of ``shape``.

        Parameters
        ----------
        matrix
            ``(2, 2)``, HR pixels per pixel of the grid.
        offset
            ``(2,)``, the HR pixel at the grid's first.
        """
        moved = np.asarray(
            affine_transform(
                self.coefficients, matrix, offset, shape, order=3, prefilter=False, mode="mirror"
            )
        )
        y, x = np.ogrid[: shape[0], : shape[1]]
        for axis, size in enumerate(self.shape):
            where = matrix[axis, 0] * y + matrix[axis, 1] * x + offset[axis]
            moved[(where < -0.5) | (where > size - 0.5)] = np.nan
        if self.masked is not None:
            hidden = affine_transform(
                self.masked.astype(np.float64), matrix, offset, shape, order=1, mode="nearest"
            )
            moved[hidden > 0.01] = np.nan
        return moved


@dataclass(frozen=True)
class FittedLine:
    """The line y = gain × x + offset nearest to some points, what it leaves (rms), and their correlation.

    Parameters
    ----------
    gain
        Slope.
    offset
        Where x is 0.
    rms
        Root mean square of what the line leaves.
    correlation
        Pearson's, of x and y.
    """

    gain: float
    offset: float
    rms: float
    correlation: float


def fit_line(x: Float, y: Float) -> FittedLine:
    """Least squares over the pixels where both are finite.

    Parameters
    ----------
    x
        ``(n,)`` or any shape.
    y
        Of the same shape.

    Raises
    ------
    InputError
        If there are none.
    """
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if x.size == 0:
        raise InputError("The pictures have no pixel with data in common; give two of one field.")
    mx, my = float(x.mean()), float(y.mean())
    sxx, syy = float(((x - mx) ** 2).mean()), float(((y - my) ** 2).mean())
    sxy = float(((x - mx) * (y - my)).mean())
    if sxx == 0 or syy == 0:
        return FittedLine(0.0, my, float(np.sqrt(syy)), 0.0)
    gain = sxy / sxx
    rms = float(np.sqrt(max(0.0, syy - gain * sxy)))
    return FittedLine(gain, my - gain * mx, rms, sxy / float(np.sqrt(sxx * syy)))


def filled(image: Float) -> Float:
    """``image`` with its mean where it is NaN; zero where there is nothing else.

    Parameters
    ----------
    image
        ``(y, x)`` or any shape; may hold NaN.
    """
    masked = ~np.isfinite(image)
    if masked.all():
        return np.zeros_like(image)
    return np.where(masked, image[~masked].mean(), image) if masked.any() else image


def banded(image: Image) -> Float:
    """What two recordings of one field are most alike in: neither noise nor shading; 0 where NaN.

    Parameters
    ----------
    image
        ``(y, x)`` of any real dtype; may hold NaN.
    """
    values = image.astype(np.float64)
    masked = ~np.isfinite(values)
    values = filled(values)
    band = np.asarray(gaussian_filter(values, BAND[0]) - gaussian_filter(values, BAND[1]))
    return np.where(masked, 0.0, band)


def blurred(image: Float, sigma: float) -> Float:
    """Gaussian blur that leaves NaN where it is.

    Parameters
    ----------
    image
        ``(y, x)``; may hold NaN.
    sigma
        Standard deviation in pixels.
    """
    if sigma == 0:
        return image
    masked = ~np.isfinite(image)
    return np.where(masked, np.nan, gaussian_filter(filled(image), sigma))


def inner_box(valid: npt.NDArray[np.bool_], step: int = 1) -> tuple[slice, slice] | None:
    """Box without an invalid pixel, on a grid of ``step``, found by cutting the worst side again and again.

    Parameters
    ----------
    valid
        ``(y, x)``, true where a pixel may be in the box.
    """
    blocks = area_average(valid.astype(np.float64), step) == 1
    top, left, (bottom, right) = 0, 0, blocks.shape
    while top < bottom and left < right:
        part = blocks[top:bottom, left:right]
        if part.all():
            return slice(top * step, bottom * step), slice(left * step, right * step)
        side = int(
            np.argmin([part[0].mean(), part[-1].mean(), part[:, 0].mean(), part[:, -1].mean()])
        )
        top, bottom = top + (side == 0), bottom - (side == 1)
        left, right = left + (side == 2), right - (side == 3)
    return None
