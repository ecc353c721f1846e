"""LR interpolated to the voxels of SR: the volume that every other is compared with."""

from dataclasses import replace

import dask.array as da
import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.stack import SemStack


def interpolated(lr: SemStack, like: SemStack) -> SemStack:
    """Bicubic picture of ``lr``, slice by slice and lazily, at the pixels of ``like``.

    Raises
    ------
    InputError
        If ``like`` is not a whole number of times finer in the plane, or has other slices.
    """
    z, y, x = lr.shape
    factor = max(1, round(like.shape[1] / y))
    if like.shape != (z, y * factor, x * factor):
        raise InputError(
            f"'{like.name}' {like.shape} is not '{lr.name}' {lr.shape} made a whole number of times finer in the plane; "
            "give the LR that it was made of."
        )

    def interpolate(block: np.ndarray) -> np.ndarray:
        return np.stack([upscale_bicubic(plane, factor) for plane in block])

    chunks = (lr.data.chunks[0], (y * factor,), (x * factor,))
    data: da.Array = lr.data.rechunk((1, -1, -1)).map_blocks(
        interpolate, dtype=lr.dtype, chunks=((1,) * z, *chunks[1:])
    )
    stack = lr.upscaled(data, factor, name=f"bicubic of {lr.name}", paths=())
    return replace(stack, provenance={**(lr.provenance or {}), "interpolated": factor})
