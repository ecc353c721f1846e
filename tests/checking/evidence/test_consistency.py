from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.checking.evidence.consistency import (
    consistency_of,
    lr_sigma,
    project,
    residual,
    residual_stack,
    residual_sums,
)
from napari_sem_sr.degradation.degrade import (
    AREA_AVERAGE,
    Degradation,
    clean_range,
    degrade,
    expected,
    spread,
)
from napari_sem_sr.degradation.noise_steps import ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur
from napari_sem_sr.metrics.noise import noise_sigma
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack


def pair(sigma: float = 4.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """SR and an LR that is its average plus noise."""
    rng = np.random.default_rng(seed)
    sr = rng.normal(100, 30, (128, 128)).astype(np.float32)
    return sr, area_average(sr, 4) + rng.normal(0, sigma, (32, 32))


def numbers(sr, lr, sigma):
    return asdict(consistency_of([residual_sums(expected(sr, 4, AREA_AVERAGE), lr, sigma)], sigma))


@pytest.mark.parametrize("sigma", [0.5, 3.0, 20.0])
def test_noise_is_found_on_a_ramp_with_an_edge(sigma):
    rng = np.random.default_rng(1)
    image = np.linspace(0, 200, 200)[:, None] + np.where(np.arange(200) > 90, 80, 0)
    assert noise_sigma(image + rng.normal(0, sigma, image.shape)) == pytest.approx(sigma, rel=0.06)


def test_a_residual_that_is_lr_noise_has_chi_square_one():
    sr, lr = pair()
    found = numbers(sr, lr, 4.0)
    assert found["chi2"] == pytest.approx(1, abs=0.12)
    assert found["fraction_beyond_3_sigma"] < 0.01
    assert found["rse"] == pytest.approx(4, rel=0.1)


def test_a_particle_that_lr_did_not_measure_stands_out_where_it_is():
    sr, lr = pair()
    sr[40:56, 80:96] += 40
    z = residual(sr, lr, 4) / 4.0
    assert z[10:14, 20:24].min() > 5
    outside = np.ones_like(z, bool)
    outside[10:14, 20:24] = False
    assert np.abs(z[outside]).max() < 5
    assert numbers(sr, lr, 4.0)["fraction_beyond_3_sigma"] > 0.015


def test_gain_and_offset_leave_rse_and_rsp_as_they_are():
    sr, lr = pair()
    plain, changed = numbers(sr, lr, 4.0), numbers(1.7 * sr + 12, lr, 4.0)
    assert changed["rse"] == pytest.approx(plain["rse"], rel=1e-4)
    assert changed["rsp"] == pytest.approx(plain["rsp"], rel=1e-4)
    assert changed["chi2"] > 10 * plain["chi2"]


def test_a_stack_has_the_numbers_of_all_its_pixels():
    (a, b), (c, d) = pair(seed=1), pair(seed=2)
    together = consistency_of(
        [residual_sums(expected(sr, 4, AREA_AVERAGE), lr, 4.0) for sr, lr in ((a, b), (c, d))],
        4.0,
    )
    once = numbers(np.concatenate([a, c]), np.concatenate([b, d]), 4.0)
    together, once = asdict(together), dict(once)
    assert together.pop("degradation") == once.pop("degradation")
    assert together == pytest.approx(once)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([2, 3, 4, 8]), st.integers(0, 99))
def test_projection_makes_sr_consistent_and_does_nothing_to_one_that_is(factor, seed):
    rng = np.random.default_rng(seed)
    sr = rng.normal(100, 20, (5 * factor, 7 * factor))
    lr = rng.normal(100, 20, (5, 7))
    consistent = project(sr, lr, factor)
    np.testing.assert_allclose(area_average(consistent, factor), lr, atol=1e-3)
    np.testing.assert_allclose(project(consistent, lr, factor), consistent, atol=1e-3)


BLURRED = Degradation(
    steps=(BeamBlur(sigma=0.4, unit="LR pixel"), AreaAverage(), ReadNoise(sigma=0.02))
)


def test_a_model_matched_to_a_wider_beam_is_held_against_lr_of_that_beam():
    rng = np.random.default_rng(0)
    hr = 100 + 30 * rng.standard_normal((256, 256))
    lr, _ = degrade(hr, 4, BLURRED, seed=1)
    matched = residual(hr, lr, 4, BLURRED).std()
    # what is left is the noise of the degradation: 2 % of the span between black and white before the blur
    span = clean_range(hr, 4)
    assert matched == pytest.approx(0.02 * (span.high - span.low), rel=0.1)
    assert residual(hr, lr, 4).std() > 3 * matched


def test_what_is_left_after_projection_through_a_blur_is_a_small_part():
    rng = np.random.default_rng(0)
    sr = rng.normal(100, 20, (64, 80))
    lr = expected(rng.normal(100, 20, sr.shape), 4, BLURRED)
    before = residual(sr, lr, 4, BLURRED).std()
    found = project(sr, lr, 4, BLURRED)
    assert residual(found, lr, 4, BLURRED).std() < 0.15 * before
    sr[:8] = np.nan
    holed = project(sr, lr, 4, BLURRED)
    assert np.isnan(holed[:8]).all() and np.isfinite(holed[8:]).all()


def test_spreading_is_the_adjoint_of_degrading():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((32, 40)), rng.standard_normal((8, 10))
    assert (expected(a, 4, BLURRED) * b).sum() == pytest.approx(
        (a * spread(b, 4, BLURRED)).sum(), rel=1e-4
    )


def test_masked_pixels_are_left_out_everywhere():
    sr, lr = pair()
    sr[:8] = np.nan
    found = numbers(sr, lr, 4.0)
    assert found["chi2"] == pytest.approx(1, abs=0.12)
    assert np.isnan(residual(sr, lr, 4)[:2]).all()
    assert np.isfinite(project(sr, lr, 4)[8:]).all()


def test_rounding_is_part_of_the_noise_of_integers():
    flat = SemStack.from_array(np.full((2, 32, 32), 7, np.uint8), "flat")
    assert lr_sigma(flat, 4) == pytest.approx(np.sqrt(17 / 16 / 12))
    assert lr_sigma(SemStack.from_array(np.zeros((2, 32, 32)), "zero"), 4) == 1.0


def test_the_stack_of_residuals_is_lazy_and_lies_where_lr_lies():
    sr, lr = pair()
    coarse = SemStack.from_array(np.stack([lr, lr + 1]), "LR", voxel_nm=(10.0, 8.0, 8.0))
    fine = coarse.upscaled(SemStack.from_array(np.stack([sr, sr]), "SR").data, 4)
    found = residual_stack(fine, coarse, 4)
    assert found.world == coarse.world and found.dtype == np.float32
    np.testing.assert_array_equal(found.slice(1), residual(sr, lr + 1, 4))
