"""Files dropped by hand, anywhere and at any time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.settings import get_settings
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QScrollArea

from napari_sem_sr import samples
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.upscale.form import BARLESS, WHOLE
from tests.gui.hand import answer, drop
from tests.gui.test_metadata import TAG
from tests.io.read.test_read_volumes import write_mrc, write_nrrd
from tests.io.test_databar import bar

LONG_MS = 120_000


def specimen(count: int, seed: int = 0, height: int = 96, width: int = 120) -> Any:
    """Slices of one real specimen; ``seed`` chooses where."""
    data = samples.medulla_hr().data
    y, x = (53 * seed) % 90, (31 * seed) % 70
    return np.asarray(data[:count, y : y + height, x : x + width])


def write_slices(folder: Path, images: Any, stem: str = "slice") -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = []
    for number, image in enumerate(images):
        files.append(folder / f"{stem}_{number}.tif")
        tifffile.imwrite(files[-1], image, photometric="minisblack")
    return files


@pytest.fixture
def dock(models: Path, open_dock: Callable[[str], Any]) -> Any:
    return open_dock("Upscale")[1]


def settled(dock: Any) -> bool:
    return not (dock.opener.running or dock.arrivals.running or dock._choosing.running)


def images(viewer: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.name, layer.data.shape) for layer in viewer.layers]


def canvas(viewer: Any) -> Any:
    return viewer.window._qt_viewer


def test_the_whole_dock_and_its_boxes_take_files_also_when_a_stack_is_chosen(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    places = [
        dock.drop_zone,
        dock.chooser,
        dock.sharpness,
        dock.tile_box.lineEdit(),
        dock.start_button,
        dock.findChild(QScrollArea),
    ]
    for number, place in enumerate(places):
        path = tmp_path / f"stack{number}.tif"
        tifffile.imwrite(path, specimen(2), photometric="minisblack")
        if place is not dock.drop_zone:
            assert not dock.drop_zone.isVisible()
        drop(place, [path])
        qtbot.waitUntil(
            lambda name=path.stem: settled(dock) and name in viewer.layers, timeout=LONG_MS
        )
        assert dock.chooser.layer.name == path.stem
        assert dock._stack is not None
    assert len(viewer.layers) == len(places)


@pytest.mark.parametrize(("where", "count"), [("dock", 14), ("canvas", 4)])
def test_slices_dropped_together_are_asked_about_once_and_become_one_stack(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, where: str, count: int
) -> None:
    files = write_slices(tmp_path / "slices", specimen(count))
    asked = answer("One stack")
    # as a file manager hands them over
    drop(dock if where == "dock" else canvas(viewer), [*files[2:], *files[:2]])
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    assert asked() == [f"{count} files of one size: one stack?"]
    assert images(viewer) == [("slices", (count, 96, 120))]
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data), specimen(count))
    assert dock._stack.shape == (count, 96, 120)


def test_images_dropped_together_stay_apart_where_a_person_says_so(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    files = write_slices(tmp_path / "slices", specimen(4))
    asked = answer("4 images")
    drop(dock, files)
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    asked()
    assert [shape for _, shape in images(viewer)] == [(1, 96, 120)] * 4


def test_lr_and_hr_dropped_together_are_two_stacks_and_nothing_is_asked(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    for name, step in (("a_hr", 1), ("a_lr", 4)):
        tifffile.imwrite(
            tmp_path / f"{name}.tif", specimen(3)[:, ::step, ::step], photometric="minisblack"
        )
    asked = answer("One")
    drop(dock, [tmp_path / "a_lr.tif", tmp_path / "a_hr.tif"])
    qtbot.waitUntil(lambda: settled(dock) and len(viewer.layers) == 2, timeout=LONG_MS)
    assert asked() == []
    assert [name for name, _ in images(viewer)] == ["a_hr", "a_lr"]
    assert dock.chooser.layer.name == "a_lr"


def test_unrelated_micrographs_in_a_folder_are_asked_about(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    blobs = [
        np.kron(rng.integers(0, 255, (12, 15)), np.ones((8, 8))).astype(np.uint8) for _ in range(80)
    ]
    write_slices(tmp_path / "micrographs", blobs, "grain")
    asked = answer("Cancel")
    drop(dock, [tmp_path / "micrographs"])
    qtbot.waitUntil(lambda: settled(dock), timeout=LONG_MS)
    (question,) = asked()
    assert "80 images" in question
    assert "nothing in common" in question
    assert not viewer.layers


def test_a_folder_of_slices_is_a_stack_and_nothing_is_asked(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    write_slices(tmp_path / "slices", specimen(8))
    asked = answer("Open")
    drop(dock, [tmp_path / "slices"])
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    assert asked() == []
    assert dock._stack.shape == (8, 96, 120)


@pytest.mark.parametrize("kind", ["mrc", "nrrd"])
def test_volumes_dropped_on_the_canvas_open_with_their_voxel_size(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, kind: str
) -> None:
    data = specimen(3).astype(np.int16)
    path = {"mrc": write_mrc, "nrrd": write_nrrd}[kind](tmp_path / f"cell.{kind}", data)
    # napari's own reader claims NRRD too (and cannot read it), so that napari asks once and remembers what was said
    get_settings().plugins.extension2reader = {"*.nrrd": "napari-sem-sr"}
    drop(canvas(viewer), [path])
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    np.testing.assert_allclose(viewer.layers[0].scale, (25, 5, 5))
    assert dock._stack.voxel_nm == pytest.approx((25, 5, 5))


def test_a_vendor_tiff_dropped_on_the_canvas_gets_its_voxel_size_and_nobody_is_asked(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "zeiss.tif"
    tag = (34118, 2, 0, TAG.encode("latin-1"), True)
    tifffile.imwrite(path, specimen(3), photometric="minisblack", metadata=None, extratags=[tag])
    drop(canvas(viewer), [path])
    qtbot.waitUntil(lambda: bool(viewer.layers) and settled(dock), timeout=LONG_MS)
    (layer,) = viewer.layers
    assert layer.source.reader_plugin == "napari"
    np.testing.assert_allclose(layer.scale[-2:], (10, 10))
    assert str(layer.units[-1]) == "nanometer"
    assert viewer.canvas.overlays.scale_bar.visible


def test_a_databar_is_found_and_left_out_unless_a_person_wants_it(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    above = specimen(1, height=120)[0]
    image = np.vstack([above, bar(30)[:, : above.shape[1]]])
    rows = (0, 120)
    tifffile.imwrite(tmp_path / "barred.tif", image, photometric="minisblack")
    drop(dock, [tmp_path / "barred.tif"])
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    assert dock.region_box.currentText() == BARLESS
    assert "left out" in dock.databar_line.text()
    assert dock.settings().region == (rows, (0, image.shape[1]))
    dock.databar_line.linkActivated.emit(WHOLE)
    assert dock.settings().region is None
    assert "leave it out" in dock.databar_line.text()


def test_a_result_dropped_as_lr_is_told(dock: Any, viewer: Any, qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "made_up.zarr"
    writer = ZarrStackWriter.create(
        path, like=SemStack.from_array(specimen(2), name="x"), provenance={"model": "sem-x4"}
    )
    for z in range(2):
        writer.write_slice(z, specimen(2)[z])
    writer.finish()
    drop(dock, [path])
    qtbot.waitUntil(lambda: settled(dock) and bool(viewer.layers), timeout=LONG_MS)
    assert "super-resolved result (by sem-x4), not a measurement" in dock.message.text()
    assert dock.chooser.layer is None


@pytest.mark.parametrize("by", ["file", "napari"])
def test_a_stack_of_nan_is_told(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, by: str
) -> None:
    empty = np.full((2, 32, 32), np.nan, np.float32)
    if by == "file":
        tifffile.imwrite(tmp_path / "empty.tif", empty, photometric="minisblack")
        drop(dock, [tmp_path / "empty.tif"])
    else:
        viewer.add_image(empty, name="empty", contrast_limits=(0, 1))
    line = dock.message if by == "file" else dock.shape_line
    qtbot.waitUntil(lambda: "NaN" in line.text() and settled(dock), timeout=LONG_MS)
    assert not dock.start_button.isEnabled()


def test_a_broken_link_among_slices_is_named(dock: Any, qtbot: Any, tmp_path: Path) -> None:
    files = write_slices(tmp_path / "slices", specimen(5))
    files[2].unlink()
    files[2].symlink_to("../.git/annex/slice.tif")
    drop(dock, [tmp_path / "slices"])
    qtbot.waitUntil(lambda: settled(dock) and bool(dock.message.text()), timeout=LONG_MS)
    assert "Slice 2" in dock.message.text()
    assert "which is not there" in dock.message.text()


def longest_wait(dock: Any, viewer: Any, qtbot: Any, folder: Path) -> float:
    """Seconds of its own work for which the user interface did not look up while a folder was dropped and opened."""
    before = len(viewer.layers)
    ticks: list[float] = []
    timer = QTimer()
    # of this thread's own work: other programs may take the processor meanwhile
    timer.timeout.connect(lambda: ticks.append(time.thread_time()))
    timer.start(5)
    drop(dock, [folder])
    qtbot.waitUntil(
        lambda: bool(ticks) and settled(dock) and len(viewer.layers) > before, timeout=LONG_MS
    )
    timer.stop()
    return float(max(np.diff(ticks)))


def test_reading_two_thousand_slices_leaves_the_user_interface_alive(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    (first,) = write_slices(tmp_path / "many", specimen(1))
    for number in range(1, 2000):
        (tmp_path / "many" / f"slice_{number}.tif").hardlink_to(first)
    write_slices(tmp_path / "few", specimen(4))
    # what napari itself does to show a layer takes as long for any stack
    shown = longest_wait(dock, viewer, qtbot, tmp_path / "few")
    assert longest_wait(dock, viewer, qtbot, tmp_path / "many") < shown + 0.2
    assert dock._stack.shape[0] == 2000
    assert "2000 slices" in dock.shape_line.text()


def test_files_dropped_on_inspect_play_their_roles(
    viewer: Any, open_dock: Callable[[str], Any], qtbot: Any, tmp_path: Path, models: Path
) -> None:
    _, dock = open_dock("Inspect")
    for name, step in (("a_hr", 1), ("a_lr", 4)):
        tifffile.imwrite(
            tmp_path / f"{name}.tif", specimen(3)[:, ::step, ::step], photometric="minisblack"
        )
    drop(dock.pages["Compare"], [tmp_path / "a_lr.tif", tmp_path / "a_hr.tif"])
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=LONG_MS)
    roles = {role: layer.name for role, layer in dock.roles.roles.items()}
    assert roles == {"LR": "a_lr", "HR": "a_hr"}
    tifffile.imwrite(tmp_path / "other.tif", specimen(3, 1), photometric="minisblack")
    drop(dock.roles.choosers["HR"], [tmp_path / "other.tif"])
    qtbot.waitUntil(lambda: dock.roles.roles["HR"].name == "other", timeout=LONG_MS)
