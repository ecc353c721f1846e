"""SemStack: extents, parts and identity."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack


def stack(shape: tuple[int, ...] = (3, 8, 12), **known) -> SemStack:
    return SemStack.from_array(
        np.arange(np.prod(shape)).reshape(shape).astype(np.uint16), "s", **known
    )


def extent(s: SemStack, axis: int) -> tuple[float, float]:
    w = s.world
    first = w.translate[axis] - w.scale[axis] / 2
    return first, first + s.shape[axis] * w.scale[axis]


@given(
    factor=st.sampled_from([2, 3, 4, 8]),
    voxel=st.one_of(st.none(), st.floats(0.01, 1e5)),
    origin=st.floats(-1e5, 1e5),
)
def test_lr_and_sr_extents_coincide(factor: int, voxel: float | None, origin: float) -> None:
    lr = stack(voxel_nm=(7.0, voxel, voxel), origin_nm=(1.0, origin, -origin))
    sr = lr.upscaled(da.repeat(da.repeat(lr.data, factor, 1), factor, 2), factor)
    for axis in range(3):
        assert extent(sr, axis) == pytest.approx(extent(lr, axis))


def test_sr_of_unknown_voxel_size_is_measured_in_lr_pixels() -> None:
    lr = stack()
    sr = lr.upscaled(da.repeat(da.repeat(lr.data, 4, 1), 4, 2), 4)
    assert sr.voxel_nm == (None, None, None)
    assert sr.world.scale == (1.0, 0.25, 0.25)
    assert sr.world.translate == (0.0, -0.375, -0.375)
    assert sr.world.units == ("pixel",) * 3


def test_averaging_is_the_inverse_of_upscaling() -> None:
    hr = stack(voxel_nm=(10.0, 5.0, 5.0), origin_nm=(0.0, 3.0, 4.0))
    lr = hr.averaged(hr.data[:, ::4, ::4], 4)
    assert lr.voxel_nm == (10.0, 20.0, 20.0)
    assert lr.upscaled(hr.data, 4).world.translate == pytest.approx(hr.world.translate)


def test_a_part_stays_where_it_is() -> None:
    whole = stack(voxel_nm=(10.0, 5.0, 5.0))
    part = whole.cropped(slices=(1, 3), region=((2, 6), (4, 12)))
    assert part.shape == (2, 4, 8)
    assert part.world.translate == (10.0, 10.0, 20.0)
    np.testing.assert_array_equal(part.slice(0), whole.slice(1)[2:6, 4:12])


@pytest.mark.parametrize("slices", [(0, 0), (2, 1), (-1, 2), (0, 4)])
def test_a_part_outside_the_stack_is_refused(slices: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="does not lie in"):
        stack().cropped(slices=slices)


def test_a_single_image_is_a_stack_of_one_slice() -> None:
    assert stack((4, 5)).shape == (1, 4, 5)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (0, 4, 5), (3,)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        SemStack.from_array(np.zeros(shape, np.uint8), "odd")


@pytest.mark.parametrize("voxel", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_voxel_sizes_are_refused(voxel: float) -> None:
    with pytest.raises(InputError, match="positive"):
        stack(voxel_nm=(voxel, 1.0, 1.0))


def test_the_hash_tells_contents_apart() -> None:
    a, b = stack(), stack()
    assert a.content_hash == b.content_hash
    assert a.cropped(slices=(0, 2)).content_hash != a.content_hash
    changed = SemStack.from_array(a.data + np.uint16(1), "s")
    assert changed.content_hash != a.content_hash
