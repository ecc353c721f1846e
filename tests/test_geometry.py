import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.geometry import is_along_y, shear_nm, true_pixel_nm, with_typed
from napari_sem_sr.instrument import Instrument, Sources
from napari_sem_sr.stack import SemStack

TILTS = st.floats(0, 80)


def stack(**known):
    known.setdefault("voxel_nm", (20.0, 10.0, 10.0))
    known.setdefault("sources", Sources("file", "file", "file"))
    return SemStack.from_array(np.zeros((2, 4, 4), np.uint8), "a", **known)


def test_a_face_at_60_degrees_is_recorded_at_half_its_height():
    assert true_pixel_nm(10.0, 60.0) == pytest.approx(20.0)
    assert true_pixel_nm(10.0, 0.0) == 10.0


@given(tilt=TILTS, thickness=st.floats(1, 100), recorded=st.floats(1, 100))
def test_the_shear_of_an_untracked_stack_is_thickness_times_sine_in_the_recorded_image(
    tilt, thickness, recorded
):
    pixels = shear_nm(thickness, tilt) / true_pixel_nm(recorded, tilt)
    assert pixels * recorded == pytest.approx(thickness * np.sin(np.deg2rad(tilt)))


@given(first=TILTS, second=TILTS)
def test_a_tilt_typed_twice_counts_once(first, second):
    twice = with_typed(with_typed(stack(), tilt_deg=first), tilt_deg=second)
    once = with_typed(stack(), tilt_deg=second)
    assert twice.voxel_nm == pytest.approx(once.voxel_nm)
    assert twice.tilt_deg == second


def test_what_the_microscope_corrected_is_not_corrected_again():
    corrected = stack(instrument=Instrument(tilt_corrected=True))
    assert with_typed(corrected, tilt_deg=38.0).voxel_nm == (20.0, 10.0, 10.0)


def test_a_typed_y_is_believed_as_it_is():
    typed = with_typed(stack(), (None, 12.0, None), tilt_deg=38.0)
    assert typed.voxel_nm == (20.0, 12.0, 10.0)
    assert typed.sources == Sources("file", "typed", "file", "typed")
    assert with_typed(typed, tilt_deg=10.0).voxel_nm[1] == 12.0


def test_the_origin_moves_with_the_voxels():
    moved = with_typed(stack(origin_nm=(40.0, 30.0, 10.0)), (None, 20.0, None))
    assert moved.origin_nm == (40.0, 60.0, 10.0)


@pytest.mark.parametrize("tilt", [-1.0, 90.0, float("nan")])
def test_an_impossible_tilt_is_refused(tilt):
    with pytest.raises(InputError, match="is impossible"):
        with_typed(stack(), tilt_deg=tilt)


@pytest.mark.parametrize(
    ("rotation", "along"), [(None, True), (0, True), (180, True), (-179.9, True), (90, False)]
)
def test_half_turns_of_the_scan_leave_foreshortening_along_y(rotation, along):
    assert is_along_y(rotation) is along


def test_sources_are_described():
    assert stack(voxel_nm=(None, 10.0, 10.0), sources=Sources(None, "typed")).describe()[
        "voxel_source"
    ] == ["unknown", "typed", "given"]
