import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.checking.field import align
from napari_sem_sr.checking.suspects.places import centre_of, corners_of, look_around
from napari_sem_sr.stack import SemStack


def region(slice_=1, y=8, x=12, height=8, width=4) -> dict:
    return {"slice": slice_, "y": y, "x": x, "height": height, "width": width}


def test_all_pictures_of_a_place_cover_the_same_field(truth):
    field = align(truth.lr, truth.sr, truth.hr)
    seen = look_around(field, region(), side=32)
    y, x, height, width = seen.box
    assert seen.lr.shape == (8, 8) and seen.sr.shape == seen.hr.shape == (32, 32)
    np.testing.assert_array_equal(
        seen.sr[y : y + height, x : x + width], truth.sr.slice(1)[8:16, 12:16]
    )
    np.testing.assert_array_equal(
        seen.hr[y : y + height, x : x + width], truth.hr.slice(1)[8:16, 12:16]
    )
    np.testing.assert_array_equal(
        seen.lr[y // 4 : (y + height) // 4, x // 4 : (x + width) // 4],
        truth.lr.slice(1)[2:4, 3:4],
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 14), st.integers(0, 18), st.sampled_from([16, 24, 96]))
def test_a_place_at_any_border_stays_inside_its_picture(row, column, side):
    hr = SemStack.from_array(np.zeros((1, 64, 80), np.uint8), "SR")
    lr = SemStack.from_array(np.zeros((1, 16, 20), np.uint8), "LR")
    seen = look_around(
        align(lr, lr.upscaled(hr.data, 4)), region(0, 4 * row, 4 * column, 8, 8), side
    )
    y, x, height, width = seen.box
    assert y >= 0 and x >= 0
    assert y + height <= seen.sr.shape[0] and x + width <= seen.sr.shape[1]
    assert tuple(4 * n for n in seen.lr.shape) == seen.sr.shape
    assert seen.hr is None


def test_a_part_that_begins_elsewhere_in_sr_is_found(truth):
    part = truth.lr.cropped((1, 3), ((4, 16), (4, 20)))
    field = align(part, truth.sr, truth.hr)
    seen = look_around(field, region(2, 24, 28, 8, 8), side=16)
    y, x, height, width = seen.box
    np.testing.assert_array_equal(
        seen.sr[y : y + height, x : x + width], truth.sr.slice(2)[24:32, 28:36]
    )


def test_centre_and_corners_are_those_of_the_pixels_in_nm():
    sr = SemStack.from_array(
        np.zeros((3, 40, 40)), "SR", voxel_nm=(20.0, 5.0, 5.0), origin_nm=(100.0, -7.5, -7.5)
    )
    assert centre_of(region(), sr) == pytest.approx((120.0, 50.0, 60.0))
    corners = corners_of(region(), sr)
    np.testing.assert_allclose(corners.mean(axis=0), centre_of(region(), sr)[1:])
    np.testing.assert_allclose(np.ptp(corners, axis=0), (40.0, 20.0))
