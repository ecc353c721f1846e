"""Line profiles of pictures whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.special import erfinv

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.line_profile import line_profile
from napari_sem_sr.stack import SemStack


def stack_of(image: np.ndarray, pixel: float = 5.0) -> SemStack:
    return SemStack.from_array(
        image, "s", voxel_nm=(20.0, pixel, pixel), origin_nm=(40.0, 100.0, 200.0)
    )


def test_profile_reads_the_world_not_the_pixels() -> None:
    image = np.add.outer(10.0 * np.arange(20), np.arange(30.0))
    profile = line_profile(stack_of(image), 40.0, (100.0, 200.0), (100.0, 250.0))
    assert profile.distance[-1] == 50.0
    np.testing.assert_allclose(profile.grey, profile.distance / 5)
    down = line_profile(stack_of(image), 44.0, (105.0, 210.0), (120.0, 210.0))
    np.testing.assert_allclose(down.grey, 2 + 10 * (1 + down.distance / 5))


def test_coarse_and_fine_stacks_give_the_same_profile_of_the_same_ramp() -> None:
    fine = np.tile(np.arange(64.0), (64, 1))
    coarse = fine.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    hr = SemStack.from_array(fine, "hr", voxel_nm=(1.0, 1.0, 1.0))
    lr = hr.averaged(SemStack.from_array(coarse, "lr").data, 4)
    start, end = (20.0, 10.0), (40.0, 50.0)
    a, b = line_profile(hr, 0, start, end), line_profile(lr, 0, start, end)
    np.testing.assert_allclose(np.interp(b.distance, a.distance, a.grey), b.grey, atol=1e-9)


@given(sigma=st.floats(2.0, 8.0), falling=st.booleans())
def test_edge_width_of_a_blurred_step_is_that_of_the_error_function(
    sigma: float, falling: bool
) -> None:
    step = gaussian_filter1d((np.arange(200) >= 100) * 100.0, sigma)
    image = np.tile(-step if falling else step, (8, 1))
    profile = line_profile(stack_of(image, 1.0), 40.0, (103.0, 220.0), (103.0, 380.0))
    expected = 2 * np.sqrt(2) * sigma * erfinv(0.6)
    width = profile.edge_width()
    assert width is not None
    assert width == pytest.approx(expected, rel=0.04)


def test_no_edge_is_measured_where_there_is_none() -> None:
    noise = np.random.default_rng(0).normal(100, 5, (8, 200))
    profile = line_profile(stack_of(noise, 1.0), 40.0, (103.0, 220.0), (103.0, 380.0))
    assert profile.edge_width() is None


def test_outside_of_the_image_there_is_nothing() -> None:
    profile = line_profile(stack_of(np.ones((8, 8))), 40.0, (100.0, 180.0), (100.0, 220.0))
    assert np.isnan(profile.grey[0]) and profile.grey[-1] == 1
    assert profile.edge_width() is None


def test_a_point_is_no_line_and_a_missing_slice_has_no_profile() -> None:
    stack = stack_of(np.ones((8, 8)))
    with pytest.raises(InputError, match="no length"):
        line_profile(stack, 40.0, (100.0, 200.0), (100.0, 200.0))
    with pytest.raises(InputError, match="no slice there"):
        line_profile(stack, 400.0, (100.0, 200.0), (100.0, 210.0))
