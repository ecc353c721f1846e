from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking import check
from napari_sem_sr.checking.evidence.persistence import (
    ABSENT,
    UsualPersistence,
    inapplicable,
)
from napari_sem_sr.checking.view.filter_bank import Lasting, compare_with_neighbours
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import truth_of
from tests.checking.numpy_reference import invention as reference

GREY = IntensityRange(0.0, 255.0)


def texture(seed: int, depth: float = 0.0, shape=(3, 96, 96)) -> np.ndarray:
    image = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), (depth, 1.2, 1.2))
    return 100 + 20 * image / image.std()


def lasting(here: np.ndarray, before: np.ndarray | None, after: np.ndarray | None) -> Lasting:
    return compare_with_neighbours(here, before, after, 4, GREY, torch.device("cpu"))


def test_detail_that_is_there_again_persists_and_independent_detail_does_not():
    thick, thin = texture(0, depth=3.0), texture(0, depth=0.0)
    for stack, low, high in ((thick, 0.7, 1.0), (thin, -0.3, 0.4)):
        found = lasting(stack[1], stack[0], stack[2]).correlation
        assert low < float(found.mean()) <= high


def test_one_neighbour_that_shows_it_is_enough():
    a, b = (texture(seed)[0] for seed in (0, 1))
    np.testing.assert_allclose(lasting(a, b, a).correlation, 1, atol=1e-4)


def test_it_is_what_the_reference_finds_in_double_precision():
    before, here, after = texture(3, depth=1.0)
    found = lasting(here, before, after)
    a, b, c = (reference.detail(i, 4) for i in (here, before, after))
    both = [reference.local_correlation(a, other, reference.WINDOW) for other in (b, c)]
    np.testing.assert_allclose(found.correlation, area_average(np.max(both, axis=0), 4), atol=5e-3)
    np.testing.assert_allclose(found.power, np.sqrt(area_average(a**2, 4)), atol=1e-3)
    assert found.change == pytest.approx(((a - c) ** 2).sum(), rel=1e-4)
    assert found.detail == pytest.approx((a**2 + c**2).sum() / 2, rel=1e-4)


def test_flicker_is_nothing_for_a_still_stack_and_root_two_for_independent_slices():
    a, b = (texture(seed)[0] for seed in (0, 1))
    assert lasting(a, None, a).change == 0
    found = lasting(a, None, b)
    assert np.sqrt(found.change / found.detail) == pytest.approx(np.sqrt(2), abs=0.1)


@pytest.mark.parametrize(
    ("voxel", "n", "word"),
    [
        ((10.0, 10.0, 10.0), 3, None),
        ((30.0, 10.0, 10.0), 3, "30 nm apart"),
        ((10.0, 10.0, 10.0), 1, "single slice"),
        ((None, 10.0, 10.0), 3, "unknown"),
    ],
)
def test_it_applies_only_where_the_next_slice_has_to_show_the_same(voxel, n, word):
    stack = SemStack.from_array(np.zeros((n, 8, 8), np.uint8), "SR", voxel_nm=voxel)
    reason = inapplicable(stack, 4)
    assert (reason is None) if word is None else (word in reason)


def test_less_than_usual_persists_where_visible_detail_is_new():
    found = np.full((20, 20), 0.9, np.float32)
    found[::2] = 0.85
    energy = np.full((20, 20), 5.0, np.float32)
    usual = UsualPersistence.of([(found, energy)], 1.0)
    found[4, 4], found[8, 8], found[12, 12] = 0.0, 0.0, np.nan
    energy[8, 8] = 0.5
    z_scores = usual.z_scores(torch.from_numpy(found), torch.from_numpy(energy), 1.0).numpy()
    assert z_scores[4, 4] > 5
    assert z_scores[8, 8] == 0, "hardly visible detail says nothing"
    assert np.isnan(z_scores[12, 12])
    assert np.count_nonzero(np.nan_to_num(z_scores)) == 1


def test_where_hardly_anything_persists_nothing_stands_out():
    rng = np.random.default_rng(0)
    found = rng.uniform(-0.2, 0.5, (40, 40)).astype(np.float32)
    energy = np.ones_like(found)
    usual = UsualPersistence.of([(found, energy)], 0.5)
    assert np.nanmax(usual.z_scores(torch.from_numpy(found), torch.from_numpy(energy), 0.5)) < 3
    assert UsualPersistence.of([(found, energy)], 2.0) == UsualPersistence(0.0, 1.0)


def test_detail_of_one_slice_alone_is_a_suspect_place_although_lr_is_unchanged(tmp_path):
    """Detail from elsewhere, less its mean over every LR pixel, drawn into one slice of a stack that changes slowly."""
    truth = truth_of(texture(0, depth=4.0, shape=(5, 128, 128)).astype(np.uint8), (5.0, 5.0, 5.0))
    data = truth.sr.data.compute().astype(np.float64)
    y, x, side = 40, 60, 40
    fake = gaussian_filter(np.random.default_rng(9).standard_normal((side, side)), 1.0)
    fake *= 60 / fake.std()
    fake -= np.kron(fake.reshape(10, 4, 10, 4).mean(axis=(1, 3)), np.ones((4, 4)))
    data[2, y : y + side, x : x + side] += fake
    planted = SemStack.from_array(np.clip(data, 0, 255).astype(np.uint8), "SR")
    sr = replace(truth.sr, data=planted.data)
    report = check(truth.lr, sr, out=tmp_path)
    there = [r for r in report.regions if ABSENT in r["reasons"]]
    assert {r["slice"] for r in there} == {2}
    assert y - 8 <= there[0]["y"] <= y + side and x - 8 <= there[0]["x"] <= x + side
    clean = check(truth.lr, truth.sr, out=tmp_path / "clean")
    assert not [r for r in clean.regions if ABSENT in r["reasons"]]


def test_a_report_says_how_much_persists_or_why_it_cannot(tmp_path):
    for name, voxel, applies in (
        ("thin", (5.0, 5.0, 5.0), True),
        ("thick", (50.0, 5.0, 5.0), False),
    ):
        truth = truth_of(texture(0, depth=2.0).astype(np.uint8), voxel)
        report = check(truth.lr, truth.sr, out=tmp_path / name)
        assert report.persistence["applicable"] is applies
        assert (tmp_path / name / "maps.zarr" / "persistence").exists() is applies
    assert any("50 nm apart" in line for line in report.limits)
