"""What a Gaussian mean is worth near the edges of an image."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

Float = npt.NDArray[np.float64]


def crowding(shape: tuple[int, ...], scale: float) -> Float:
    """How much more a Gaussian mean scatters near the edges of an image, 1 inside of it.

    An image is mirrored there, so pixels are counted twice and the mean is of fewer of them: by a factor of about 1.4 at
    an edge and 2 in a corner. Exact for white noise.

    Parameters
    ----------
    shape
        ``(y, x)`` of the image.
    scale
        Standard deviation of the Gaussian in pixels.
    """
    return np.asarray(np.outer(*(_along(n, scale) for n in shape)))


@lru_cache(maxsize=64)
def _along(n: int, scale: float) -> Float:
    reach = int(4 * scale + 0.5)
    inside = 2 * reach + 1
    usual = _squares(inside, scale)[reach]
    # beyond the reach of an edge nothing changes
    short = _squares(min(n, 2 * inside), scale)
    middle = np.full(n - len(short), usual)
    half = len(short) // 2
    return np.asarray(np.sqrt(np.concatenate([short[:half], middle, short[half:]]) / usual))


def _squares(n: int, scale: float) -> Float:
    """Sum of the squared weights of each of ``n`` means along an axis of ``n`` pixels."""
    weights = gaussian_filter1d(np.eye(n), scale, axis=0)
    return np.asarray((weights**2).sum(axis=1))
