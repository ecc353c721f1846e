"""What a quantity usually is at a place of LR, learnt from how LR looks around it.

Residuals and inventions are larger where LR is busy. A ridge regression on the logarithm of LR's local contrast,
gradient and curvature at some scales (with their squares) tells what is usual there, so that quiet and busy places
are judged alike. It is learnt from a few slices of the very stack and has some twenty numbers, too few to learn
a single fault by heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.metrics.banded import Banded, gaussian, radius_of, smoothing

Vector = npt.NDArray[np.float64]

# LR pixels.
CONTRAST_SCALES = (0.7, 1.4, 3.0)
SLOPE_SCALES = (0.7, 1.4)
SLOPE_BLUR = 1.0
BRIGHTNESS_SCALE = 1.5
# What a generator leaves of LR in the residual is told from LR in these bands; LR pixels.
BANDS, CURVATURE = (0.7, 1.0, 2.0), 0.6
# LR pixels that filters look around a place.
REACH = radius_of(max(CONTRAST_SCALES))
MARGIN = REACH + radius_of(SLOPE_BLUR)
# 255ths of the intensity range: keeps logarithms finite where LR is flat.
FLAT = 0.1
MIDDLE = 127.5
RIDGE = 1e-2
# Per cent: places that look unlike all that was learnt from are judged like the nearest that were.
EXTREME = 0.1


@dataclass(frozen=True, eq=False)
class Context:
    """How LR looks around every pixel.

    Parameters
    ----------
    features
        ``(features, y, x)``: log contrast, log slope and log curvature at some scales, brightness.
    bands
        ``(bands, y, x)``: LR in some bands, and a constant.
    """

    features: Tensor
    bands: Tensor


def context_of(lr: Tensor) -> Context:
    """Describe LR (y, x), in 255ths of the intensity range without NaN, except for `MARGIN` around it.

    Parameters
    ----------
    lr
        ``(y, x)`` with `MARGIN`.
    """
    filters = _filters()
    # from the middle of the range, so that single precision loses nothing
    lr = lr - MIDDLE
    rows = _Rows(lr, filters)
    squares = _Rows(lr * lr, filters)
    spare = MARGIN - REACH

    def cut(image: Tensor) -> Tensor:
        return image[spare:-spare, spare:-spare]

    features = []
    for scale in CONTRAST_SCALES:
        variance = squares.along_x(scale) - rows.along_x(scale).square()
        features.append(cut(variance).clamp_min_(0).sqrt_().add_(3 * FLAT).log_())
    blur = smoothing(SLOPE_BLUR)
    for scale in SLOPE_SCALES:
        for slope in (rows.slope_squared(scale), rows.curvature(scale).square_()):
            features.append(blur.both(slope).clamp_min_(0).sqrt_().add_(FLAT).log_())
    features.append(cut(rows.along_x(BRIGHTNESS_SCALE)))
    image = lr[MARGIN:-MARGIN, MARGIN:-MARGIN]
    bands = [image - cut(rows.along_x(scale)) for scale in BANDS]
    bands += [cut(rows.curvature(CURVATURE)), torch.ones_like(image)]
    return Context(torch.stack(features), torch.stack(bands))


@lru_cache(maxsize=1)
def _filters() -> tuple[dict[tuple[float, int], int], Banded]:
    """All filters along y in one product: by scale and order the number of each, and the filters."""
    plain = {*CONTRAST_SCALES, *SLOPE_SCALES, BRIGHTNESS_SCALE, *BANDS, CURVATURE}
    kinds = [(scale, 0) for scale in sorted(plain)]
    kinds += [(scale, 1) for scale in SLOPE_SCALES]
    kinds += [(scale, 2) for scale in (*SLOPE_SCALES, CURVATURE)]
    weights = np.concatenate([gaussian(scale, order, reach=REACH) for scale, order in kinds])
    return {kind: n for n, kind in enumerate(kinds)}, Banded(weights, 1, block=32)


class _Rows:
    """An image filtered along y by everything; along x as asked."""

    def __init__(self, image: Tensor, filters: tuple[dict[tuple[float, int], int], Banded]) -> None:
        self._number, banded = filters
        made = banded.along_y(image)
        self._made = made.view(-1, banded.outputs, image.shape[1])

    def along_x(self, scale: float, order: int = 0, order_y: int = 0) -> Tensor:
        rows = self._made[:, self._number[scale, order_y]]
        spare = REACH - radius_of(scale)
        return smoothing(scale, order).along_x(rows[:, spare : rows.shape[1] - spare])

    def slope_squared(self, scale: float) -> Tensor:
        return self.along_x(scale, 1).square_().add_(self.along_x(scale, order_y=1).square_())

    def curvature(self, scale: float) -> Tensor:
        # weights of a Gaussian's second derivative do not add up to nothing where it is narrow
        leak = 2 * MIDDLE * float(gaussian(scale, 2).sum())
        return self.along_x(scale, 2).add_(self.along_x(scale, order_y=2)).add_(leak)


@dataclass(frozen=True, eq=False)
class Standard:
    """How features are standardised, and between which values they are held; ``(features,)`` each.

    Parameters
    ----------
    centre
        Mean of each feature.
    spread
        Standard deviation of each.
    low
        Least value that is told apart.
    high
        Largest value that is told apart.
    """

    centre: Vector
    spread: Vector
    low: Vector
    high: Vector

    @classmethod
    def of(cls, features: Vector) -> "Standard":
        """That of ``(pixels, features)``.

        Parameters
        ----------
        features
            ``(pixels, features)``.
        """
        low, high = np.percentile(features, [EXTREME, 100 - EXTREME], axis=0)
        return cls(features.mean(axis=0), features.std(axis=0) + 1e-6, low, high)

    def expand(self, features: Vector) -> Vector:
        """``(pixels, 1 + 2 * features)``: a constant, the features and their squares.

        Parameters
        ----------
        features
            ``(pixels, features)``.
        """
        z = (np.clip(features, self.low, self.high) - self.centre) / self.spread
        return np.concatenate([np.ones((len(z), 1)), z, z**2], axis=1)


@dataclass(frozen=True, eq=False)
class Usual:
    """Some quantities, linear in the features and their squares.

    Parameters
    ----------
    standard
        Of the features.
    weights
        ``(quantities, 1 + 2 * features)``.
    """

    standard: Standard
    weights: Vector

    def at(self, features: Tensor) -> Tensor:
        """``(quantities, y, x)`` what is usual where LR has these ``(features, y, x)``.

        Parameters
        ----------
        features
            ``(features, y, x)``.
        """
        count, *shape = features.shape
        centre, spread, low, high = (
            torch.from_numpy(v.astype(np.float32)).to(features.device)[:, None]
            for v in (
                self.standard.centre,
                self.standard.spread,
                self.standard.low,
                self.standard.high,
            )
        )
        z = features.reshape(count, -1).clamp(low, high).sub_(centre).div_(spread)
        weights = torch.from_numpy(self.weights.astype(np.float32)).to(features.device)
        found = weights[:, 1 : 1 + count] @ z
        found += weights[:, 1 + count :] @ z.square_()
        return found.add_(weights[:, :1]).view(-1, *shape)


def learn(standard: Standard, features: Vector, values: Sequence[npt.NDArray[Any]]) -> Usual:
    """Learn what some quantities usually are.

    Parameters
    ----------
    standard
        Of the features.
    features
        ``(pixels, features)``.
    values
        ``(pixels,)`` of each quantity; NaN is left out.
    """
    expanded = standard.expand(features)
    weights = []
    for value in values:
        valid = np.isfinite(value)
        z, y = expanded[valid], value[valid].astype(np.float64)
        if len(y) == 0:
            weights.append(np.zeros(expanded.shape[1]))
            continue
        penalty = RIDGE * len(z) * np.eye(z.shape[1])
        penalty[0, 0] = 0
        # a flat slice has features of no variance at all
        weights.append(np.linalg.lstsq(z.T @ z + penalty, z.T @ y, rcond=None)[0])
    return Usual(standard, np.stack(weights))
