import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_laplace

from napari_sem_sr.checking.yardsticks import (
    amount_suspicion,
    measure,
    residual_suspicion,
)


def lr_image(seed: int = 0, size: int = 128) -> np.ndarray:
    """Smooth on the left, busy on the right."""
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.standard_normal((size, size)), 1.5)
    image /= image.std()
    return 100 + image * np.where(np.arange(size) < size // 2, 3.0, 40.0)


def natural(lr: np.ndarray, seed: int = 1) -> np.ndarray:
    """A residual that is larger where LR is busy."""
    rng = np.random.default_rng(seed)
    scatter = np.where(np.arange(lr.shape[1]) < lr.shape[1] // 2, 0.3, 3.0)
    return rng.standard_normal(lr.shape) * scatter


def worst(residual: np.ndarray, lr: np.ndarray, usual) -> np.ndarray:
    return np.maximum(*residual_suspicion(residual, lr, usual))


def test_a_natural_residual_is_hardly_suspect_anywhere():
    lr = lr_image()
    usual = measure([natural(lr)], [lr], [], 0.0).residual
    assert (worst(natural(lr, 7), lr, usual) >= 1).mean() < 0.01


def test_a_weak_addition_in_a_quiet_place_is_as_suspect_as_a_strong_one_in_a_busy_place():
    lr, residual = lr_image(), natural(lr_image())
    usual = measure([residual], [lr], [], 0.0).residual
    residual[60:64, 20:24] += 2.0
    residual[60:64, 100:104] += 20.0
    score = worst(residual, lr, usual)
    assert score[60:64, 20:24].max() > 1
    assert score[60:64, 100:104].max() > 1
    rest = score.copy()
    rest[54:70, 14:30] = rest[54:70, 94:110] = 0
    assert rest.max() < min(score[60:64, 20:24].max(), score[60:64, 100:104].max())


def test_what_follows_from_lr_alone_is_not_suspect():
    lr = lr_image()
    usual = measure([0.1 * gaussian_laplace(lr, 0.6)], [lr], [], 0.05).residual
    other = lr_image(5)
    assert worst(0.1 * gaussian_laplace(other, 0.6), other, usual).max() < 0.2


def test_a_faint_large_addition_is_found_although_no_pixel_stands_out():
    rng = np.random.default_rng(2)
    lr = np.full((128, 128), 100.0)
    residual = rng.normal(0, 1, lr.shape)
    usual = measure([residual], [lr], [], 0.0).residual
    residual[60:68, 60:68] += 1.6
    score = worst(residual, lr, usual)
    peak = np.unravel_index(score.argmax(), score.shape)
    assert score.max() > 1
    assert all(58 <= i <= 69 for i in peak)


def test_the_sign_tells_bright_from_dark():
    lr = np.full((64, 64), 100.0)
    residual = np.random.default_rng(3).normal(0, 1, lr.shape)
    usual = measure([residual], [lr], [], 0.0).residual
    residual[30, 30], residual[10, 10] = 20.0, -20.0
    bright, dark = residual_suspicion(residual, lr, usual)
    assert bright[30, 30] > 1 > bright[10, 10]
    assert dark[10, 10] > 1 > dark[30, 30]


def test_masked_places_say_nothing_and_do_not_spread():
    lr = lr_image()
    residual = natural(lr)
    lr[:10] = residual[:10] = np.nan
    usual = measure([residual], [lr], [], 0.0).residual
    score = worst(residual, lr, usual)
    assert np.isnan(score[:10]).all()
    assert np.isfinite(score[10:]).all()


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_perfect_residual_of_any_constant_is_not_suspect(value):
    lr = np.full((32, 32), 7.0)
    usual = measure([np.full(lr.shape, value)], [lr], [], 0.07).residual
    assert worst(np.full(lr.shape, value), lr, usual).max() < 1e-6


def test_an_amount_is_suspect_where_it_exceeds_what_is_usual():
    rng = np.random.default_rng(4)
    amount = np.exp(rng.normal(0, 0.3, (64, 64)))
    found = measure([np.zeros((64, 64))], [np.ones((64, 64))], [amount], 0.1).amount
    amount[5, 5] = 20.0
    score = amount_suspicion(amount, found)
    assert score[5, 5] > 1
    assert np.delete(score.ravel(), 5 * 64 + 5).max() < 1.2
