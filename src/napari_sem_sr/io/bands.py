"""Slices in bands of rows, as an SR slice may be larger than memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.stack import SemStack

# Of one band.
_BYTES = 64 << 20


def rows_of(stack: SemStack, index: int, first: int, end: int) -> npt.NDArray[Any]:
    """Read rows ``first`` to ``end`` of slice ``index`` of ``stack``; others are read only where the format does not keep them apart."""
    return np.asarray(stack.data[index, first:end].compute())


def iter_bands(stack: SemStack, index: int) -> Iterator[npt.NDArray[Any]]:
    """Read slice ``index`` of ``stack`` from the top down, some rows at a time."""
    _, height, width = stack.shape
    step = max(1, _BYTES // (width * stack.dtype.itemsize))
    if step >= height:
        yield stack.slice(index)
        return
    for first in range(0, height, step):
        yield rows_of(stack, index, first, min(height, first + step))
