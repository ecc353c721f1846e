"""Cubic rows between rows."""

import numpy as np

from napari_sem_sr.axial.resample import rows_at


def test_whole_places_give_the_rows_themselves() -> None:
    plane = np.random.default_rng(0).random((7, 3)).astype(np.float32)
    np.testing.assert_array_equal(rows_at(plane, np.array([0.0, 3.0, 6.0])), plane[[0, 3, 6]])


def test_a_straight_line_stays_straight_up_to_both_ends() -> None:
    plane = (2.0 * np.arange(6, dtype=np.float32) + 1)[:, None]
    places = np.linspace(0, 5, 31)
    np.testing.assert_allclose(rows_at(plane, places)[:, 0], 2 * places + 1, atol=1e-5)


def test_a_wave_is_followed_more_closely_than_by_straight_lines() -> None:
    rows = np.arange(33)
    places = np.arange(4, 28, 0.25)
    wave = np.sin(rows * 0.8).astype(np.float32)[:, None]
    truth = np.sin(places * 0.8)
    straight = np.interp(places, rows, wave[:, 0])
    cubic = rows_at(wave, places)[:, 0]
    assert np.abs(cubic - truth).max() < 0.5 * np.abs(straight - truth).max()
