"""A small field with known truth: HR, the LR made of it, an SR between them, and a tiny model."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.degradation.degrade import degrade_stack
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True)
class Truth:
    lr: SemStack
    sr: SemStack
    hr: SemStack


def specimen(shape: tuple[int, int, int] = (3, 64, 80), seed: int = 0) -> np.ndarray:
    """Blobs of two sizes with noise, uint8, different in every slice."""
    rng = np.random.default_rng(seed)
    coarse = gaussian_filter(rng.standard_normal(shape), (0, 6, 6))
    fine = gaussian_filter(rng.standard_normal(shape), (0, 1.2, 1.2))
    image = 120 + 30 * coarse / coarse.std() + 12 * fine / fine.std()
    return np.clip(image + rng.normal(0, 3, shape), 0, 255).astype(np.uint8)


def truth_of(data: np.ndarray, voxel_nm=(20.0, 5.0, 5.0), name: str = "HR") -> Truth:
    hr = SemStack.from_array(data, name, voxel_nm=voxel_nm)
    lr = degrade_stack(hr, 4)
    planes = np.stack([upscale_bicubic(lr.slice(z), 4) for z in range(lr.shape[0])])
    # halfway between bicubic and HR: closer to the truth than bicubic, and not it
    half = (
        (planes.astype(float) + hr.data.compute()[:, : planes.shape[1], : planes.shape[2]]) / 2
    ).astype(data.dtype)
    sr = lr.upscaled(SemStack.from_array(half, "SR").data, 4)
    return Truth(replace(lr, name="LR"), replace(sr, name="SR", provenance={"synthetic": True}), hr)


@pytest.fixture
def truth() -> Truth:
    return truth_of(specimen())


@pytest.fixture
def model(bundle: Path) -> Model:
    return load_bundle(bundle)
