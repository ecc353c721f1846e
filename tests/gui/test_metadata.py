"""SEM TIFFs that napari's own reader opened get voxel size and contrast from their metadata."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari._app_model import get_app_model
from qtpy.QtWidgets import QDialogButtonBox

from napari_sem_sr.io import read_stack
from napari_sem_sr.widgets.metadata import commands
from napari_sem_sr.widgets.metadata.slices_dialog import SlicesDialog
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.viewer import layer_stack

TAG = (
    "AP_IMAGE_PIXEL_SIZE\nImage Pixel Size = 10.00 nm\nAP_ACTUALKV\nEHT = 800 V\nAP_STAGE_AT_T\n"
    "Stage at T = 54.0 °\nDP_TILT_CORRN\nTilt Corrn. = Off\nDP_SEM\nSEM = Crossbeam 550\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    data = np.random.default_rng(0).integers(1000, 2000, (6, 40, 50), np.uint16)
    data[0] = 0  # blank first slice
    path = tmp_path / "stack.tif"
    tag = (34118, 2, 0, TAG.encode("latin-1"), True)
    tifffile.imwrite(path, data, photometric="minisblack", metadata=None, extratags=[tag])
    return path


def test_the_action_gives_a_layer_scale_unit_and_contrast(viewer: Any, path: Path) -> None:
    (layer,) = viewer.open(path, plugin="napari")
    assert layer.scale[-1] == 1
    get_app_model().commands.execute_command("napari-sem-sr.metadata").result()
    np.testing.assert_allclose(layer.scale, (1, 10, 10))
    assert [str(u) for u in layer.units] == ["pixel", "nanometer", "nanometer"]
    low, high = layer.contrast_limits
    # of the whole stack, not of its blank first slice
    assert low < 1100
    assert 1900 < high < 2100
    assert layer.metadata["sem"]["instrument"]["kv"] == pytest.approx(0.8)
    assert layer_stack.stack_of(layer).voxel_nm == (None, 10.0, 10.0)


def test_a_layer_without_a_file_is_told_so(viewer: Any, qtbot: Any) -> None:
    layer = viewer.add_image(np.zeros((4, 4)))
    with pytest.raises(Exception, match="not read from a file"):
        commands.stack_of_file(layer)


def test_typed_numbers_stay_with_the_layer(viewer: Any, path: Path) -> None:
    (layer,) = viewer.open(path, plugin="napari")
    dialog = VoxelDialog(layer_stack.stack_of(layer))
    dialog.boxes["z"].setValue(20.0)
    dialog.tilt.setValue(36.0)
    commands.put_on(layer, dialog.stack)
    true_y = 10 / np.cos(np.deg2rad(36))
    np.testing.assert_allclose(layer.scale, (20, true_y, 10))
    again = layer_stack.stack_of(layer)
    assert again.voxel_nm == pytest.approx((20, true_y, 10))
    assert (again.tilt_deg, again.sources.z, again.sources.x) == (36.0, "typed", "file")


def test_the_dialog_says_where_numbers_come_from_and_forgets_what_was_typed(
    qtbot: Any, path: Path
) -> None:
    dialog = VoxelDialog(read_stack(path))
    qtbot.addWidget(dialog)
    assert dialog.boxes["z"].text() == "unknown"
    assert dialog.tilt.text() == "unknown"
    assert dialog.origins["x"].text() == "from file"
    dialog.boxes["z"].setValue(20.0)
    dialog.tilt.setValue(36.0)
    assert dialog.origins["z"].text() == "typed"
    assert "10 nm recorded, 12.361 nm on the face" in dialog.effect.text()
    assert "wander by 1.18 px" in dialog.effect.text()
    dialog.buttons.button(QDialogButtonBox.StandardButton.Reset).click()
    assert dialog.stack.voxel_nm == (None, 10.0, 10.0)
    assert dialog.boxes["z"].text() == "unknown"


def test_odd_slices_are_listed_and_what_to_do_is_offered(
    viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    data = np.random.default_rng(0).integers(1000, 2000, (10, 64, 64), np.uint16)
    data[4] = data[3]
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, data, photometric="minisblack", metadata=None)
    (layer,) = viewer.open(path, plugin="napari")
    dialog = SlicesDialog(viewer, layer, layer_stack.stack_of(layer))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: dialog.found is not None, timeout=60_000)
    said = [dialog.list.item(i).text() for i in range(dialog.list.count())]
    row = next(i for i, text in enumerate(said) if text.startswith("Slice 4 has the very same"))
    dialog.list.setCurrentRow(row)
    assert viewer.dims.point[0] == 4
    assert dialog.leave_out.text() == "Leave out 4"
    dialog.leave_out.click()
    np.testing.assert_array_equal(np.asarray(viewer.layers[-1].data), np.delete(data, 4, axis=0))
    # the user's own layer is as it was
    assert viewer.layers[0] is layer
    assert not dialog.shear.isEnabled()
    dialog.reject()
