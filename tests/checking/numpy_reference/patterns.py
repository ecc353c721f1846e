"""Which patterns of brighter and darker neighbours an image is made of.

Source: rotation-invariant uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002, IEEE TPAMI 24, 971): of eight
neighbours on a circle it is noted which are not darker than the centre; a pattern is known by how many they are where
they lie side by side, and all others count as one. The order of grey values decides, not their contrast, which
is why these statistics know other things about a material than spectra and gradients do.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

NEIGHBOURS = 8
# 0 to 8 neighbours side by side that are not darker, and everything else.
PATTERNS = NEIGHBOURS + 2
# LR pixels: the circle, and the smoothing that keeps single noisy pixels from deciding.
RADIUS, SMOOTHING = 2, 0.7


def pattern_shares(tiles: npt.NDArray[Any], least: float) -> npt.NDArray[np.float64]:
    """``(n, PATTERNS)`` shares of the patterns in each tile; they add up to 1.

    Parameters
    ----------
    tiles
        ``(n, y, x)`` without NaN, larger than the circle.
    least
        Differences of grey below this are none: they are rounding in flat places.
    """
    smooth = gaussian_filter(tiles.astype(np.float64), (0, SMOOTHING, SMOOTHING), mode="reflect")
    centre = _shifted(smooth, 0, 0)
    angles = 2 * np.pi * np.arange(NEIGHBOURS) / NEIGHBOURS
    there = np.stack(
        [_at(smooth, RADIUS * np.sin(a), RADIUS * np.cos(a)) >= centre - least for a in angles]
    )
    changes = (there != np.roll(there, 1, axis=0)).sum(axis=0)
    pattern = np.where(changes <= 2, there.sum(axis=0), PATTERNS - 1)
    return np.stack([(pattern == p).mean(axis=(1, 2)) for p in range(PATTERNS)], axis=1)


def _at(image: npt.NDArray[np.float64], dy: float, dx: float) -> npt.NDArray[np.float64]:
    """Bilinear value ``dy``, ``dx`` away from every pixel that has the whole circle."""
    y, x = int(np.floor(dy + 1e-9)), int(np.floor(dx + 1e-9))
    b, a = dy - y, dx - x
    rows = [
        (1 - a) * _shifted(image, y + i, x) + a * _shifted(image, y + i, min(x + 1, RADIUS))
        for i in (0, min(1, RADIUS - y))
    ]
    return (1 - b) * rows[0] + b * rows[1]


def _shifted(image: npt.NDArray[np.float64], y: int, x: int) -> npt.NDArray[np.float64]:
    height, width = image.shape[1:]
    return image[:, RADIUS + y : height - RADIUS + y, RADIUS + x : width - RADIUS + x]
