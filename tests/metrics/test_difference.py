import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.difference import (
    difference,
    difference_stack,
    magnitude_stack,
    split_bands,
)
from napari_sem_sr.stack import SemStack


def test_the_difference_of_uint8_is_signed():
    sr, hr = np.uint8([[3, 250]]), np.uint8([[250, 3]])
    np.testing.assert_array_equal(difference(sr, hr), [[-247, 247]])


def test_the_difference_of_large_uint16_is_exact():
    sr, hr = np.uint16([[65535, 1]]), np.uint16([[65534, 65535]])
    np.testing.assert_array_equal(difference(sr, hr), [[1, -65534]])


def test_images_of_different_shape_are_refused_with_both_shapes():
    with pytest.raises(InputError, match=r"\(4, 4\).*\(4, 5\)"):
        difference(np.zeros((4, 4)), np.zeros((4, 5)))


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_a_wave_that_lr_measures_is_low_and_one_that_it_cannot_is_high(factor):
    size = 96
    x = (np.arange(size) + 0.5) / size
    slow = np.cos(np.pi * 4 * x)[None] * np.ones((size, 1))
    fast = np.cos(np.pi * (size // factor + 3) * x)[None] * np.ones((size, 1))
    low, high = split_bands(slow + fast, factor)
    np.testing.assert_allclose(low, slow, atol=1e-5)
    np.testing.assert_allclose(high, fast, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 40), st.integers(5, 40), st.sampled_from([2, 3, 4]), st.integers(0, 99))
def test_both_bands_add_up_to_the_difference_at_any_size(height, width, factor, seed):
    image = np.random.default_rng(seed).normal(0, 50, (height, width))
    low, high = split_bands(image, factor)
    np.testing.assert_allclose(low + high, image, atol=1e-3)
    assert low.dtype == high.dtype == np.float32


def test_masked_pixels_stay_masked_in_both_bands():
    image = np.ones((16, 16))
    image[3:5, 3:5] = np.nan
    for part in split_bands(image, 4):
        np.testing.assert_array_equal(np.isnan(part), np.isnan(image))


def test_the_stack_of_differences_is_lazy_and_lies_where_sr_lies():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 3, 16, 20)).astype(np.uint8)
    place = {"voxel_nm": (10.0, 2.0, 2.0), "origin_nm": (5.0, 1.0, 1.0)}
    sr, hr = (SemStack.from_array(v, n, **place) for v, n in ((a, "SR"), (b, "HR")))
    found = difference_stack(sr, hr, 4)
    assert found.dtype == np.float32
    assert found.world == sr.world
    np.testing.assert_array_equal(found.slice(2), a[2].astype(float) - b[2])
    low, high = (difference_stack(sr, hr, 4, band) for band in ("low", "high"))
    np.testing.assert_allclose(low.slice(1) + high.slice(1), found.slice(1), atol=1e-3)
    with pytest.raises(InputError, match=r"\(3, 16, 20\).*\(2, 16, 20\)"):
        difference_stack(sr, hr.cropped(slices=(0, 2)), 4)


def test_the_magnitude_of_a_difference_has_no_sign_and_keeps_its_place():
    a, b = np.uint8([[[3, 250]]]), np.uint8([[[250, 3]]])
    place = {"voxel_nm": (10.0, 2.0, 2.0), "origin_nm": (5.0, 1.0, 1.0)}
    signed = difference_stack(*(SemStack.from_array(v, "x", **place) for v in (a, b)), 4)
    found = magnitude_stack(signed)
    np.testing.assert_array_equal(found.slice(0), [[247, 247]])
    assert found.world == signed.world
