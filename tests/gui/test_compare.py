"""What Compare offers beyond its modes: roles, kinds of difference, linked contrast, marks, views, pictures, settings."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from napari.components import ViewerModel
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDropEvent

from napari_sem_sr.checking.field import align
from napari_sem_sr.io import ZarrStackWriter, write_tiff
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.zoo import list_models, load_model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.dock import InspectDock
from napari_sem_sr.widgets.inspect.panes.field_marks import CROSS, GRID, RING, grid_mark
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.qt.shortcuts import KEYS, page
from napari_sem_sr.widgets.viewer import layer_stack, layers
from tests.gui.conftest import add_stacks

FINE, COARSE = 64, 16


@pytest.fixture
def images() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "LR": rng.integers(0, 255, (4, COARSE, COARSE), np.uint8),
        "SR": rng.integers(0, 255, (4, FINE, FINE), np.uint8),
        "HR": rng.integers(0, 255, (4, FINE, FINE), np.uint8),
    }


@pytest.fixture
def viewer(images: dict[str, Any]) -> Any:
    viewer = ViewerModel()
    add_stacks(viewer, images)
    return viewer


@pytest.fixture
def dock(viewer: Any, open_inspect: Callable[[Any], Any]) -> Any:
    return open_inspect(viewer)


@pytest.fixture
def tab(dock: Any, qtbot: Any) -> Any:
    tab = dock.pages["Compare"]
    tab.compare()
    wait(tab, qtbot)
    return tab


def wait(tab: Any, qtbot: Any) -> None:
    for work in (tab.difference.work, tab.views.work, tab.evidence.work):
        qtbot.waitUntil(lambda work=work: not work.running, timeout=30_000)


def choose(box: Any, text: str) -> None:
    box.setCurrentText(text)
    box.activated.emit(box.currentIndex())


def drop(chooser: Any, data: QMimeData) -> None:
    chooser.dropEvent(
        QDropEvent(
            QPoint(1, 1).toPointF(),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def test_a_layer_dragged_from_naparis_list_onto_a_role_plays_it(dock: Any, viewer: Any) -> None:
    data = QMimeData()
    data.items = (viewer.layers["a HR"],)
    drop(dock.roles.choosers["twin"], data)
    assert dock.roles.roles["twin"] == viewer.layers["a HR"]


def test_a_file_dropped_onto_a_role_is_opened_in_it(
    dock: Any, viewer: Any, images: dict[str, Any], tmp_path: Path, qtbot: Any
) -> None:
    stack = SemStack.from_array(images["SR"], "other", voxel_nm=(20.0, 10.0, 10.0))
    write_tiff(stack, tmp_path / "other.tif", provenance={})
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "other.tif"))])
    drop(dock.roles.choosers["SR"], data)
    qtbot.waitUntil(lambda: dock.roles.roles["SR"].name == "other", timeout=60_000)
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "missing.tif"))])
    drop(dock.roles.choosers["SR"], data)
    qtbot.waitUntil(lambda: "does not exist" in dock.roles.message.text(), timeout=60_000)


@pytest.mark.parametrize(
    ("subject", "sign", "expected"),
    [
        ("SR − HR", "signed", lambda i: i["SR"].astype(float) - i["HR"]),
        ("SR − HR", "absolute", lambda i: abs(i["SR"].astype(float) - i["HR"])),
        (
            "averaged SR − LR",
            "signed",
            lambda i: np.stack([area_average(p, 4) for p in i["SR"].astype(float)]) - i["LR"],
        ),
    ],
)
def test_every_kind_of_difference_is_what_it_says(
    tab: Any, images: dict[str, Any], qtbot: Any, subject: str, sign: str, expected: Any
) -> None:
    choose(tab.difference.sign_box, sign)
    wait(tab, qtbot)
    choose(tab.difference.subject_box, subject)
    wait(tab, qtbot)
    pane = tab.comparison.panes["difference"]
    np.testing.assert_allclose(np.asarray(pane.data), expected(images), atol=1e-4)
    low, high = pane.contrast_limits
    assert low == (-high if sign == "signed" else 0)
    assert subject.split(" − ", maxsplit=1)[0] in pane.name and "grey" in pane.name


def test_bands_are_not_offered_where_there_is_only_one(tab: Any, qtbot: Any) -> None:
    choose(tab.difference.subject_box, "averaged SR − LR")
    wait(tab, qtbot)
    assert not tab.difference.band_box.isEnabled()
    assert "no high band" in tab.difference.band_box.toolTip()
    choose(tab.difference.subject_box, "none")
    assert "difference" not in tab.comparison.panes


def test_panes_share_contrast_in_pairs(tab: Any) -> None:
    panes = tab.comparison.panes
    tab.link_boxes["LR"].setChecked(False)
    panes["SR"].contrast_limits = (10, 90)
    assert tuple(panes["HR"].contrast_limits) == (10, 90)
    assert tuple(panes["LR"].contrast_limits) == (0, 255)
    tab.link_boxes["LR"].setChecked(True)
    panes["LR"].contrast_limits = (20, 80)
    assert tuple(panes["SR"].contrast_limits) == (20, 80)


def test_marks_follow_ticks_and_lie_in_their_own_layer_over_each_pane(
    tab: Any, viewer: Any
) -> None:
    tab.on_screen.grid_box.setChecked(True)
    tab.on_screen.marks.point_at((0.0, 100.0, 200.0))
    tab.on_screen.marks.draw()
    marks = tab.comparison.marks
    assert set(marks) == {GRID, CROSS}
    np.testing.assert_allclose(np.asarray(marks[CROSS].points)[2], (100.0, 200.0))
    overlays = [layer for layer in viewer.layers if layer.ndim == 2]
    assert len(overlays) == len(tab.comparison.panes) == 4
    tab.on_screen.cross_box.setChecked(False)
    tab.on_screen.grid_box.setChecked(False)
    assert not tab.comparison.marks
    assert not [layer for layer in viewer.layers if layer.ndim == 2]


def test_the_grid_holds_the_edges_of_lr_and_nothing_else(tab: Any) -> None:
    seat = tab.comparison.seats["LR"]
    points = np.asarray(grid_mark(seat.world, (4, 3, 3), ((-1e4, 1e4), (-1e4, 1e4))).points)
    edges = {-20.0, 20.0, 60.0, 100.0}
    steps = np.abs(np.diff(points, axis=0))
    # along rows or columns only, from edge to edge
    assert (steps.min(axis=1) == 0).all()
    assert set(points.ravel()) == edges
    across = {(a[0], b[0]) for a, b in pairwise(points) if a[0] == b[0]}
    along = {(a[1], b[1]) for a, b in pairwise(points) if a[1] == b[1]}
    assert {a for a, _ in across} == {a for a, _ in along} == edges
    assert grid_mark(seat.world, (4, 3, 3), ((500.0, 600.0), (0.0, 50.0))) is None


def checked_against_hr(frc_nm: float | None) -> Any:
    return SimpleNamespace(report=SimpleNamespace(scores={"frc_nm": frc_nm}))


def test_the_trusted_detail_is_drawn_to_scale_once_it_is_known(tab: Any) -> None:
    assert not tab.on_screen.ring_box.isEnabled()
    assert "after an answer check" in tab.on_screen.ring_box.toolTip()
    tab.on_screen.trust(checked_against_hr(64.0))
    tab.on_screen.ring_box.setChecked(True)
    np.testing.assert_allclose(np.ptp(np.asarray(tab.comparison.marks[RING].points), axis=0), 64.0)


def test_where_it_was_not_measured_the_card_of_the_model_says_what_it_resolves(
    dock: Any, viewer: Any, images: dict[str, Any]
) -> None:
    entry = next(e for e in list_models() if e.name == "sem-x4")
    power = entry.card.resolving_power
    mark = {"model": "sem-x4", "model_hash": load_model("sem-x4").content_hash}
    viewer.layers["a SR"].metadata = {layers.KEY: {"role": "SR", **mark}}
    on_screen = dock.pages["Compare"].on_screen
    on_screen.know(dock.roles.roles)
    assert on_screen.trusted_nm == 40 * power.smallest("gan")
    assert on_screen.ring_box.text().endswith(" nm, card")
    assert "Not measured on this stack" in on_screen.ring_box.toolTip()
    on_screen.trust(checked_against_hr(64.0))
    assert on_screen.trusted_nm == 64.0 and "card" not in on_screen.ring_box.text()
    # another version of the model of that name says nothing
    viewer.layers["a SR"].metadata = {layers.KEY: {"role": "SR", **mark, "model_hash": "other"}}
    on_screen.know(dock.roles.roles)
    on_screen.trust(None)
    assert on_screen.trusted_nm is None


@pytest.mark.parametrize(("view", "order"), [("xz", (1, 0, 2)), ("yz", (2, 0, 1))])
def test_cuts_go_through_the_middle_of_the_view_and_back(
    tab: Any, viewer: Any, view: str, order: tuple[int, ...]
) -> None:
    viewer.scene.camera.center = (0.0, 300.0, 200.0)
    tab.views.buttons[view].click()
    assert viewer.dims.order == order
    assert viewer.dims.point[order[0]] == pytest.approx(300.0 if view == "xz" else 200.0, abs=10)
    tab.views.buttons["xy"].click()
    assert viewer.dims.order == (0, 1, 2)


def test_volumes_stand_side_by_side_in_true_proportions_and_go_again(
    tab: Any, viewer: Any, qtbot: Any, images: dict[str, Any]
) -> None:
    users = [layer for layer in viewer.layers if layer.name.startswith("a ")]
    tab.views.buttons["3D"].click()
    qtbot.waitUntil(lambda: tab.comparison.view == "3D", timeout=30_000)
    assert viewer.dims.ndisplay == 3 and viewer.canvas.grid.enabled
    panes = tab.comparison.panes
    assert list(panes) == ["LR", "SR", "HR"]
    np.testing.assert_array_equal(panes["SR"].data, images["SR"])
    np.testing.assert_array_equal(panes["SR"].scale, (20, 10, 10))
    sizes = [np.array(p.data.shape) * p.scale for p in panes.values()]
    np.testing.assert_allclose(sizes[0], sizes[1])
    tab.restore_button.click()
    assert viewer.dims.ndisplay == 2 and list(viewer.layers) == users


def test_only_what_is_trusted_is_a_solid_volume_with_holes(
    tab: Any, qtbot: Any, images: dict[str, Any], tmp_path: Path
) -> None:
    trust = np.ones((4, COARSE, COARSE), np.float32)
    trust[:, :8] = 0
    like = SemStack.from_array(trust, "trust", voxel_nm=(20.0, 40.0, 40.0))
    writer = ZarrStackWriter.create(tmp_path / "maps.zarr" / "trust", like=like, provenance={})
    for z, plane in enumerate(trust):
        writer.write_slice(z, plane)
    writer.finish()
    field = align(*(layer_stack.stack_of(tab.viewer.layers[f"a {role}"]) for role in ("LR", "SR")))
    tab.views.offer(SimpleNamespace(folder=tmp_path, field=field))
    tab.views.trusted_box.setChecked(True)
    qtbot.waitUntil(lambda: tab.comparison.view == "3D", timeout=30_000)
    panes = tab.comparison.panes
    assert {pane.rendering for pane in panes.values()} == {"translucent"}
    # four grey levels are 1/64 of the way from black to white
    assert (panes["SR"].data[:, :32] == 0).all() and panes["SR"].data[:, 32:].min() == 4
    np.testing.assert_array_equal(panes["HR"].data, np.maximum(images["HR"], 4))
    black, grey = panes["SR"].colormap.map(np.array([0, 4 / 255]))
    assert black[3] == 0 and grey[3] == 1
    before = list(panes.values())
    tab.views.trusted_box.setChecked(False)
    qtbot.waitUntil(lambda: not tab.views.work.running, timeout=30_000)
    assert list(panes.values()) == before and panes["SR"].rendering == "attenuated_mip"
    np.testing.assert_array_equal(panes["SR"].data, images["SR"])
    # what was still being computed for slices does not come beside volumes
    tab.comparison.add("late", Computed(tab.comparison.seats["SR"], "late", (0, 1), "gray"))
    assert list(panes) == ["LR", "SR", "HR"]


def test_a_pane_that_is_deleted_by_hand_leaves_the_rest_working(tab: Any, viewer: Any) -> None:
    viewer.layers.remove(tab.comparison.panes["HR"])
    for mode in ("curtain", "side by side"):
        tab.modes.buttons[mode].click()
    assert "HR" not in tab.comparison.panes
    tab.restore_button.click()
    assert len(viewer.layers) == 3


def test_settings_are_recalled_and_remembered(
    dock: Any, viewer: Any, qtbot: Any, remembered: SimpleNamespace
) -> None:
    tab = dock.pages["Compare"]
    assert tab.on_screen.cross_box.isChecked() and tab.modes.period.value() == 0.6
    tab.on_screen.cross_box.setChecked(False)
    tab.modes.period.setValue(1.5)
    assert remembered.cross_cursor is False and remembered.blink_seconds == 1.5
    again = InspectDock(viewer)
    qtbot.addWidget(again)
    assert not again.pages["Compare"].on_screen.cross_box.isChecked()
    assert again.pages["Compare"].modes.period.value() == 1.5


def test_the_manifest_declares_every_setting_with_the_default_the_docks_use(
    remembered: SimpleNamespace,
) -> None:
    manifest = yaml.safe_load((Path(__file__).parents[2] / "napari.yaml").read_text())
    declared = manifest["contributions"]["configurations"]["inspect"]["properties"]
    assert {name: entry["default"] for name, entry in declared.items()} == vars(remembered)


def test_every_key_is_on_the_page_of_keys(dock: Any) -> None:
    dock.shortcuts.click()
    assert dock.shortcuts.dialog.isVisible()
    dock.shortcuts.dialog.close()
    assert all(what in page() for keys in KEYS.values() for what in keys.values())


@pytest.mark.parametrize(
    ("text", "numbers"), [("", set()), ("3", {3}), ("3, 7-9", {3, 7, 8, 9}), (" 1 ,1", {1})]
)
def test_slices_to_leave_out_are_typed_as_numbers_and_ranges(
    dock: Any, text: str, numbers: set[int]
) -> None:
    dock.roles.without_edit.setText(text)
    dock.roles.without_edit.editingFinished.emit()
    assert dock.roles.without == numbers


def test_anything_else_is_refused_in_one_sentence_and_changes_nothing(dock: Any) -> None:
    for text in ("2", "two"):
        dock.roles.without_edit.setText(text)
        dock.roles.without_edit.editingFinished.emit()
    assert dock.roles.without == {2}
    assert "'two' is not a slice number" in dock.roles.message.text()


def test_a_slice_that_is_left_out_does_not_set_the_limits_of_the_difference(
    dock: Any, viewer: Any, qtbot: Any, images: dict[str, Any]
) -> None:
    quiet = np.stack([images["HR"][0]] * 4)
    viewer.layers["a HR"].data = quiet
    viewer.layers["a SR"].data = quiet + np.uint8([0, 0, 90, 0])[:, None, None]
    dock.roles.without_edit.setText("2")
    dock.roles.without_edit.editingFinished.emit()
    tab = dock.pages["Compare"]
    tab.compare()
    wait(tab, qtbot)
    assert tuple(tab.comparison.panes["difference"].contrast_limits) == (-1, 1)
