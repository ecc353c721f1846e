"""How noisy an image is, from the image alone."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve

# Second difference along both axes: blind to anything that is locally a ramp (Immerkaer 1996).
KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
# Response of the kernel to white noise of standard deviation 1.
GAIN = 6.0
# Median absolute value of a standard normal variable.
MAD = 0.6744897501960817


def noise_sigma(image: npt.NDArray[Any]) -> float:
    """Standard deviation of white noise in ``image`` (y, x), in its grey levels; NaN ignored.

    Source: the kernel of Immerkaer 1996 (Comput. Vis. Image Underst. 64, 300), with the median of its absolute
    response instead of the mean, so that edges, being few, do not count as noise.

    What it can and cannot tell: it assumes noise that is independent from pixel to pixel. Dense fine texture
    counts as noise (too high), noise smoothed by an earlier interpolation does not (too low), and 0 is
    returned where more than half of the image is flat.
    """
    response = np.abs(convolve(image.astype(np.float64), KERNEL, mode="reflect"))
    valid = response[np.isfinite(response)]
    return float(np.median(valid) / (MAD * GAIN)) if valid.size else float("nan")
