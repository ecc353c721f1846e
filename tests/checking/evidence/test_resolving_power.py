import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence import resolving_power as resolving
from napari_sem_sr.checking.evidence.resolving_power import SIZES, erase, plant, resolving_power
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.model.recovery import Recovery


def ground(side: int = 320, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((side, side))
    return (100 + 60 * gaussian_filter(noise, 6) * 6).astype(np.float32)


def with_discs(side: int = 320) -> np.ndarray:
    yy, xx = np.mgrid[:side, :side]
    image = np.full((side, side), 60.0)
    for y in range(40, side - 40, 60):
        for x in range(40, side - 40, 60):
            image += 100 * np.clip(5.5 - np.hypot(yy - y, xx - x), 0, 1)
    return image.astype(np.float32)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(resolving, "FIELD", 80)


def bicubic(lr: np.ndarray) -> np.ndarray:
    return upscale_bicubic(lr, 4)


def test_interpolation_recovers_large_features_and_not_those_under_an_lr_pixel():
    tried = []
    for seed in range(4):
        tried += plant(ground(seed=seed), 4, {"bicubic": bicubic}, np.random.default_rng(seed))
    rate = {
        size: np.mean([t.explained["bicubic"] >= 0.5 for t in tried if t.size == size and t.kind == "disc"])
        for size in (SIZES[0], SIZES[-1])
    }  # fmt: skip
    assert rate[SIZES[0]] == 0 and rate[SIZES[-1]] == 1


def test_nothing_drawn_explains_nothing():
    def blind(lr: np.ndarray) -> np.ndarray:
        return np.full((4 * lr.shape[0], 4 * lr.shape[1]), 9, np.float32)

    tried = plant(ground(), 4, {"blind": blind}, np.random.default_rng(0))
    assert tried and all(t.explained["blind"] == pytest.approx(0) for t in tried)


def test_a_generator_that_knows_the_picture_by_heart_draws_erased_objects_back():
    hr = with_discs()
    tried = erase(hr, 4, {"by heart": lambda lr: hr, "bicubic": bicubic})
    assert len(tried) >= 9
    assert all(t.explained["by heart"] == pytest.approx(1, abs=0.01) for t in tried)
    assert max(t.explained["bicubic"] for t in tried) < 0.2


def test_a_network_that_only_interpolates_resolves_what_bicubic_does():
    network = Generator(4, 4, 1, 4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    found = resolving_power({"gan": network, "twin": network}, [with_discs(), ground()], 4)
    assert found.specimens == 2 and found.n_erased > 0
    for recovery in found.planted:
        assert recovery.rate["gan"] == recovery.rate["twin"] == recovery.rate["bicubic"]
    assert found.drawn_back["gan"] == 0
    assert "erased" in found.sentence(20.0)


def test_pictures_too_small_for_a_feature_give_no_resolving_power():
    assert resolving_power({}, [ground(64)], 4) is None


def test_the_smallest_size_is_where_recovery_is_lost_for_good():
    rate = {"gan": [0.0, 1.0, 0.5, 0.95, 1.0]}
    found = Recovery(kind="disc", size_lr_px=[0.5, 1, 2, 3, 4], n=[9] * 5, rate=rate)
    assert (found.smallest("gan", 0.9), found.smallest("gan", 0.5)) == (3, 1)
    assert found.smallest("gan", 1.1) is None
