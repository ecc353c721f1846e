import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.io.pyramid import halve, level_shapes, level_world
from napari_sem_sr.stack import World

WORLD = World((10.0, 4.0, 5.0), (0.0, -1.5, 7.0), ("nanometer",) * 3)


def test_levels_halve_y_and_x_until_both_fit_a_chunk():
    assert level_shapes((3, 2049, 700)) == (
        (3, 2049, 700),
        (3, 1025, 350),
        (3, 513, 175),
        (3, 257, 88),
    )
    assert level_shapes((9, 512, 512)) == ((9, 512, 512),)


@given(st.integers(1, 3), st.integers(0, 4), st.integers(1, 70), st.integers(1, 70))
def test_extents_of_all_levels_coincide(z, level, blocks_y, blocks_x):
    shape = (z, blocks_y * 2**level, blocks_x * 2**level)
    coarse = (z, blocks_y, blocks_x)
    fine_world, world = level_world(WORLD, 0), level_world(WORLD, level)
    for axis in range(3):
        first = world.translate[axis] - world.scale[axis] / 2
        last = first + coarse[axis] * world.scale[axis]
        fine_first = fine_world.translate[axis] - fine_world.scale[axis] / 2
        assert first == pytest.approx(fine_first)
        assert last == pytest.approx(fine_first + shape[axis] * fine_world.scale[axis])


@given(st.integers(600, 5000), st.integers(600, 5000))
def test_an_odd_size_reaches_out_by_less_than_one_pixel_of_its_level(y, x):
    shapes = level_shapes((1, y, x))
    for level, shape in enumerate(shapes):
        for axis in (1, 2):
            assert 0 <= shape[axis] * 2**level - shapes[0][axis] < 2**level


def test_a_coarse_pixel_is_the_exact_mean_of_its_four():
    image = np.array([[0, 1, 65535, 65535], [1, 1, 65535, 65534]], np.uint16)
    assert halve(image).tolist() == [[1, 65535]]
    assert halve(image).dtype == np.uint16
    assert halve(np.array([[-3, -3], [-3, -4]], np.int16)).tolist() == [[-3]]


def test_rounding_has_no_bias():
    values = np.random.default_rng(0).integers(0, 255, (512, 512)).astype(np.uint8)
    assert abs(halve(values).mean() - values.mean()) < 0.02


def test_odd_edges_average_the_pixels_that_exist():
    image = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert halve(image).tolist() == [[2.0, 3.5], [6.5, 8.0]]


def test_nan_is_left_out_and_stays_only_where_all_is_nan():
    nan = np.nan
    image = np.array([[nan, 2, nan, nan], [4, nan, nan, nan]], np.float32)
    np.testing.assert_array_equal(halve(image), np.array([[3, nan]], np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_halving_takes_memory_for_rows_and_not_for_the_slice(dtype):
    image = np.ones((4096, 4096), dtype)
    tracemalloc.start()
    halve(image)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < image.nbytes / 4 + 16 * 256 * 4096


def test_halving_in_parts_is_halving_the_whole():
    image = np.random.default_rng(0).integers(0, 256, (1025, 33)).astype(np.uint8)
    padded = np.pad(image, ((0, 1), (0, 1)), mode="edge").astype(float)
    expected = np.rint(padded.reshape(513, 2, 17, 2).mean((1, 3))).astype(np.uint8)
    np.testing.assert_array_equal(halve(image), expected)
