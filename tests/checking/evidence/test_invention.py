import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.invention import (
    detail,
    doubt,
    invention,
    local_correlation,
    wrong_detail,
)


def texture(seed: int, shape=(96, 96)) -> np.ndarray:
    image = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.2)
    return 100 + 20 * image / image.std()


def test_a_gan_that_equals_its_twin_invents_nothing_and_agrees():
    found = invention(texture(0), texture(0), 4)
    assert found.amount.max() == 0
    assert found.agreement.min() > 0.999


def test_other_detail_in_one_half_is_found_in_that_half():
    twin, gan = texture(0), texture(0)
    gan[:, 48:] = texture(1)[:, 48:]
    found = invention(gan, twin, 4)
    assert found.agreement[:, :32].min() > 0.95
    assert np.abs(found.agreement[:, 64:]).mean() < 0.5
    assert found.amount[:, :40].max() < 0.1 * found.amount[:, 56:].mean()


def test_weaker_detail_of_the_same_kind_still_agrees():
    twin = 100 + 0.3 * (texture(0) - 100)
    found = invention(texture(0), twin, 4)
    assert found.agreement.min() > 0.99
    assert found.amount.mean() > 5


def test_the_band_pass_leaves_out_the_mean_and_slow_changes():
    slow = np.linspace(0, 200, 96)[None] * np.ones((96, 1))
    assert np.abs(detail(slow, 4)[20:-20, 20:-20]).max() < 0.5
    assert detail(texture(0), 4).std() > 5


def test_flat_places_have_no_correlation_instead_of_an_error():
    flat = np.zeros((32, 32))
    np.testing.assert_array_equal(local_correlation(flat, flat, 5), 0)


def test_masked_pixels_stay_masked_and_leave_the_rest_finite():
    gan = texture(0)
    gan[:10] = np.nan
    found = invention(gan, texture(0), 4)
    for image in (found.amount, found.agreement, found.energy):
        assert np.isnan(image[:10]).all() and np.isfinite(image[10:]).all()


def test_wrong_detail_is_the_mean_rank_of_disagreement_and_weakness():
    agreement = np.array([[1.0, 0.5], [0.0, np.nan]])
    energy = np.array([[9.0, 5.0], [1.0, 1.0]])
    ranks = wrong_detail(agreement, energy)
    np.testing.assert_allclose(ranks, [[0, 0.5], [1, np.nan]])
    assert np.isnan(wrong_detail(np.full((2, 2), np.nan), energy)).all()


def test_doubt_falls_with_agreement_and_with_detail_energy():
    assert doubt(np.array(0.9), np.array(10.0), 1.0) < doubt(np.array(0.2), np.array(10.0), 1.0)
    assert doubt(np.array(0.9), np.array(10.0), 1.0) < doubt(np.array(0.9), np.array(1.0), 1.0)
    assert doubt(np.array(1.0), np.array(np.e), 1.0) == pytest.approx(-1.3)
