"""A small but complete model bundle."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from napari_sem_sr.model.bundle import save_model
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.generator import Generator

# A busy machine is no defect of the code under test; pytest-timeout catches what hangs.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def card(name: str = "tiny", factor: int = 4) -> Card:
    """A valid card of a tiny network."""
    return Card.model_validate(
        {
            "name": name,
            "factor": factor,
            "architecture": {"channels": 4, "blocks": 1, "tail_channels": 4},
            "teachers": {
                "count": 3,
                "hashes": ["a", "b", "c"],
                "pixel_nm": [5.0],
                "instruments": [],
                "groups": {"train": ["one"], "calibration": ["two"], "test": ["three"]},
                "unit": "specimen",
            },
            "degradation": {"steps": [{"kind": "area average"}]},
            "training": {
                "epochs": {"twin": 1, "gan": 1},
                "steps": {"twin": 2, "gan": 2},
                "seconds": 1.0,
                "batch": 2,
                "gan_batch": 2,
                "patch_lr_px": 8,
                "losses": {"pixel": 1.0},
                "seed": 0,
                "device": "cpu",
                "precision": "fp32",
                "versions": {},
                "curve": [],
            },
            "scores": [
                {
                    "name": "image",
                    "group": "three",
                    "bicubic_psnr": 30.0,
                    "bicubic_ssim": 0.8,
                    "twin_psnr": 33.0,
                    "twin_ssim": 0.9,
                    "gan_psnr": 31.0,
                    "gan_ssim": 0.85,
                }
            ],
            "default_sharpness": 0.5,
            "domain": {},
            "licence": "none",
            "credits": [],
        }
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Folder of a model whose twin and GAN differ in every weight."""
    path = tmp_path / "tiny"
    weights = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = Generator(4, 4, 1, 4)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.normal_(0, 0.1)
        weights.append(network.state_dict())
    save_model(path, card(), weights[0], weights[1], {"features": np.arange(6.0).reshape(2, 3)})
    return path
