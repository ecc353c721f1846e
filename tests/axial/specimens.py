"""A small isotropic specimen, sliced as a microscope would."""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_sem_sr.axial.settings import IsotropicSettings, Recipe
from napari_sem_sr.stack import SemStack

TINY = Recipe(channels=8, blocks=1, batch=2)
QUICK = IsotropicSettings(steps=4, recipe=TINY, device="cpu")


def volume(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Soft blobs of about six voxels, the same in every direction, as uint8 with a little noise."""
    random = np.random.default_rng(seed)
    blobs = gaussian_filter(random.standard_normal(shape), 2.5, mode="wrap")
    grey = 128 + 60 * np.tanh(2 * blobs / blobs.std()) + random.normal(0, 3, shape)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def sliced(
    n_slices: int = 7, ratio: float = 4.0, side: tuple[int, int] = (60, 56), name: str = "blobs"
) -> SemStack:
    """Slices of :func:`volume`, ``ratio`` pixels of 5 nm apart."""
    whole = volume((int(np.ceil((n_slices - 1) * ratio)) + 1, *side))
    places = np.rint(np.arange(n_slices) * ratio).astype(int)
    return SemStack.from_array(whole[places], name, voxel_nm=(5.0 * ratio, 5.0, 5.0))


def files(folder: Path) -> dict[str, bytes]:
    """Content of every file under ``folder`` by name."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
