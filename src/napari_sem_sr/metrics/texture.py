"""Which patterns of brighter and darker neighbours an image is made of.

Source: rotation-invariant uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002, IEEE TPAMI 24, 971): of eight
neighbours on a circle it is noted which are not darker than the centre; a pattern is known by how many they are where
they lie side by side, and all others count as one. The order of grey values decides, not their contrast, which
is why these statistics know other things about a material than spectra and gradients do.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = 8
# 0 to 8 neighbours side by side that are not darker, and everything else.
PATTERNS = NEIGHBOURS + 2
# LR pixels: the circle, and the smoothing that keeps single noisy pixels from deciding.
RADIUS, SMOOTHING = 2, 0.7


def pattern_shares(tiles: "Tensor", least: float) -> "Tensor":
    """``(n, PATTERNS)`` shares of the patterns in each tile; they add up to 1.

    Parameters
    ----------
    tiles
        ``(n, side, side)`` float32 without NaN, larger than the circle.
    least
        Differences of grey below this are none: they are rounding in flat places.
    """
    import torch

    smooth = along_both(tiles, gaussian_in_tile(tiles.shape[-1], SMOOTHING))
    centre = _shifted(smooth, 0, 0) - least
    angles = 2 * np.pi * np.arange(NEIGHBOURS) / NEIGHBOURS
    there = torch.stack(
        [
            (_at(smooth, RADIUS * np.sin(a), RADIUS * np.cos(a)) >= centre).to(torch.int8)
            for a in angles
        ]
    )
    changes = (there != there.roll(1, 0)).sum(0, dtype=torch.int8)
    pattern = torch.where(changes <= 2, there.sum(0, dtype=torch.int8), PATTERNS - 1)
    pattern = pattern.flatten(1)
    return torch.stack([(pattern == p).float().mean(1) for p in range(PATTERNS)], dim=1)


def along_both(tiles: "Tensor", matrix: npt.NDArray[np.float64]) -> "Tensor":
    """A ``(side, side)`` filter along y and along x of ``(n, side, side)``.

    Parameters
    ----------
    tiles
        ``(n, side, side)``.
    matrix
        ``(side, side)``, applied to both axes.
    """
    import torch

    there = torch.from_numpy(matrix.astype(np.float32)).to(tiles.device)
    return there @ tiles @ there.T


@lru_cache(maxsize=16)
def gaussian_in_tile(side: int, sigma: float) -> npt.NDArray[np.float64]:
    """``(side, side)``: a Gaussian along an axis that is mirrored at its ends.

    Parameters
    ----------
    side
        Of a tile, in pixels.
    sigma
        Standard deviation in pixels.
    """
    return np.asarray(gaussian_filter1d(np.eye(side), sigma, axis=0, mode="reflect"))


def _at(image: "Tensor", dy: float, dx: float) -> "Tensor":
    """Bilinear value ``dy``, ``dx`` away from every pixel that has the whole circle."""
    y, x = int(np.floor(dy + 1e-9)), int(np.floor(dx + 1e-9))
    b, a = dy - y, dx - x
    rows = [
        (1 - a) * _shifted(image, y + i, x) + a * _shifted(image, y + i, min(x + 1, RADIUS))
        for i in (0, min(1, RADIUS - y))
    ]
    return (1 - b) * rows[0] + b * rows[1]


def _shifted(image: "Tensor", y: int, x: int) -> "Tensor":
    height, width = image.shape[1:]
    return image[:, RADIUS + y : height - RADIUS + y, RADIUS + x : width - RADIUS + x]
