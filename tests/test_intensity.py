"""One intensity range per stack."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import measure_range, range_of, stack_range, to_dtype
from napari_sem_sr.stack import SemStack


@given(
    arrays(np.uint16, (6, 7), elements=st.integers(0, 65535)),
)
def test_normalising_and_restoring_returns_every_16_bit_grey_value(image: np.ndarray) -> None:
    intensity = range_of(image)
    back, outside = to_dtype(intensity.restore(intensity.normalise(image)), image.dtype)
    assert outside == 0
    np.testing.assert_allclose(back.astype(int), image.astype(int), atol=1)


def test_values_outside_the_range_are_not_clipped() -> None:
    image = np.r_[np.zeros(5000), np.ones(5000), 50.0].astype(np.float32)
    assert range_of(image).normalise(image).max() > 10


def test_pixels_that_a_dtype_cannot_hold_are_counted() -> None:
    image = np.array([[-3.0, 100.0], [255.4, 300.0]], np.float32)
    pixels, outside = to_dtype(image, np.dtype(np.uint8))
    assert pixels.tolist() == [[0, 100], [255, 255]]
    assert outside == 2


def test_the_range_is_that_of_the_stack_not_of_its_first_slice() -> None:
    data = np.stack([np.full((8, 8), v, np.uint8) for v in (0, 50, 100)])
    intensity = stack_range(SemStack.from_array(data, "steps"))
    assert (intensity.low, intensity.high) == (0.0, 100.0)


def test_nan_borders_do_not_count() -> None:
    data = np.full((1, 8, 8), np.nan, np.float32)
    data[0, 2:6, 2:6] = np.linspace(3, 4, 16).reshape(4, 4)
    intensity = stack_range(SemStack.from_array(data, "aligned"))
    assert 3 <= intensity.low < intensity.high <= 4


def test_a_stack_of_nothing_but_nan_is_refused() -> None:
    with pytest.raises(InputError, match="'lost' are NaN"):
        stack_range(SemStack.from_array(np.full((2, 4, 4), np.nan, np.float32), "lost"))


def test_a_flat_image_has_a_finite_scale() -> None:
    image = np.full((4, 4), 9, np.uint8)
    assert np.isfinite(range_of(image).normalise(image)).all()


@pytest.mark.parametrize("dtype", ["u2", "u4", "i4", "u8", "i8"])
def test_a_pixel_at_the_limit_of_its_dtype_stays_there(dtype: str) -> None:
    limits = np.iinfo(dtype)
    image = np.full((6, 6), limits.min + 1000, dtype)
    image[2:4, 2:4] = limits.max
    intensity = range_of(image)
    back, outside = to_dtype(intensity.restore(intensity.normalise(image)), image.dtype)
    assert (back[2:4, 2:4] == limits.max).all()
    assert outside == 0
    brighter, outside = to_dtype(
        intensity.restore(intensity.normalise(image) + np.float32(0.1)), image.dtype
    )
    assert (brighter[2:4, 2:4] == limits.max).all()
    assert outside == 4


@pytest.mark.parametrize("dtype", ["u4", "i4", "u8", "i8", "f4", "f8"])
def test_a_constant_image_comes_back_as_it_is_even_at_the_limit(dtype: str) -> None:
    largest = 2**32 - 1 if dtype == "u4" else np.iinfo(dtype).max if dtype[0] != "f" else 1e30
    image = np.full((4, 4), largest, dtype)
    intensity = range_of(image)
    assert (intensity.normalise(image) == 0).all()
    back, _ = to_dtype(intensity.restore(intensity.normalise(image)), image.dtype)
    assert (back == image).all()


@pytest.mark.parametrize(
    ("dtype", "offset", "step"), [("u4", 4_000_000_000, 1), ("i4", -2_000_000_000, 1),
                                  ("f8", 1e12, 0.01), ("f8", 1e200, 1e190), ("f8", 0, 1e-200)]
)  # fmt: skip
def test_grey_levels_on_a_large_offset_are_kept(dtype: str, offset: float, step: float) -> None:
    image = (offset + step * np.arange(256).reshape(16, 16)).astype(dtype)
    intensity = range_of(image)
    level = intensity.normalise(image)
    assert len(np.unique(level)) == 256
    back, _ = to_dtype(intensity.restore(level), image.dtype)
    np.testing.assert_allclose(
        back.astype(float) - offset, image.astype(float) - offset, atol=step / 4
    )


def test_an_offset_in_which_64_bits_lose_the_grey_levels_is_refused() -> None:
    image = (np.int64(2**61) + np.arange(100)).reshape(10, 10)
    with pytest.raises(InputError, match="subtract the offset"):
        range_of(image)


def test_values_that_cannot_be_computed_with_are_refused() -> None:
    with pytest.raises(InputError, match="rescale"):
        range_of(np.array([[-1.7e308, 1.7e308]]))


def test_half_floats_are_held_at_their_limit_and_counted() -> None:
    pixels, outside = to_dtype(np.array([[7e4, 5.0]], np.float32), np.dtype(np.float16))
    assert pixels.tolist() == [[65504.0, 5.0]]
    assert outside == 1


def scene(slices: int = 8) -> np.ndarray:
    random = np.random.default_rng(3)
    return random.integers(90, 161, (slices, 40, 50)).astype(np.uint8)


def test_a_databar_that_was_found_has_no_part_in_the_range() -> None:
    clean = scene()
    barred = np.concatenate([clean, np.zeros((8, 6, 50), np.uint8)], 1)
    barred[:, 41:44, ::4] = 255
    stack = SemStack.from_array(barred, "barred", image_rows=(0, 40))
    assert stack_range(stack) == stack_range(SemStack.from_array(clean, "clean"))


def test_what_lies_outside_of_the_region_has_no_part_in_the_range() -> None:
    clean = scene()
    wide = np.concatenate([clean, np.full((8, 40, 9), 255, np.uint8)], 2)
    wide[:, ::2, 50:] = 0
    region = ((0, 40), (0, 50))
    assert stack_range(SemStack.from_array(wide, "wide"), region) == stack_range(
        SemStack.from_array(clean, "clean")
    )


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (np.zeros_like, "blank"),
        (lambda image: np.full_like(image, 255), "blank"),
        (lambda image: image % 3, "without contrast"),
        (lambda image: 250 + image % 6, "without contrast"),
        (lambda image: image // 5, "darker"),
    ],
)
def test_a_slice_that_shows_nothing_has_no_part_in_the_range_and_is_named(spoil, why) -> None:
    data = scene()
    expected = stack_range(SemStack.from_array(np.delete(data, 5, 0), "seven"))
    data[5] = spoil(data[5])
    measured = measure_range(SemStack.from_array(data, "eight"))
    assert measured.intensity == expected
    assert measured.apart == {5: why}
    assert "Slice 5 (" in measured.sentence("eight")


def test_the_end_of_a_scan_that_was_cut_short_has_no_part_in_the_range() -> None:
    data = scene()
    expected = stack_range(SemStack.from_array(np.delete(data, 2, 0), "seven"))
    data[2, 11:] = 0
    found = stack_range(SemStack.from_array(data, "eight"))
    assert found.low == pytest.approx(expected.low, abs=1)
    assert found.high == pytest.approx(expected.high, abs=1)


def test_the_margins_of_shifted_slices_have_no_part_in_the_range() -> None:
    data = scene()
    expected = stack_range(SemStack.from_array(data[:, 5:, :-7], "inside"))
    data[:, :5] = 0
    data[:, :, -7:] = 0
    assert stack_range(SemStack.from_array(data, "aligned")) == expected


def test_a_specimen_that_changes_is_measured_as_a_whole() -> None:
    data = np.concatenate([scene(3), scene(5) // 2 + 120])
    measured = measure_range(SemStack.from_array(data, "changing"))
    assert measured.apart == {}
    assert measured.sentence("changing") is None


def test_large_slices_are_sampled() -> None:
    data = np.random.default_rng(0).integers(0, 200, (3, 1500, 1600)).astype(np.uint8)
    found = stack_range(SemStack.from_array(data, "large"))
    assert found.low == pytest.approx(0, abs=1)
    assert found.high == pytest.approx(199, abs=1)
