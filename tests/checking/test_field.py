from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking.field import align
from napari_sem_sr.degradation.degrade import degrade_stack
from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

SIZES = [(None, None, None), (20.0, 2.5, 2.5)]


def hr_stack(shape=(5, 48, 64), **known) -> SemStack:
    data = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    return SemStack.from_array(data, "HR", **known)


def sr_of(lr: SemStack, factor: int = 4) -> SemStack:
    """A recognisable SR stack: every pixel is its own number."""
    z, y, x = lr.shape
    data = np.arange(z * y * x * factor**2, dtype=np.float32).reshape(z, factor * y, factor * x)
    return replace(lr.upscaled(SemStack.from_array(data, "SR").data, factor), name="SR")


@pytest.mark.parametrize("voxel", SIZES)
def test_stacks_of_the_same_extent_are_compared_whole(voxel):
    hr = hr_stack(voxel_nm=voxel)
    lr = degrade_stack(hr, 4)
    field = align(lr, sr_of(lr), hr)
    assert field.factor == 4
    assert (field.slices, field.region) == ((0, 5), ((0, 12), (0, 16)))
    assert field.sr.shape == field.hr.shape == (5, 48, 64)
    assert field.notes == ()


@pytest.mark.parametrize("voxel", SIZES)
def test_an_sr_stack_of_some_slices_and_a_region_is_compared_where_it_lies(voxel):
    hr = hr_stack(voxel_nm=voxel)
    lr = degrade_stack(hr, 4)
    whole = sr_of(lr)
    part = whole.cropped((1, 4), ((8, 32), (16, 60)))
    field = align(lr, part, hr)
    assert (field.slices, field.region) == ((1, 4), ((2, 8), (4, 15)))
    np.testing.assert_array_equal(field.sr.slice(0), whole.slice(1)[8:32, 16:60])
    np.testing.assert_array_equal(field.hr.slice(2), hr.slice(3)[8:32, 16:60])
    np.testing.assert_array_equal(field.lr_part.slice(0), lr.slice(1)[2:8, 4:15])


def test_a_part_that_begins_inside_an_lr_pixel_is_compared_from_the_next_whole_one():
    lr = degrade_stack(hr_stack(voxel_nm=SIZES[1]), 4)
    field = align(lr, sr_of(lr).cropped(region=((2, 48), (0, 63))))
    assert field.region == ((1, 12), (0, 15))
    assert field.sr.shape == (5, 44, 60)


def test_hr_rows_that_do_not_fill_an_lr_pixel_are_left_out():
    hr = hr_stack((2, 50, 67))
    lr = degrade_stack(hr, 4)
    field = align(lr, sr_of(lr), hr)
    assert field.hr.shape == field.sr.shape == (2, 48, 64)
    np.testing.assert_array_equal(field.hr.slice(1), hr.slice(1)[:48, :64])


def test_files_without_an_origin_are_taken_to_cover_the_same_extent():
    hr = hr_stack(voxel_nm=SIZES[1])
    lr = replace(degrade_stack(hr, 4), origin_nm=(0.0, 0.0, 0.0))
    field = align(lr, sr_of(lr), hr)
    assert field.region == ((0, 12), (0, 16))
    np.testing.assert_array_equal(field.hr.slice(0), hr.slice(0))


def test_an_sr_picture_that_knows_nothing_of_its_place_is_placed_by_its_shape():
    lr = degrade_stack(hr_stack(voxel_nm=SIZES[1]), 4)
    sr = SemStack.from_array(sr_of(lr).data, "SR")
    assert align(lr, sr).factor == 4
    wrong = replace(sr, voxel_nm=lr.voxel_nm)
    assert "states the pixel size of LR" in align(lr, wrong).notes[0]


def test_hr_of_the_size_of_a_partial_sr_covers_the_same_part():
    hr = hr_stack(voxel_nm=SIZES[1])
    lr = degrade_stack(hr, 4)
    part = sr_of(lr).cropped((1, 2), ((8, 32), (16, 60)))
    cut = replace(hr.cropped((1, 2), ((8, 32), (16, 60))), origin_nm=(0.0, 0.0, 0.0))
    field = align(lr, part, cut)
    assert field.region == ((2, 8), (4, 15))
    assert "taken to cover the same field" in field.notes[0]


def test_stacks_that_do_not_overlap_are_refused_in_one_sentence():
    lr = degrade_stack(hr_stack(voxel_nm=SIZES[1]), 4)
    away = replace(sr_of(lr), origin_nm=(0.0, 1e6, 0.0))
    with pytest.raises(InputError, match="do not overlap"):
        align(lr, away)


def test_a_factor_that_is_no_integer_is_refused():
    lr = degrade_stack(hr_stack(voxel_nm=SIZES[1]), 4)
    sr = replace(sr_of(lr), voxel_nm=(20.0, 4.0, 4.0))
    with pytest.raises(InputError, match="integer factor"):
        align(lr, sr)


def test_shapes_that_do_not_fit_are_refused_naming_both():
    lr = SemStack.from_array(np.zeros((1, 16, 16)), "LR")
    sr = SemStack.from_array(np.zeros((1, 63, 64)), "SR")
    with pytest.raises(InputError, match=r"\(1, 63, 64\).*\(1, 16, 16\)"):
        align(lr, sr)


def test_hr_of_another_pixel_size_than_sr_is_refused():
    hr = hr_stack(voxel_nm=SIZES[1])
    lr = degrade_stack(hr, 4)
    with pytest.raises(InputError, match="same pixel size"):
        align(lr, sr_of(lr, 2), hr)


def test_slices_are_left_out_by_their_number_in_lr(truth):
    part = truth.sr.cropped((1, 3))
    field = align(truth.lr, part).leaving_out([0, 2])
    assert field.slices == (1, 3) and field.kept == (0,)
    with pytest.raises(InputError, match="no slice 3"):
        field.leaving_out([3])
    with pytest.raises(InputError, match="keep at least one"):
        field.leaving_out([1, 2])
