"""Slices between measured ones without learning: what any network has to beat."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.axial.resample import rows_at

Float = npt.NDArray[np.float32]


def interpolated(slices: Float, places: npt.NDArray[Any], how: Literal["linear", "cubic"]) -> Float:
    """Slices at ``places`` (m,), in slices, of ``slices`` (n, y, x): (m, y, x).

    Linear, or cubic convolution (Keys 1981).

    Parameters
    ----------
    how
        The kind of interpolation.
    """
    if how == "cubic":
        return rows_at(slices, places)
    above = np.minimum(np.floor(places).astype(np.intp), len(slices) - 2)
    part = (np.asarray(places) - above).astype(np.float32)[:, None, None]
    mean: Float = slices[above] * (1 - part) + slices[above + 1] * part
    return mean
