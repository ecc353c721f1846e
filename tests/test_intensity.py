"""One intensity range per stack."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import range_of, stack_range, to_dtype
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
