"""Signed difference SR − HR, split at what LR could measure.

Below the Nyquist frequency of LR (half a cycle per LR pixel along y and along x) a difference contradicts
something that LR measured; above it, the generator had to invent, and the difference is what it invented
wrongly or left out.

What it can and cannot tell: it needs HR of the same field, registered. A shift of a fraction of a pixel shows
as pairs of positive and negative edges, mostly in the high band, and HR's own noise is in there too.
"""

from dataclasses import replace
from typing import Any, Literal

import dask.array as da
import numpy as np
import numpy.typing as npt
from scipy.fft import dctn, idctn

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

Band = Literal["all", "low", "high"]
Float = npt.NDArray[np.float32]


def difference(sr: npt.NDArray[Any], hr: npt.NDArray[Any]) -> Float:
    """SR − HR in float, of two arrays of the same shape; NaN where either is.

    Parameters
    ----------
    sr
        Of any shape and real dtype.
    hr
        Of the same shape.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if sr.shape != hr.shape:
        raise InputError(
            f"SR has shape {sr.shape} and HR {hr.shape}; give two stacks that cover the same pixels."
        )
    return sr.astype(np.float32) - hr.astype(np.float32)


def split_bands(image: npt.NDArray[Any], factor: int) -> tuple[Float, Float]:
    """Split ``image`` (y, x) into (low, high) at the Nyquist frequency of LR; their sum is ``image``.

    The transform is the cosine transform, which mirrors the image at its borders instead of wrapping it
    around. NaN is taken as 0 and is NaN in both parts.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    """
    values = image.astype(np.float32)
    masked = ~np.isfinite(values)
    spectrum = dctn(np.where(masked, np.float32(0), values), norm="ortho")
    for axis, size in enumerate(image.shape):
        # basis function k has k / (2 * size) cycles per pixel
        keep = np.arange(size) / (2 * size) < 0.5 / factor
        spectrum *= keep.reshape([-1 if a == axis else 1 for a in range(2)])
    low = idctn(spectrum, norm="ortho").astype(np.float32)
    low[masked] = np.nan
    return low, values - low


def difference_stack(sr: SemStack, hr: SemStack, factor: int, band: Band = "all") -> SemStack:
    """Lazy difference of two stacks that cover the same pixels, in place of ``sr``.

    Parameters
    ----------
    hr
        Covers the same pixels as ``sr``.
    factor
        SR pixels per LR pixel; says where the bands meet.
    band
        The whole difference, or its part below or above the Nyquist frequency of LR.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    if sr.shape != hr.shape:
        raise InputError(
            f"'{sr.name}' has shape {sr.shape} and '{hr.name}' {hr.shape}; give two stacks that cover the same pixels."
        )

    def block(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Float:
        if a.size == 0:  # dask asks for the dtype with an empty array
            return np.empty(a.shape, np.float32)
        d = difference(a[0], b[0])
        part = d if band == "all" else split_bands(d, factor)[band == "high"]
        return part[np.newaxis]

    whole = (1, -1, -1)
    data = da.map_blocks(
        block,
        sr.data.rechunk(whole),
        hr.data.rechunk(whole),
        dtype=np.float32,
        meta=np.empty((0, 0, 0), np.float32),
    )
    suffix = "" if band == "all" else f", {band} band"
    return SemStack(
        data=data,
        name=f"{sr.name} − {hr.name}{suffix}",
        voxel_nm=sr.voxel_nm,
        origin_nm=sr.origin_nm,
        pixel_step=sr.pixel_step,
        tilt_deg=sr.tilt_deg,
    )


def magnitude_stack(stack: SemStack) -> SemStack:
    """Lazy absolute values of a stack of differences.

    Parameters
    ----------
    stack
        As of `difference_stack`.
    """
    return replace(stack, data=da.absolute(stack.data), name=f"|{stack.name}|")
