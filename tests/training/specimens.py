"""Small teachers with something to learn, and settings with which they are learned from in seconds."""

import numpy as np

from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.settings import TrainSettings


def discs(seed: int, side: int = 96, count: int = 12, noise: float = 2.0) -> np.ndarray:
    """Bright discs on a dark ground: an image with something to learn."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:side, :side]
    image = np.full((side, side), 40.0)
    for _ in range(count):
        y, x, r = *rng.uniform(0, side, 2), rng.uniform(3, 9)
        image[np.hypot(yy - y, xx - x) < r] = rng.uniform(120, 220)
    return (image + rng.normal(0, noise, image.shape)).clip(0, 255).astype(np.uint8)


def teachers(count: int = 6) -> list[Teacher]:
    return [Teacher(discs(n), f"image {n}", f"specimen {n}") for n in range(count)]


def settings(**changes) -> TrainSettings:
    small = {
        "epochs": 4,
        "gan_share": 0.5,
        "architecture": Architecture(channels=8, blocks=1, tail_channels=4),
        "batch": 4,
        "patch_lr_px": 8,
        "device": "cpu",
        # making the kernels of bf16 takes longer than all these steps
        "precision": "fp32",
    }
    return TrainSettings(**{**small, **changes})
