"""PSNR and SSIM against HR, of one image and of a whole stack.

Neither image is normalised, shifted or clipped before it is compared. NaN pixels, in either image, are left out.

Sources: SSIM after Wang et al. 2004 (IEEE Trans. Image Process. 13, 600) as scikit-image implements it by
default: uniform 7 × 7 window, sample covariance, K1 = 0.01, K2 = 0.03, mean over all windows that lie inside.

What they can and cannot tell: PSNR rewards the average of all possible pictures, so a generator that draws
sharp detail scores lower than its own twin even when both are equally true. They say how far SR is from HR,
not which detail is real.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation
from skimage.metrics import structural_similarity

from napari_sem_sr.errors import InputError

SSIM_WINDOW = 7


def data_range_of(dtype: np.dtype[Any]) -> float | None:
    """Grey levels that ``dtype`` spans (uint8: 255); None for floats, which have no range of their own."""
    if dtype.kind == "f":
        return None
    limits = np.iinfo(dtype)
    return float(int(limits.max) - int(limits.min))


def psnr(
    image: npt.NDArray[Any], truth: npt.NDArray[Any], data_range: float | None = None
) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal images.

    Parameters
    ----------
    image, truth
        ``(y, x)`` or any shape, the same of both, and any real dtypes.
    data_range
        By default that of the dtype of ``truth``, for floats the span of its finite values.

    Raises
    ------
    InputError
        If the shapes differ or no pixel can be compared.
    """
    total, count = squared_error(image, truth)
    return _decibel(total, count, data_range or _range_for(truth))


def ssim(
    image: npt.NDArray[Any], truth: npt.NDArray[Any], data_range: float | None = None
) -> float:
    """Mean structural similarity; parameters and errors as for :func:`psnr`.

    Parameters
    ----------
    image, truth
        ``(y, x)`` each, of any real dtypes.
    data_range
        As for `psnr`.
    """
    similarity = ssim_map(image, truth, data_range)
    inside = np.isfinite(similarity)
    if not inside.any():
        raise InputError(
            f"No {SSIM_WINDOW} × {SSIM_WINDOW} window of the images is free of NaN; give images with more data."
        )
    return float(similarity[inside].mean())


def ssim_map(
    image: npt.NDArray[Any], truth: npt.NDArray[Any], data_range: float | None = None
) -> npt.NDArray[np.float64]:
    """Structural similarity around each pixel, NaN where the window leaves the image or meets a NaN.

    Parameters
    ----------
    image, truth
        ``(y, x)`` each, of any real dtypes; may hold NaN.
    data_range
        As for `psnr`.
    """
    _check_shapes(image, truth)
    if min(truth.shape) < SSIM_WINDOW:
        raise InputError(
            f"SSIM needs at least {SSIM_WINDOW} × {SSIM_WINDOW} pixels, the images have {truth.shape}."
        )
    a, b = image.astype(np.float64), truth.astype(np.float64)
    masked = ~(np.isfinite(a) & np.isfinite(b))
    # a running mean carries one NaN to the end of its row, so masked pixels are made equal first
    a[masked] = b[masked] = 0.0
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        b, a, data_range=data_range or _range_for(truth), win_size=SSIM_WINDOW, full=True
    )
    reach = SSIM_WINDOW // 2
    outside = np.ones(truth.shape, bool)
    outside[reach:-reach, reach:-reach] = False
    if masked.any():
        outside |= binary_dilation(masked, np.ones((SSIM_WINDOW, SSIM_WINDOW), bool))
    return np.where(outside, np.nan, similarity)


@dataclass
class StackScores:
    """Scores of a stack, collected slice by slice.

    ``psnr`` is that of the mean squared error over *all* pixels of the stack, which is not the mean of the
    slices' PSNR; ``ssim`` is the mean over slices.

    Parameters
    ----------
    data_range
        Peak value for both scores.
    squared_error
        Sum over all pixels so far, in grey².
    pixels
        How many were compared.
    psnr_per_slice
        In dB, in the order in which slices were added.
    ssim_per_slice
        In the same order.
    """

    data_range: float
    squared_error: float = 0.0
    pixels: int = 0
    psnr_per_slice: list[float] = field(default_factory=list)
    ssim_per_slice: list[float] = field(default_factory=list)

    def add(self, image: npt.NDArray[Any], truth: npt.NDArray[Any]) -> None:
        """Look at one slice.

        Parameters
        ----------
        image, truth
            ``(y, x)`` each, of any real dtypes.
        """
        total, count = squared_error(image, truth)
        similarity = ssim(image, truth, self.data_range)
        self.merge(total, count, similarity)

    def merge(self, squared_error: float, pixels: int, similarity: float) -> None:
        """Take in what was measured on one slice.

        Parameters
        ----------
        squared_error
            Sum over the pixels of the slice, in grey².
        pixels
            How many were compared.
        similarity
            Its SSIM; NaN where it could not be measured.
        """
        self.squared_error += squared_error
        self.pixels += pixels
        self.psnr_per_slice.append(_decibel(squared_error, pixels, self.data_range))
        self.ssim_per_slice.append(similarity)

    @property
    def psnr(self) -> float:
        """PSNR in dB from the mean squared error over all pixels."""
        return _decibel(self.squared_error, self.pixels, self.data_range)

    @property
    def ssim(self) -> float:
        """Mean SSIM over the slices."""
        return float(np.mean(self.ssim_per_slice))


def squared_error(image: npt.NDArray[Any], truth: npt.NDArray[Any]) -> tuple[float, int]:
    """Sum of the squared differences over pixels valid in both images, and their number.

    Parameters
    ----------
    image, truth
        ``(y, x)`` or any shape, the same of both; may hold NaN.
    """
    _check_shapes(image, truth)
    difference = image.astype(np.float64) - truth.astype(np.float64)
    valid = difference[np.isfinite(difference)]
    if valid.size == 0:
        raise InputError("The images have no valid pixel in common; give images that overlap.")
    return float(np.dot(valid, valid)), int(valid.size)


def _check_shapes(image: npt.NDArray[Any], truth: npt.NDArray[Any]) -> None:
    if image.shape != truth.shape:
        raise InputError(
            f"Images of shapes {image.shape} and {truth.shape} cannot be compared pixel by pixel; "
            "give two of the same shape."
        )


def _range_for(truth: npt.NDArray[Any]) -> float:
    known = data_range_of(truth.dtype)
    if known is not None:
        return known
    values = truth[np.isfinite(truth)]
    span = float(values.max()) - float(values.min()) if values.size else 0.0
    return span or 1.0


def _decibel(squared_error: float, pixels: int, data_range: float) -> float:
    if squared_error == 0:
        return float("inf")
    return float(10 * np.log10(data_range**2 * pixels / squared_error))
