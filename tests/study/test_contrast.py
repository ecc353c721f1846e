"""Particle contrast: a bright round spot is found once, an edge or a ridge is not one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_sem_sr.study.contrast import spots

SOUGHT = (4.0, 30.0)


def discs(*places: tuple[float, float, float], contrast: float = 80) -> np.ndarray:
    yy, xx = np.indices((96, 96))
    image = np.full((96, 96), 40.0)
    for y, x, d in places:
        image[np.hypot(yy - y, xx - x) < d / 2] = 40 + contrast
    return gaussian_filter(image, 0.7).astype(np.uint8)


@given(st.floats(30, 66), st.floats(30, 66), st.floats(7, 24))
@settings(max_examples=15, deadline=None)
def test_a_disc_is_found_once_where_it_is_and_as_large_as_it_is(
    y: float, x: float, d: float
) -> None:
    found = spots(discs((y, x, d)), SOUGHT, 20)
    assert len(found) == 1
    assert np.hypot(*(found.centres[0] - (y, x))) < 1
    assert found.diameters[0] == pytest.approx(d, rel=0.2)


def test_touching_discs_of_different_size_are_told_apart() -> None:
    found = spots(discs((40, 30, 20), (40, 47, 14)), SOUGHT, 20)
    assert np.hypot(*(found.centres[:, None] - [(40, 30), (40, 47)]).T).min(axis=1).max() < 2


def test_discs_of_less_contrast_than_asked_for_are_not_found() -> None:
    image = discs((40, 40, 16), contrast=16)
    assert len(spots(image, SOUGHT, 20)) == 0
    assert len(spots(image, SOUGHT, 12)) == 1


def test_edges_ridges_and_flat_ground_are_no_particles() -> None:
    step = np.full((96, 96), 40, np.uint8)
    step[:, 50:] = 160
    ridge = np.full((96, 96), 40, np.uint8)
    ridge[44:52] = 160
    for image in (step, ridge, np.full((96, 96), 7, np.uint8)):
        assert len(spots(image, SOUGHT, 20)) == 0


def test_diameters_are_in_nm_where_the_pixel_size_is_known() -> None:
    found = spots(discs((40, 40, 16)), SOUGHT, 20, pixel_nm=5.0)
    assert found.diameters[0] == pytest.approx(80, rel=0.2)
    assert found.unit_px == pytest.approx(0.2)
