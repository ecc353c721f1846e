"""Rings of the Fourier transform: where a wave lies in them, and that nothing is lost."""

import numpy as np

from napari_sem_sr.metrics.rings import frequency, ring_numbers, ring_totals


def test_a_wave_lies_in_the_ring_of_its_frequency() -> None:
    y, _ = np.mgrid[:64, :48]
    for half, transform in ((False, np.fft.fft2), (True, np.fft.rfft2)):
        power = np.abs(transform(np.sin(2 * np.pi * y / 8))) ** 2
        radius = frequency((64, 48), half=half)
        assert radius.shape == power.shape
        ring = ring_numbers(radius, 0.5, 16)
        assert ring_totals(power, ring, 16).argmax() == 16 * (1 / 8) / 0.5


def test_frequencies_are_per_unit_of_the_pixel() -> None:
    np.testing.assert_allclose(frequency((8, 8), (5.0, 5.0)) * 5.0, frequency((8, 8)))


def test_rings_share_out_all_power_up_to_nyquist() -> None:
    values = np.random.default_rng(0).random((32, 32))
    radius = frequency((32, 32))
    sums = ring_totals(values, ring_numbers(radius, 0.5, 10), 10)
    np.testing.assert_allclose(sums.sum(), values[radius < 0.5].sum())
