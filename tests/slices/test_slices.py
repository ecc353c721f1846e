import dask.array as da
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from napari_sem_sr.slices import Alignment, examine
from napari_sem_sr.stack import SemStack

N, SIZE = 24, 96


@pytest.fixture(scope="module")
def volume():
    """A specimen whose slices change slowly, seen with noise; 30 px larger than the field on each side."""
    random = np.random.default_rng(1)
    truth = gaussian_filter(random.normal(size=(N, SIZE + 60, SIZE + 60)), (2.5, 3, 3))
    truth = 120 + 35 * truth / truth.std()
    return (truth + random.normal(0, 6, truth.shape)).clip(0, 255).astype(np.uint8)


def field(volume, wander=None):
    wander = np.zeros((N, 2), int) if wander is None else wander
    return np.stack(
        [
            v[30 - y : 30 - y + SIZE, 30 - x : 30 - x + SIZE]
            for v, (y, x) in zip(volume, wander, strict=True)
        ]
    )


def stack(data, **known):
    return SemStack.from_array(data, "s", **known)


def kinds(examination):
    return {(f.kind, f.slice) for f in examination.findings if f.slice is not None}


def test_an_ordinary_stack_has_nothing_odd(volume):
    assert kinds(examine(stack(field(volume)))) == set()


def test_each_odd_slice_is_named(volume):
    data = field(volume).copy()
    data[5] = data[4]
    data[9] = (data[9].astype(int) + 40).clip(0, 255)
    data[-1, 70:] = 0
    found = examine(stack(data))
    assert {("doubled", 5), ("brightness", 9), ("blank", N - 1)} <= kinds(found)
    assert found.left_out == (5, N - 1)
    assert "from row 70 on" in next(f.sentence for f in found.findings if f.kind == "blank")


def test_missing_slices_show_as_a_jump(volume):
    data = np.delete(field(volume), range(10, 16), axis=0)
    assert ("jump", 10) in kinds(examine(stack(data)))


def test_missing_numbers_in_the_names(tmp_path, volume):
    for z, image in enumerate(field(volume)[:8]):
        if z != 3:
            Image.fromarray(image).save(tmp_path / f"run2_{z * 5:04}.png")
    found = examine(read_stack(tmp_path))
    (gap,) = (f for f in found.findings if f.kind == "missing")
    assert gap.slice == 3
    assert "1 slice is missing before slice 3 ('run2_0020.png')" in gap.sentence


def test_a_slice_that_cannot_be_read_is_named_and_the_rest_examined(volume):
    data = field(volume)

    def read(block, block_info=None):
        if block_info and block_info[0]["chunk-location"][0] == 7:
            raise InputError("'slice_7.tif' is cut off.")
        return block

    lazy = da.from_array(data, chunks=(1, -1, -1)).map_blocks(read, dtype=data.dtype, meta=data[:0])
    found = examine(stack(lazy))
    assert kinds(found) == {("unreadable", 7)}


def test_irregular_drift_is_found_to_a_pixel_and_undone(volume):
    random = np.random.default_rng(3)
    wander = random.integers(-6, 7, (N, 2))
    wander -= wander[0]
    lr = stack(field(volume, wander), voxel_nm=(20.0, 5.0, 5.0))
    found = examine(lr)
    assert any(f.kind == "drift" and "irregularly" in f.sentence for f in found.findings)
    steps = np.diff(np.asarray(found.alignment(steady_too=True).wander), axis=0)
    assert np.abs(steps - np.diff(wander, axis=0)).max() < 1
    aligned = Alignment(tuple((float(y), float(x)) for y, x in wander)).applied(lr)
    (y0, y1), (x0, x1) = Alignment(tuple(map(tuple, wander.astype(float)))).common(lr.shape)
    np.testing.assert_array_equal(aligned.data.compute(), field(volume)[:, y0:y1, x0:x1])
    assert aligned.origin_nm == (0.0, y0 * 5.0, x0 * 5.0)
    assert aligned.dtype == lr.dtype
    np.testing.assert_array_equal(aligned.slice(4), aligned.data[4].compute())


def test_jitter_around_a_place_is_no_steady_wander():
    places = np.random.default_rng(5).integers(-6, 7, (N, 2)).astype(float)
    steps = np.vstack([np.zeros((1, 2)), np.diff(places, axis=0)])
    left = places - places[0] - np.asarray(Alignment.of_steps(steps).wander)
    # what is left is less than the jitter was
    assert np.ptp(left, axis=0).max() < 6


def test_a_steady_wander_stays_and_a_jump_in_it_is_undone():
    steps = np.tile([0.5, -0.25], (N, 1))
    steps[0] = 0
    steps[10] += (20, 0)
    wander = np.asarray(Alignment.of_steps(steps).wander)
    np.testing.assert_allclose(wander[:10], 0, atol=1e-9)
    np.testing.assert_allclose(wander[10:], np.tile([20, 0], (N - 10, 1)), atol=1e-9)
    whole = np.asarray(Alignment.of_steps(steps, steady_too=True).wander)
    np.testing.assert_allclose(whole, np.cumsum(steps, axis=0))


def test_shear_of_an_untracked_stack_is_undone_as_such(volume):
    # 20 nm slices at 45 degrees, y of 10 nm on the face: 2 px per slice
    wander = np.stack([2 * np.arange(N) - 23, np.zeros(N, int)], axis=1)
    lr = stack(field(volume, wander), voxel_nm=(20.0, 10.0, 10.0), tilt_deg=45.0)
    found = examine(lr)
    assert [f.kind for f in found.findings] == ["shear"]
    upright = Alignment.of_shear(lr).applied(lr)
    expected = field(volume, np.full((N, 2), (-23, 0)))[:, : SIZE - 46]
    np.testing.assert_array_equal(upright.data.compute(), expected)


def test_shear_needs_numbers(volume):
    with pytest.raises(InputError, match="type in what is unknown"):
        Alignment.of_shear(stack(field(volume)))


def test_slices_that_share_no_place_cannot_be_aligned(volume):
    with pytest.raises(InputError, match="no place is on all"):
        Alignment(((0.0, 0.0), (200.0, 0.0))).applied(stack(field(volume)[:2]))


def test_nan_borders_and_constant_slices_do_no_harm(volume):
    data = field(volume).astype(np.float32)
    data[:, :5] = np.nan
    data[3] = 7
    assert ("blank", 3) in kinds(examine(stack(data)))


@pytest.mark.parametrize("count", [1, 2])
def test_short_stacks(volume, count):
    found = examine(stack(field(volume)[:count]))
    assert found.findings == ()
    assert len(found.alignment().wander) == count
