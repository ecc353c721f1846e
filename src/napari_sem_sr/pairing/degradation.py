"""HR -> LR: what the coarser microscope would have recorded."""

from typing import Any, Literal

import dask.array as da
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.stack import SemStack


class AreaAverage(BaseModel):
    """Each LR pixel is the mean of the f × f HR pixels it covers (the study's choice)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["area average"] = "area average"


class Degradation(BaseModel):
    """Steps applied in order; their names and parameters go on the model card."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: tuple[AreaAverage, ...] = (AreaAverage(),)


def area_average(image: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    """Mean over factor × factor pixels of (..., y, x); y and x must be multiples of ``factor``."""
    *rest, y, x = image.shape
    blocks = image.reshape(*rest, y // factor, factor, x // factor, factor)
    return np.asarray(blocks.mean(axis=(-3, -1), dtype=np.float64))


def trim_to_multiple(stack: SemStack, factor: int) -> SemStack:
    """Cut off the last rows and columns that do not fill an LR pixel."""
    _, y, x = stack.shape
    if y < factor or x < factor:
        raise InputError(
            f"'{stack.name}' is {x} × {y} pixels, too small to be averaged by {factor}; give a larger image."
        )
    return stack.cropped(region=((0, y - y % factor), (0, x - x % factor)))


def degrade_stack(hr: SemStack, factor: int) -> SemStack:
    """LR stack made of an HR stack by area averaging, lazily, in the HR dtype, rounded.

    The result covers the same extent; rows and columns of ``hr`` that do not fill an LR pixel are
    left out. Its provenance says that it was made, not measured.
    """
    whole = trim_to_multiple(hr, factor)

    def average(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return to_dtype(area_average(block, factor).astype(np.float32), hr.dtype)[0]

    z, y, x = whole.shape
    data = da.map_blocks(
        average,
        whole.data.rechunk((1, -1, -1)),
        dtype=hr.dtype,
        chunks=((1,) * z, (y // factor,), (x // factor,)),
    )
    return whole.averaged(
        data,
        factor,
        name=f"{hr.name} averaged {factor} × {factor}",
        paths=(),
        provenance={
            "degraded_from": hr.content_hash,
            "degradation": "area average",
            "factor": factor,
        },
    )
