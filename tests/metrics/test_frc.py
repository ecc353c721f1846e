import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.metrics.frc import curve, n_rings, resolution_px, ring_sums


def low_passed(image: np.ndarray, cut: float) -> np.ndarray:
    spectrum = np.fft.rfft2(image)
    f = np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1]))
    return np.fft.irfft2(np.where(f < cut, spectrum, 0), s=image.shape)


@pytest.mark.parametrize("cut", [0.1, 0.2, 0.33])
def test_pictures_that_agree_up_to_a_frequency_have_that_resolution(cut):
    rng = np.random.default_rng(0)
    hr, other = rng.standard_normal((2, 256, 256))
    sr = low_passed(hr, cut) + other - low_passed(other, cut)
    found = resolution_px(*curve([ring_sums(sr, hr)]))
    assert found == pytest.approx(1 / cut, rel=0.06)


def test_equal_pictures_never_cross_and_independent_ones_never_reach_the_threshold():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 128, 128))
    _, correlation = curve([ring_sums(a, a)])
    np.testing.assert_allclose(correlation, 1)
    assert resolution_px(*curve([ring_sums(a, a)])) is None
    assert resolution_px(*curve([ring_sums(a, b)])) is None


def test_slices_are_added_before_they_are_divided():
    rng = np.random.default_rng(2)
    hr = rng.standard_normal((2, 128, 128))
    sr = hr + rng.standard_normal(hr.shape) * np.array([0.1, 3.0])[:, None, None]
    sums = [ring_sums(s, h) for s, h in zip(sr, hr, strict=True)]
    _, together = curve(sums)
    parts = [curve([s])[1] for s in sums]
    assert parts[1][10:].mean() < together[10:].mean() < parts[0][10:].mean()


def test_a_masked_border_does_not_spoil_the_curve():
    rng = np.random.default_rng(3)
    hr = rng.standard_normal((128, 128))
    sr = hr.copy()
    sr[:8], hr[:8] = np.nan, np.nan
    _, correlation = curve([ring_sums(sr, hr)])
    np.testing.assert_allclose(correlation, 1)


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 70), st.integers(8, 70), st.integers(0, 99))
def test_correlation_lies_between_minus_one_and_one_at_any_size(height, width, seed):
    a, b = np.random.default_rng(seed).standard_normal((2, height, width))
    sums = ring_sums(a, b)
    assert len(sums["cross"]) == n_rings((height, width))
    _, correlation = curve([sums])
    valid = correlation[np.isfinite(correlation)]
    assert (np.abs(valid) <= 1 + 1e-9).all()
