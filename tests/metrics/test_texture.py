import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_sem_sr.metrics.texture import PATTERNS, pattern_shares

LEAST = 1e-3


def image(seed: int = 0, size: int = 96) -> np.ndarray:
    return gaussian_filter(np.random.default_rng(seed).standard_normal((size, size)), 2)


def of(tiles: np.ndarray, least: float) -> np.ndarray:
    return pattern_shares(torch.from_numpy(np.ascontiguousarray(tiles, np.float32)), least).numpy()


def shares(tile: np.ndarray) -> np.ndarray:
    return of(tile[None], LEAST)[0]


def test_shares_add_up_to_one():
    found = of(np.stack([image(1), image(2)]), LEAST)
    assert found.shape == (2, PATTERNS)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_a_flat_tile_has_one_pattern_whatever_rounding_does_to_it():
    rng = np.random.default_rng(0)
    flat = 0.5 + 1e-4 * rng.standard_normal((32, 32))
    assert shares(flat)[8] == 1


def test_an_edge_is_half_brighter_and_a_dot_is_darker_all_around():
    ramp = np.tile(np.linspace(0, 10, 40), (40, 1))
    # four of eight neighbours, and the two above and below that are equal
    assert shares(ramp)[5] == pytest.approx(1)
    dots = np.zeros((42, 42))
    dots[4::6, 4::6] = 1
    assert shares(dots)[0] > 0.02


def test_contrast_and_brightness_do_not_matter_and_turning_by_a_quarter_does_not_either():
    plain = shares(image())
    np.testing.assert_allclose(of(7 * image()[None] + 3, 7 * LEAST)[0], plain, atol=2e-4)
    np.testing.assert_allclose(shares(np.rot90(image())), plain, atol=2e-4)


def test_bright_spots_and_dark_spots_differ():
    spots = np.maximum(image(), 0)
    assert np.abs(shares(spots) - shares(-spots)).max() > 0.05
