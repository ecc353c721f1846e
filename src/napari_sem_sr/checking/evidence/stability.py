"""Whether SR depends on how the slice lies: LR flipped and turned in eight ways, upscaled, and turned back.

A structure in the sample does not know which way up the camera was. Where the eight pictures differ, the network
decides by itself; the map is their standard deviation. Eight pictures cost eight times the upscaling, so that it is
measured on up to `SAMPLED_SLICES` slices of a stack, on a piece of each.

Source: test-time augmentation as a measure of uncertainty (Wang et al. 2019, Neurocomputing 338, 34).

What it can and cannot tell: it localises error about as well as the amount of invention does. What all eight draw alike can
still be wrong.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, SoFar
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.sampling import evenly_spaced

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

SAMPLED_SLICES = 4
VIEWS = 8
# LR pixels along a side of the piece of a slice on which it is measured: eight views of whole slices took longer than
# hundreds of slices of everything else.
PIECE_PX = 96


def sampled(slices: int) -> frozenset[int]:
    """Slices on which it is measured.

    Parameters
    ----------
    slices
        Of the field.
    """
    return frozenset(evenly_spaced(slices, SAMPLED_SLICES))


def instability(upscale: Callable[[Image], Image], lr: Image, factor: int) -> Float:
    """Standard deviation over the eight views, root mean square over LR pixels, (y, x) of LR in grey levels.

    Parameters
    ----------
    upscale
        (y, x) of LR to SR.
    lr
        One slice, or a piece of one.
    factor
        SR pixels per LR pixel.
    """
    total = np.zeros((factor * lr.shape[0], factor * lr.shape[1]))
    squares = np.zeros_like(total)
    first = None
    for view in range(VIEWS):
        turned = np.rot90(lr.T if view >= VIEWS // 2 else lr, view)
        seen = np.rot90(upscale(np.ascontiguousarray(turned)), -view).astype(np.float64)
        seen = seen.T if view >= VIEWS // 2 else seen
        # differences to the first view are small, so that their squares lose nothing
        first = seen if first is None else first
        total += seen - first
        squares += (seen - first) ** 2
    variance = np.maximum(squares / VIEWS - (total / VIEWS) ** 2, 0) * VIEWS / (VIEWS - 1)
    return np.sqrt(area_average(variance, factor)).astype(np.float32)


def piece_of(shape: tuple[int, int], number: int, side: int = PIECE_PX) -> Region:
    """Piece of slice ``number`` of those that are sampled: the middle of another quarter in each.

    Parameters
    ----------
    shape
        (y, x) of LR.
    side
        Of the piece in LR pixels.
    """
    place = [((number // 2) % 2 * 2 + 1) / 4, (number % 2 * 2 + 1) / 4]
    (y0, y1), (x0, x1) = (
        (start, min(n, start + side))
        for start, n in (
            (max(0, min(n - side, int(p * n) - side // 2)), n)
            for p, n in zip(place, shape, strict=True)
        )
    )
    return (y0, y1), (x0, x1)


@dataclass(frozen=True)
class Squares:
    """Squares of a map added up, and how many there are.

    Parameters
    ----------
    squared
        Sum of the squares.
    n
        How many.
    """

    squared: float
    n: float

    @classmethod
    def of(cls, image: Float) -> "Squares":
        """Those of a map; NaN is left out.

        Parameters
        ----------
        image
            ``(y, x)`` or any shape; may hold NaN.
        """
        valid = image[np.isfinite(image)].astype(np.float64)
        return cls(float(np.square(valid).sum()), float(valid.size))


def rms_of(slices: Sequence[Squares]) -> float | None:
    """Root mean square of the maps of several slices; None without any.

    Parameters
    ----------
    slices
        As of `Squares.of`.
    """
    n = sum(s.n for s in slices)
    return math.sqrt(sum(s.squared for s in slices) / n) if n else None


@dataclass(frozen=True)
class StabilitySection:
    """Root mean square over eight views in grey levels (``stability_rms``), on ``stability_slices`` slices."""

    stability_rms: float | None
    stability_slices: int


@dataclass(frozen=True)
class StabilityEvidence(Evidence[Squares]):
    """Flips and turns of LR.

    Parameters
    ----------
    slices
        Slices of the field on which it is measured, by which of the pieces.
    """

    slices: tuple[int, ...]

    name = "stability"
    section = "invention"
    record = Squares
    draws = (
        MapKind(
            "stability",
            "standard deviation of SR over eight flips and turns of LR, grey levels; on pieces of a few slices only",
        ),
    )
    cannot = "What all eight views draw alike can still be wrong."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Without the model nothing can be upscaled again; invention says so."""
        return None if setup.model is not None else ""

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Choose the slices."""
        return cls(tuple(sorted(sampled(setup.field.sr.shape[0]))))

    def look(self, seen: "Seen") -> Found[Squares]:
        """Measure it where it is this slice's turn; elsewhere the map is NaN."""
        found: Float = np.full(seen.lr.shape, np.nan, np.float32)
        if seen.index not in self.slices or seen.setup.networks is None:
            return Found(None, {"stability": found})
        engine, setup = seen.setup.networks.made_sr, seen.setup
        number = self.slices.index(seen.index)
        height, width = seen.lr.shape
        (y0, y1), (x0, x1) = piece = piece_of((height, width), number)
        # as far around the piece as the network looks
        top, left = max(0, y0 - engine.reach), max(0, x0 - engine.reach)
        lr = seen.lr[top : min(height, y1 + engine.reach), left : min(width, x1 + engine.reach)]

        def again(view: Image) -> Image:
            grey = view.astype(np.float32)
            return engine.upscale_slice(grey, setup.intensity, grey.dtype).image

        if np.isfinite(lr).any():
            wide = instability(again, lr, setup.field.factor)
            found[slice(*piece[0]), slice(*piece[1])] = wide[
                y0 - top : y1 - top, x0 - left : x1 - left
            ]
        return Found(Squares.of(found), {"stability": found})

    def combine(
        self, records: Sequence[Squares], setup: "Setup", so_far: SoFar
    ) -> StabilitySection:
        """Root mean square over all pieces."""
        return StabilitySection(rms_of(records), len(records))
