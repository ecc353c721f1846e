import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.invention import doubt, wrong_detail
from napari_sem_sr.checking.view.filter_bank import MARGIN, filter_bank
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.metrics.resample import area_average
from tests.checking.numpy_reference import invention as reference


def texture(seed: int, shape=(96, 96)) -> np.ndarray:
    image = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.2)
    return 100 + 20 * image / image.std()


def test_a_gan_that_equals_its_twin_invents_nothing_and_agrees():
    found = invention(texture(0), texture(0), 4)
    assert found.amount.max() == 0
    assert found.agreement.min() > 0.999
    assert found.unexplained.max() < 0.1


def test_other_detail_in_one_half_is_found_in_that_half():
    twin, gan = texture(0), texture(0)
    gan[:, 48:] = texture(1)[:, 48:]
    found = invention(gan, twin, 4)
    assert found.agreement[:, :8].min() > 0.95
    assert found.agreement[:, 16:].abs().mean() < 0.5
    assert found.amount[:, :10].max() < 0.1 * found.amount[:, 14:].mean()


def test_weaker_detail_of_the_same_kind_still_agrees():
    twin = 100 + 0.3 * (texture(0) - 100)
    found = invention(texture(0), twin, 4)
    assert found.agreement.min() > 0.99
    assert found.amount.mean() > 5


@pytest.mark.parametrize(
    ("factor", "shape"), [(4, (96, 136)), (2, (50, 34)), (3, (60, 87)), (8, (80, 96))]
)
def test_all_maps_are_those_of_the_reference_in_double_precision(factor, shape):
    """On the SR grid at every pixel there; here at four places of every LR pixel, in single precision."""
    gan, twin = (texture(seed, shape).round().clip(0, 255).astype(np.uint8) for seed in (0, 1))
    twin = ((gan.astype(float) + twin) / 2).astype(np.uint8)
    found, true = invention(gan, twin, factor), reference.invention(gan, twin, factor)
    for name, tolerance in (("amount", 1e-3), ("energy", 5e-3)):
        expected = np.sqrt(area_average(getattr(true, name) ** 2, factor))
        np.testing.assert_allclose(getattr(found, name), expected, atol=tolerance)
    np.testing.assert_allclose(found.agreement, area_average(true.agreement, factor), atol=2e-3)
    added = reference.added(true, factor)[1]
    np.testing.assert_allclose(found.unexplained, added, atol=0.05)


def test_windows_leave_no_trace(monkeypatch):
    gan, twin = texture(0, (200, 160)), texture(1, (200, 160))
    whole = invention(gan, twin, 4)
    monkeypatch.setitem(
        __import__("napari_sem_sr.checking.view.filter_bank", fromlist=["CORE"]).CORE, "cpu", 16
    )
    in_parts = invention(gan, twin, 4)
    for one, other in zip(vars(whole).values(), vars(in_parts).values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-4)


def test_the_band_pass_leaves_out_the_mean_and_slow_changes():
    bank = filter_bank(4)
    slow = torch.linspace(0, 200, 96 + 8 * MARGIN)[None] * torch.ones((96 + 8 * MARGIN, 1))
    assert bank.core(bank.local(slow)).abs().max() < 0.5


def test_flat_places_have_no_correlation_instead_of_an_error():
    flat = np.full((32, 32), 7.0)
    assert invention(flat, flat, 4).agreement.abs().max() == 0


def test_masked_pixels_stay_masked_and_leave_the_rest_finite():
    gan = texture(0)
    gan[:10] = np.nan
    found = invention(gan, texture(0), 4)
    for image in (found.amount, found.agreement, found.energy):
        assert image[:3].isnan().all() and image[3:].isfinite().all()


def test_wrong_detail_is_the_mean_rank_of_disagreement_and_weakness():
    agreement = np.array([[1.0, 0.5], [0.0, np.nan]])
    energy = np.array([[9.0, 5.0], [1.0, 1.0]])
    ranks = wrong_detail(agreement, energy)
    np.testing.assert_allclose(ranks, [[0, 0.5], [1, np.nan]])
    assert np.isnan(wrong_detail(np.full((2, 2), np.nan), energy)).all()


def test_doubt_falls_with_agreement_and_with_detail_energy():
    def of(agreement: float, energy: float) -> float:
        return float(doubt(torch.tensor(agreement), torch.tensor(energy), 1.0))

    assert of(0.9, 10.0) < of(0.2, 10.0)
    assert of(0.9, 10.0) < of(0.9, 1.0)
    assert of(1.0, float(np.e)) == pytest.approx(-1.3)
