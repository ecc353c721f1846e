import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import shift

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import drain
from napari_sem_sr.io import read_stack
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.registration.pairs import (
    grid_of,
    iter_register,
    iter_register_stack,
    registered,
)
from tests.teachers.registration.test_register import field, measured

MOVES = [(2.5, -1.25), (6.0, 3.0)]


@pytest.fixture
def recordings() -> tuple[SemStack, SemStack]:
    """Two slices, HR displaced differently in each, on another grey scale."""
    images = [field(seed) for seed in (1, 2)]
    hr = np.stack(
        [shift(i, m, order=3, mode="reflect") for i, m in zip(images, MOVES, strict=True)]
    )
    lr = np.stack([measured(image) for image in images])
    return (
        SemStack.from_array(lr.clip(0, 255).round().astype(np.uint8), "LR", voxel_nm=(20, 20, 20)),
        SemStack.from_array(hr.clip(0, 255).round().astype(np.uint8), "HR", voxel_nm=(20, 5, 5)),
    )


def test_a_pair_lies_pixel_on_pixel_on_one_grey_scale(recordings, tmp_path):
    lr, hr = recordings
    out = tmp_path / "pair"
    found = drain(iter_register(lr, hr, out))
    assert json.loads((out / "registration.json").read_text(encoding="utf-8")) == found
    for one, move in zip(found["slices"], MOVES, strict=True):
        assert one["shift_px"] == pytest.approx(move, abs=0.1)
    a, b = read_stack(out / "lr.tif"), read_stack(out / "hr.tif")
    assert b.shape == (a.shape[0], 4 * a.shape[1], 4 * a.shape[2])
    assert a.dtype == b.dtype == np.uint8
    assert b.voxel_nm == (20, 5, 5)
    (y0, y1), (x0, x1) = found["region"]
    np.testing.assert_array_equal(a.slice(1), lr.slice(1)[y0:y1, x0:x1])
    rest = area_average(b.slice(1).astype(float), 4) - a.slice(1)
    # nothing but the noise of LR, which no shift or grey scale has enlarged
    assert rest.std() < 2.2
    assert abs(rest.mean()) < 0.2


def test_a_stack_whose_slices_drift_apart_has_no_single_place(recordings):
    with pytest.raises(InputError, match="drift"):
        drain(iter_register_stack(*recordings))


def test_hr_registered_for_a_check_keeps_its_grey_values_and_lies_on_lr(recordings):
    lr, hr = (stack.cropped((0, 1)) for stack in recordings)
    placed = registered(lr, hr, drain(iter_register_stack(lr, hr)))
    assert placed.dtype == np.uint8
    y, x = (round((placed.origin_nm[i] + 7.5) / 5) for i in (1, 2))
    there = field(1)[y : y + placed.shape[1], x : x + placed.shape[2]]
    assert np.abs(placed.slice(0)[8:-8, 8:-8] - there[8:-8, 8:-8]).max() < 3


def test_the_grid_comes_from_pixel_sizes_and_otherwise_from_shapes():
    lr = SemStack.from_array(np.zeros((1, 40, 50)), "LR", voxel_nm=(None, 20.0, 20.0))
    hr = SemStack.from_array(np.zeros((1, 160, 200)), "HR", voxel_nm=(None, 4.0, 4.0))
    assert (grid_of(lr, hr).factor, grid_of(lr, hr).pixel_ratio) == (5, 1.0)
    assert grid_of(lr, hr, factor=4).pixel_ratio == 1.25
    unknown = replace(hr, voxel_nm=(None, None, None))
    assert (grid_of(lr, unknown).factor, grid_of(lr, unknown).pixel_ratio) == (4, 1.0)
    with pytest.raises(InputError, match="at least twice"):
        grid_of(lr, replace(hr, voxel_nm=(None, 15.0, 15.0)))
    with pytest.raises(InputError, match="proportions"):
        grid_of(lr, replace(hr, voxel_nm=(None, 4.0, 5.0)))


def test_nothing_that_is_there_is_overwritten(recordings, tmp_path):
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="already"):
        drain(iter_register(*recordings, tmp_path))
