"""Spectra of pictures whose answer is known."""

import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.power_spectrum import radial_power
from napari_sem_sr.stack import SemStack


def stack_of(image: np.ndarray, pixel: float) -> SemStack:
    return SemStack.from_array(image, "s", voxel_nm=(20.0, pixel, pixel))


@pytest.mark.parametrize("pixel", [1.0, 5.0])
def test_white_noise_is_flat_with_variance_times_pixel_area(pixel: float) -> None:
    noise = np.random.default_rng(0).normal(100, 3, (256, 256))
    found = radial_power(stack_of(noise, pixel), 0)
    assert found.power[5:].mean() == pytest.approx(9 * pixel**2, rel=0.05)
    assert found.nyquist == 0.5 / pixel


def test_a_wave_has_its_power_at_its_frequency() -> None:
    wave = np.tile(np.sin(2 * np.pi * np.arange(240) * 5.0 / 60.0), (240, 1))
    found = radial_power(stack_of(wave, 5.0), 0)
    assert found.frequency[np.argmax(found.power)] == pytest.approx(1 / 60, rel=0.05)


def test_coarse_and_fine_pictures_of_one_field_lie_on_one_curve() -> None:
    y, x = np.mgrid[:256, :256]
    rng = np.random.default_rng(1)
    fine = sum(
        rng.normal() * np.cos(2 * np.pi * (a * y + b * x) / 256 + rng.uniform(0, 6))
        for a, b in rng.integers(1, 16, (40, 2))
    )
    hr = stack_of(fine, 1.0)
    lr = hr.averaged(
        SemStack.from_array(fine.reshape(64, 4, 64, 4).mean(axis=(1, 3)), "lr").data, 4
    )
    a, b = radial_power(hr, 0), radial_power(lr, 0)
    low = b.frequency < 0.04
    expected = np.interp(b.frequency[low], a.frequency, a.power)
    np.testing.assert_allclose(b.power[low], expected, rtol=0.15, atol=1)


def test_a_box_of_the_world_picks_its_pixels() -> None:
    image = np.zeros((64, 64))
    image[:, 32:] = np.random.default_rng(0).normal(0, 1, (64, 32))
    stack = stack_of(image, 2.0)
    assert radial_power(stack, 0, ((0, 126), (0, 62))).power.max() == 0
    assert radial_power(stack, 0, ((0, 126), (64, 126))).power.mean() == pytest.approx(4, rel=0.2)


def test_too_little_to_measure_is_said_in_one_sentence() -> None:
    stack = stack_of(np.full((64, 64), np.nan), 2.0)
    with pytest.raises(InputError, match="all NaN"):
        radial_power(stack, 0)
    with pytest.raises(InputError, match="Too few pixels"):
        radial_power(stack, 0, ((0, 10), (0, 10)))
    with pytest.raises(InputError, match="no slice there"):
        radial_power(stack, 100)
