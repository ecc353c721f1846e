"""Phases by grey value and by label, and one sentence for everything that is none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import apply_hysteresis_threshold, threshold_otsu

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import drain
from napari_sem_sr.measure.phases.given import check_labels
from napari_sem_sr.measure.phases.label import iter_given, iter_threshold
from napari_sem_sr.measure.phases.segmentation import NOTHING, Threshold, check_volume
from napari_sem_sr.stack import SemStack


def stack(array, name="sample", voxel=(20.0, 5.0, 5.0)) -> SemStack:
    return SemStack.from_array(array, name, voxel_nm=voxel)


def blobs(seed=0, shape=(8, 40, 40)):
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.standard_normal(shape), 2) > 0.02
    return np.clip(60 + 100 * field + rng.normal(0, 8, shape), 0, 255).astype(np.uint8), field


def planes(phases):
    return phases.file.read_slab(0, phases.file.shape[0])


def test_otsu_is_that_of_all_voxels_together(tmp_path):
    grey, field = blobs()
    found = drain(iter_threshold(stack(grey), Threshold(smooth_px=0), tmp_path / "p"))
    assert found.values == (1, 2)
    assert found.levels[0] == pytest.approx(threshold_otsu(grey), abs=2)
    assert (planes(found) == field).mean() > 0.999


def test_three_phases_are_told_apart(tmp_path):
    grey = np.repeat(np.array([20, 120, 220], np.uint8), 20)[None, None].repeat(6, 0).repeat(30, 1)
    found = drain(iter_threshold(stack(grey), Threshold.parse("otsu:3"), tmp_path / "p"))
    assert found.values == (1, 2, 3)
    assert np.unique(planes(found)).tolist() == [0, 1, 2]
    assert (planes(found) == 0).mean() == pytest.approx(1 / 3, abs=0.03)


def test_hysteresis_is_that_of_the_whole_volume(tmp_path):
    grey, _ = blobs(3)
    found = drain(iter_threshold(stack(grey), Threshold.parse("90:170", 0.0), tmp_path / "p"))
    # edges of our threshold belong to the upper phase
    whole = apply_hysteresis_threshold(grey.astype(float), 89.999, 169.999)
    assert (planes(found) == whole).all()
    assert found.values == (1, 2)


def test_nan_belongs_to_no_phase_and_does_not_spread(tmp_path):
    grey = blobs()[0].astype(np.float32)
    grey[:, :5] = np.nan
    found = drain(iter_threshold(stack(grey), Threshold(), tmp_path / "p"))
    assert (planes(found)[:, :5] == NOTHING).all()
    assert (planes(found)[:, 5:] != NOTHING).all()
    assert not found.valid(0)[:5].any()


def test_labels_keep_their_numbers(tmp_path):
    _, field = blobs()
    labels = np.where(field, 7, 3).astype(np.int32)
    found = drain(iter_given(stack(field.astype(np.uint8)), stack(labels), tmp_path / "p"))
    assert found.values == (3, 7)
    assert found.levels == ()
    assert (planes(found) == field).all()


@pytest.mark.parametrize(
    ("text", "levels", "phases"),
    [
        ("otsu", (), 2),
        ("OTSU:4", (), 4),
        ("128", (128.0,), 2),
        ("80,160.5", (80.0, 160.5), 2),
        ("90:140", (90.0, 140.0), 2),
    ],
)
def test_thresholds_are_understood(text, levels, phases):
    found = Threshold.parse(text)
    assert (found.levels, found.phases) == (levels, phases)
    assert found.hysteresis == (text == "90:140")


@pytest.mark.parametrize(
    "text", ["", "grey", "160,80", "80,80", "1:2:3", "otsu:1", "otsu:99", "nan", "otsu:x"]
)
def test_what_is_no_threshold_is_refused_in_one_sentence(text):
    with pytest.raises(InputError, match="give"):
        Threshold.parse(text)


def refused(tmp_path, array, threshold="otsu") -> str:
    with pytest.raises(InputError) as error:
        drain(iter_threshold(stack(array), Threshold.parse(threshold), tmp_path / "p"))
    return str(error.value)


def test_a_phase_that_fills_everything_or_nothing_is_refused(tmp_path):
    grey, _ = blobs()
    assert "one grey (9)" in refused(tmp_path, np.full((6, 8, 8), 9, np.uint8))
    assert "Nothing of 'sample' lies above the threshold 300" in refused(tmp_path, grey, "300")
    assert "Nothing of 'sample' lies below the threshold 0" in refused(tmp_path, grey, "0")
    assert "NaN everywhere" in refused(tmp_path, np.full((6, 8, 8), np.nan, np.float32))
    with pytest.raises(InputError, match="nothing but 1: this phase fills everything"):
        drain(iter_given(stack(grey), stack(np.ones_like(grey)), tmp_path / "p"))


def test_labels_that_do_not_fit_are_refused(tmp_path):
    grey, field = blobs()
    with pytest.raises(InputError, match=r"shape \(7, 40, 40\)"):
        check_labels(stack(field[1:].astype(np.uint8)), stack(grey))
    with pytest.raises(InputError, match="whole numbers"):
        check_labels(stack(field.astype(np.float32)), stack(grey))
    many = np.arange(grey.size, dtype=np.int32).reshape(grey.shape)
    with pytest.raises(InputError, match="looks like objects"):
        drain(iter_given(stack(grey), stack(many), tmp_path / "p"))


def test_what_is_no_volume_is_refused():
    with pytest.raises(InputError, match="single slice"):
        check_volume(stack(np.zeros((1, 9, 9), np.uint8)))
    with pytest.raises(InputError, match="only 3 voxels along y"):
        check_volume(stack(np.zeros((9, 3, 9), np.uint8)))
    with pytest.raises(InputError, match="along z is not known"):
        check_volume(stack(np.zeros((9, 9, 9), np.uint8), voxel=(None, 5.0, 5.0)))
