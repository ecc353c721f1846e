"""Voxel sizes as a hand types them, and that all docks say the same about one file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from napari_sem_sr.io import read_stack
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.qt.length_box import parsed_nm
from napari_sem_sr.widgets.viewer import layer_stack
from tests.gui.hand import drop

LONG_MS = 120_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that says nothing about its voxels."""
    path = tmp_path / "plain.tif"
    data = np.random.default_rng(0).integers(0, 255, (4, 40, 50), np.uint8)
    tifffile.imwrite(path, data, photometric="minisblack", metadata=None)
    return path


@pytest.fixture
def dialog(qtbot: Any, path: Path) -> Iterator[VoxelDialog]:
    dialog = VoxelDialog(read_stack(path))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.activateWindow()
    yield dialog


def type_into(qtbot: Any, box: Any, text: str) -> None:
    """Click into a box once, type, and go on with Tab."""
    qtbot.mouseClick(box.lineEdit(), Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Tab)


def test_a_box_takes_typing_at_the_first_click_and_y_follows_x(
    dialog: VoxelDialog, qtbot: Any
) -> None:
    assert dialog.boxes["x"].text() == "unknown"
    # the first box has the focus from the beginning
    dialog.boxes["z"].setFocus()
    QApplication.processEvents()
    type_into(qtbot, dialog.boxes["z"], "25")
    assert dialog.stack.voxel_nm == (25, None, None)
    type_into(qtbot, dialog.boxes["x"], "5.5")
    assert dialog.stack.voxel_nm == (25, 5.5, 5.5)
    type_into(qtbot, dialog.boxes["z"], "20")
    assert dialog.stack.voxel_nm == (20, 5.5, 5.5)
    # a second click replaces what is there as well
    type_into(qtbot, dialog.boxes["x"], "6")
    assert dialog.stack.voxel_nm == (20, 5.5, 6)


def test_micrometres_are_shown_from_a_thousand_nanometres_on_and_can_be_typed(
    dialog: VoxelDialog, qtbot: Any
) -> None:
    type_into(qtbot, dialog.boxes["z"], "1.25 um")
    assert dialog.stack.voxel_nm[0] == 1250
    assert dialog.boxes["z"].text() == "1.25 µm"
    type_into(qtbot, dialog.boxes["z"], "80")
    assert dialog.boxes["z"].text() == "80 nm"


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("5", 5),
        ("5,5 nm", 5.5),
        ("1.2µm", 1200),
        ("0.02 um", 20),
        (".5", 0.5),
        ("", None),
        ("-3", None),
        ("5 V", None),
    ],
)
def test_lengths_are_understood_as_people_write_them(text: str, nm: float | None) -> None:
    assert parsed_nm(text) == (None if nm is None else pytest.approx(nm))


def type_in_dock(dock: Any, qtbot: Any, sizes: dict[str, str]) -> None:
    """Press the pencil beside the voxel size, type, press OK."""

    def fill() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, VoxelDialog)
        for axis, size in sizes.items():
            type_into(qtbot, dialog.boxes[axis], size)
        dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()

    QTimer.singleShot(300, fill)
    dock.voxel_edit.click()


def test_what_was_typed_is_known_in_every_dock_and_for_good(
    viewer: Any,
    open_dock: Callable[[str], Any],
    models: Path,
    qtbot: Any,
    path: Path,
) -> None:
    _, dock = open_dock("Upscale")
    drop(dock, [path])
    qtbot.waitUntil(lambda: dock._stack is not None, timeout=LONG_MS)
    assert "unknown" in dock.voxel_line.text()
    type_in_dock(dock, qtbot, {"z": "20", "x": "5"})
    assert dock.voxel_line.text() == "voxel 20 × 5 × 5 nm, as typed"
    (layer,) = viewer.layers
    np.testing.assert_allclose(layer.scale, (20, 5, 5))
    assert str(layer.units[-1]) == "nanometer"
    # what Compare and Check are given
    assert layer_stack.stack_of(layer).voxel_nm == (20, 5, 5)
    # another day, also where the folder was moved
    viewer.layers.clear()
    moved = path.parent / "moved"
    moved.mkdir()
    path.rename(moved / path.name)
    drop(dock, [moved / path.name])
    qtbot.waitUntil(lambda: dock._stack is not None, timeout=LONG_MS)
    assert dock._stack.voxel_nm == (20, 5, 5)
    np.testing.assert_allclose(viewer.layers[0].scale, (20, 5, 5))


def test_napari_s_own_layers_of_that_file_follow_when_a_dock_opens(
    viewer: Any, open_dock: Callable[[str], Any], models: Path, qtbot: Any, path: Path
) -> None:
    _, dock = open_dock("Upscale")
    drop(dock, [path])
    qtbot.waitUntil(lambda: dock._stack is not None, timeout=LONG_MS)
    type_in_dock(dock, qtbot, {"z": "20", "x": "5"})
    viewer.layers.clear()
    viewer.window.remove_dock_widget(dock)
    viewer.open(path, plugin="napari")
    _, dock = open_dock("Upscale")
    qtbot.waitUntil(lambda: not dock.arrivals.running, timeout=LONG_MS)
    np.testing.assert_allclose(viewer.layers[0].scale, (20, 5, 5))
    assert dock._stack.voxel_nm == (20, 5, 5)


def test_the_scale_bar_is_on_when_a_file_knows_its_size(
    viewer: Any, open_dock: Callable[[str], Any], models: Path, qtbot: Any
) -> None:
    _, dock = open_dock("Upscale")
    assert not viewer.canvas.overlays.scale_bar.visible
    dock.open_sample()
    assert viewer.canvas.overlays.scale_bar.visible
