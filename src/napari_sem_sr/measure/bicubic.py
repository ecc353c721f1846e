"""LR interpolated to the voxels of SR: the volume that every other is compared with."""

from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.stack import SemStack


def interpolated(lr: SemStack, like: SemStack) -> SemStack:
    """Picture of ``lr``, slice by slice and lazily, at the voxels of ``like``.

    Bicubic in the plane; linear between slices where ``like`` has more of them, as an isotropic volume has.

    Raises
    ------
    InputError
        If ``like`` is not a whole number of times finer in the plane, or does not reach from the first slice to the last.
    """
    z, y, x = lr.shape
    factor = max(1, round(like.shape[1] / y))
    ratio = _ratio(lr, like)
    count = int(np.rint((z - 1) * ratio)) + 1
    if like.shape != (count, y * factor, x * factor):
        raise InputError(
            f"'{like.name}' {like.shape} is not '{lr.name}' {lr.shape} made a whole number of times finer in the plane, "
            "nor filled in between its slices; give the LR that it was made of."
        )

    def picture(block_info: Any) -> npt.NDArray[Any]:
        place = min(block_info[None]["chunk-location"][0] / ratio, z - 1.0)
        above = min(int(place), max(0, z - 2))
        part = np.float32(place - above)
        drawn = upscale_bicubic(lr.slice(above), factor)
        if part:
            below = upscale_bicubic(lr.slice(above + 1), factor)
            mean = drawn.astype(np.float32) * (1 - part) + below.astype(np.float32) * part
            drawn = to_dtype(mean, lr.dtype)[0]
        return drawn[None]

    chunks = ((1,) * count, (y * factor,), (x * factor,))
    data: da.Array = da.map_blocks(
        picture, dtype=lr.dtype, chunks=chunks, meta=np.empty((0,) * 3, lr.dtype)
    )
    stack = lr.upscaled(data, factor, name=f"bicubic of {lr.name}", paths=())
    return replace(
        stack,
        voxel_nm=(like.voxel_nm[0], *stack.voxel_nm[1:]),
        provenance={**(lr.provenance or {}), "interpolated": factor},
    )


def _ratio(lr: SemStack, like: SemStack) -> float:
    """Slices of ``like`` per slice of ``lr``."""
    coarse, fine = lr.voxel_nm[0], like.voxel_nm[0]
    if coarse is None or fine is None:
        return 1.0
    return coarse / fine
