"""Shapes whose numbers are known, on lattices of any voxel size."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sem_sr.measure.blocks import BlockGrid
from napari_sem_sr.measure.numbers.correlation import Correlation
from napari_sem_sr.measure.numbers.crossings import Crossings
from napari_sem_sr.measure.scratch import PlaneFile

Mask = npt.NDArray[np.bool_]
# Area of the minimal gyroid in a cubic cell of edge 1 (Schoen 1970).
GYROID_AREA = 3.0915


def points(extent: tuple[float, float, float], voxel: tuple[float, float, float]):
    """Centres (z, y, x) of the voxels of a box, as three arrays that broadcast."""
    axes = [(np.arange(round(e / v)) + 0.5) * v for e, v in zip(extent, voxel, strict=True)]
    return np.meshgrid(*axes, indexing="ij", sparse=True)


def spheres(extent, voxel, centres, radii) -> Mask:
    """Union of spheres in a box."""
    z, y, x = points(extent, voxel)
    mask = np.zeros(np.broadcast_shapes(z.shape, y.shape, x.shape), bool)
    for (cz, cy, cx), radius in zip(centres, radii, strict=True):
        mask |= (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
    return mask


def lattice(extent, voxel, period: float, radius: float, shift) -> Mask:
    """A sphere in every cubic cell, also across the border, moved by ``shift``."""
    squares = [
        ((v - s + period / 2) % period - period / 2) ** 2
        for v, s in zip(points(extent, voxel), shift, strict=True)
    ]
    return squares[0] + squares[1] + squares[2] <= radius**2


def gyroid(extent, voxel, period: float) -> Mask:
    """One side of a gyroid surface."""
    z, y, x = (2 * np.pi * v / period for v in points(extent, voxel))
    return np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x) > 0


def apart(extent, radii, rng: np.random.Generator, gap: float = 2.0, wrapped: bool = False):
    """Centres of spheres that do not touch, anywhere in a box, or also half outside of it where ``wrapped``."""
    centres: list[npt.NDArray[np.float64]] = []
    kept: list[float] = []
    for radius in radii:
        for _ in range(400):
            margin = 0.0 if wrapped else radius + gap
            centre = rng.uniform(margin, np.array(extent) - margin)
            if all(
                np.linalg.norm(centre - c) > radius + r + gap
                for c, r in zip(centres, kept, strict=True)
            ):
                centres.append(centre)
                kept.append(radius)
                break
    return centres, kept


def counted(mask: Mask, voxel) -> Crossings:
    """A volume without unknown voxels, counted."""
    crossings = Crossings(BlockGrid(mask.shape), voxel)
    for index, plane in enumerate(mask):
        crossings.add(index, plane, np.ones_like(plane))
    return crossings


def correlated(mask: Mask) -> Correlation:
    """The same for pairs."""
    correlation = Correlation(BlockGrid(mask.shape))
    for index, plane in enumerate(mask):
        correlation.add(index, plane, np.ones_like(plane))
    return correlation


def filed(mask: Mask, folder: Path, name: str = "mask") -> PlaneFile:
    """The volume on disk."""
    file = PlaneFile(folder / name, mask.shape, bool)
    for index, plane in enumerate(mask):
        file.write(index, plane)
    return file
