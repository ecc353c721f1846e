"""Where values lie and how far they scatter, whatever a few of them do."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Standard deviation of normal values over their median distance from the median.
MAD = 1.4826


def middle_and_scatter(values: npt.NDArray[Any], least: float) -> tuple[float, float]:
    """Median, and standard deviation by the median distance from it, at least ``least``.

    What is not finite is left out; 0 and 1 where nothing is left.

    Parameters
    ----------
    values
        Of any shape; may hold NaN.
    """
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    middle = float(np.median(values))
    return middle, max(float(MAD * np.median(np.abs(values - middle))), least)
