"""Rows at places between rows: the cubic interpolation of learning, of the volume and of the comparison."""

from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
REACH = 2


def taps(places: npt.NDArray[Any], count: int) -> tuple[npt.NDArray[np.intp], Float]:
    """Rows and weights of cubic convolution (Keys 1981, a = -1/2; Catmull-Rom) at ``places``.

    Parameters
    ----------
    places
        (n,) in rows, 0 to ``count`` - 1.
    count
        Number of rows; those beyond the ends are continued along a straight line.

    Returns
    -------
    Rows (n, 4) and weights (n, 4).
    """
    below = np.clip(np.floor(places).astype(np.intp), 0, max(count - 2, 0))
    t = np.asarray(places, np.float64) - below
    weights = np.stack(
        [
            ((-t + 2) * t - 1) * t / 2,
            ((3 * t - 5) * t) * t / 2 + 1,
            ((-3 * t + 4) * t + 1) * t / 2,
            (t - 1) * t * t / 2,
        ],
        axis=1,
    )
    rows = below[:, None] + np.arange(-1, 3)
    # the row before the first is 2 * first - second, likewise at the other end
    early, late = rows[:, 0] < 0, rows[:, 3] > count - 1
    for outside, column, inner, second in ((early, 0, 1, 2), (late, 3, 2, 1)):
        weights[outside, inner] += 2 * weights[outside, column]
        weights[outside, second] -= weights[outside, column]
        weights[outside, column] = 0
    return np.clip(rows, 0, count - 1), weights.astype(np.float32)


def rows_at(plane: Float, places: npt.NDArray[Any]) -> Float:
    """Rows of ``plane`` (n, ...) at ``places`` (m,), cubically interpolated where they are no whole numbers: (m, ...)."""
    whole = np.rint(places)
    if np.abs(places - whole).max() < 1e-6:
        taken: Float = plane[whole.astype(np.intp)]
        return taken
    rows, weights = taps(places, len(plane))
    shape = (-1, *(1,) * (plane.ndim - 1))
    result = np.zeros((len(rows), *plane.shape[1:]), np.float32)
    for i in range(rows.shape[1]):
        result += plane[rows[:, i]] * weights[:, i].reshape(shape)
    return result
