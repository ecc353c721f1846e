"""HR -> LR by area averaging."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.degradation.conditions import CLEAN
from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, degrade_stack
from napari_sem_sr.degradation.noise_steps import DetectorNoise, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur
from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack


def test_an_lr_pixel_is_the_mean_of_the_hr_pixels_it_covers() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    np.testing.assert_array_equal(area_average(image, 2), [[2.5, 4.5], [10.5, 12.5]])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", ">u2"])
def test_the_dtype_is_kept_and_grey_values_are_rounded(dtype: str) -> None:
    hr = SemStack.from_array(np.full((1, 4, 4), 7, dtype), "seven")
    lr = degrade_stack(hr, 4)
    assert lr.dtype == np.dtype(dtype)
    assert lr.slice(0).tolist() == [[7]]


@given(
    y=st.integers(4, 21),
    x=st.integers(4, 21),
    factor=st.sampled_from([2, 3, 4]),
    voxel=st.one_of(st.none(), st.floats(0.1, 1e4)),
)
def test_lr_covers_the_extent_of_the_hr_pixels_it_was_made_of(
    y: int, x: int, factor: int, voxel: float | None
) -> None:
    hr = SemStack.from_array(np.zeros((2, y, x), np.uint8), "hr", voxel_nm=(voxel,) * 3)
    lr = degrade_stack(hr, factor)
    for axis in (1, 2):
        used = hr.shape[axis] // factor * factor
        h, w = hr.world, lr.world
        assert w.translate[axis] - w.scale[axis] / 2 == pytest.approx(
            h.translate[axis] - h.scale[axis] / 2
        )
        assert lr.shape[axis] * w.scale[axis] == pytest.approx(used * h.scale[axis])


def test_lr_says_that_it_was_made_not_measured() -> None:
    hr = SemStack.from_array(np.zeros((1, 8, 8), np.uint8), "hr")
    lr = degrade_stack(hr, 4)
    assert lr.provenance is not None
    assert lr.provenance["degraded_from"] == hr.content_hash


def test_an_image_smaller_than_an_lr_pixel_is_refused() -> None:
    with pytest.raises(InputError, match="too small"):
        degrade_stack(SemStack.from_array(np.zeros((3, 9), np.uint8), "slit"), 4)


def test_a_stack_is_degraded_the_same_way_each_time_and_no_two_slices_share_their_noise() -> None:
    grey = np.tile(np.linspace(20, 200, 64, dtype=np.uint8), (3, 64, 1))
    hr = SemStack.from_array(grey, "wedge")
    how = Degradation(steps=(AreaAverage(), ReadNoise(sigma=0.05)))
    first, again = degrade_stack(hr, 4, how), degrade_stack(hr, 4, how)
    np.testing.assert_array_equal(first.data.compute(), again.data.compute())
    assert not np.array_equal(first.slice(0), first.slice(1))
    np.testing.assert_array_equal(first.slice(2), first.data.compute()[2])
    other = degrade_stack(hr, 4, how, seed=5)
    assert not np.array_equal(first.slice(0), other.slice(0))
    assert first.provenance is not None
    assert "read noise (sigma 0.05)" in first.provenance["degradation"]


def test_a_degradation_says_under_which_conditions_its_lr_is() -> None:
    how = Degradation(
        steps=(
            BeamBlur(sigma=20),
            AreaAverage(),
            DetectorNoise(black=0.03, white=0.05, correlation=0.3),
            ReadNoise(sigma=0.04),
        ),
        lr_pixel_nm=40.0,
    )
    found = how.conditions
    assert found.blur_px == pytest.approx(0.5)
    assert found.noise_black == pytest.approx(0.05)
    assert found.noise_white == pytest.approx((0.05**2 + 0.04**2) ** 0.5)
    assert found.line_correlation == 0.3
    assert AREA_AVERAGE.conditions == CLEAN
