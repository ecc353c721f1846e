"""Where a comparison looks: where someone looked before, and where there is something to see."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QListView

from napari_sem_sr.widgets.inspect.panes.framing import MARGIN
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.viewer import layers
from tests.gui.conftest import add_stacks

COARSE, FINE, DEPTH = 32, 128, 6
STEP_NM, PIXEL_NM = 10.0, 40.0


def images(slices: int = DEPTH) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "LR": rng.integers(0, 255, (DEPTH, COARSE, COARSE), np.uint8),
        "SR": rng.integers(0, 255, (slices, FINE, FINE), np.uint8),
    }


@pytest.fixture
def viewer() -> Any:
    return ViewerModel()


@pytest.fixture
def tab(viewer: Any, open_inspect: Callable[[Any], Any], qtbot: Any) -> Any:
    return open_inspect(viewer).pages["Compare"]


def wait(tab: Any, qtbot: Any) -> None:
    for work in (tab.difference.work, tab.views.work):
        qtbot.waitUntil(lambda work=work: not work.running, timeout=30_000)


def compare(tab: Any, qtbot: Any) -> None:
    tab.start_button.click()
    wait(tab, qtbot)


def seen(viewer: Any, tab: Any) -> tuple[Any, ...]:
    """Slice, centre and extent of what a pane shows, in nm."""
    extent = min(tab.comparison.camera.pane_px()) / viewer.scene.camera.zoom
    return (viewer.dims.point[0], *viewer.scene.camera.center[-2:], extent)


def test_compare_goes_on_looking_where_someone_looked(tab: Any, viewer: Any, qtbot: Any) -> None:
    add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    viewer.dims.set_point(0, 30.0)
    viewer.scene.camera.center = (0.0, 400.0, 300.0)
    viewer.scene.camera.zoom = min(viewer.canvas.size) / 200
    compare(tab, qtbot)
    np.testing.assert_allclose(seen(viewer, tab), (30, 400, 300, 200), rtol=0.02)
    viewer.dims.set_point(0, 20.0)
    viewer.scene.camera.center = (0.0, 700.0, 200.0)
    compare(tab, qtbot)
    np.testing.assert_allclose(seen(viewer, tab), (20, 700, 200, 200), rtol=0.02)


@pytest.mark.parametrize("way", [("xz",), ("3D",), ("xz", "3D", "yz")])
def test_cuts_and_volumes_lead_back_to_the_same_slice_and_field(
    tab: Any, viewer: Any, qtbot: Any, way: tuple[str, ...]
) -> None:
    add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    compare(tab, qtbot)
    viewer.dims.set_point(0, 40.0)
    tab.comparison.camera.look_at(40.0, (500.0, 600.0), 320.0)
    before = seen(viewer, tab)
    for view in (*way, "xy"):
        tab.views.buttons[view].click()
        wait(tab, qtbot)
    np.testing.assert_allclose(seen(viewer, tab), before, rtol=0.02)


def test_an_sr_of_some_slices_and_a_part_of_them_is_what_is_shown(
    tab: Any, viewer: Any, qtbot: Any
) -> None:
    _, sr = add_stacks(viewer, images(2), (STEP_NM, PIXEL_NM, PIXEL_NM))
    # slices 3 and 4, a quarter of the field
    sr.data = sr.data[:, : FINE // 2, : FINE // 2]
    sr.translate = (3 * STEP_NM, *(np.asarray(sr.translate[1:]) + 8 * PIXEL_NM))
    viewer.reset_view()
    viewer.dims.set_point(0, 0.0)
    compare(tab, qtbot)
    z, y, x, extent = seen(viewer, tab)
    assert z == 3 * STEP_NM
    middle = (8 + COARSE / 4 - 0.5) * PIXEL_NM
    np.testing.assert_allclose((y, x), middle)
    fits = min(px / (COARSE / 2 * PIXEL_NM) for px in tab.comparison.camera.pane_px())
    assert viewer.scene.camera.zoom == pytest.approx(fits / MARGIN, rel=0.02)
    assert extent >= COARSE / 2 * PIXEL_NM


def test_slices_are_counted_as_the_slider_counts_them(viewer: Any) -> None:
    add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    for step in range(DEPTH):
        viewer.dims.set_current_step(0, step)
        assert layers.slider_step(viewer, viewer.dims.point[0]) == step


def test_sr_stays_until_it_is_asked_to_go_and_the_message_says_that_files_stay(
    tab: Any, viewer: Any, qtbot: Any, tmp_path: Any
) -> None:
    lr, sr = add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    sr.metadata = {
        layers.KEY: {"role": "SR", "added_by_dock": True, "path": str(tmp_path / "gone.zarr")}
    }
    compare(tab, qtbot)
    tab.remove_button.click()
    assert list(viewer.layers) == [lr, sr]
    assert "files stay" in tab.message.text() and "close it too" in tab.message.text()
    tab.message.linkActivated.emit("close-sr")
    assert list(viewer.layers) == [lr]
    assert "1 layer removed; files stay." in tab.message.text()


def listed(layer: Any) -> bool:
    """Whether napari's list shows a layer."""
    views = [v for v in QApplication.allWidgets() if isinstance(v, QListView) and v.model()]
    return any(
        view.model().index(row, 0).data(Qt.ItemDataRole.UserRole) is layer
        and not view.isRowHidden(row)
        for view in views
        for row in range(view.model().rowCount())
    )


def test_lines_and_outlines_do_not_fill_naparis_list(
    make_napari_viewer: Callable[..., Any], open_inspect: Callable[[Any], Any], qtbot: Any
) -> None:
    viewer = make_napari_viewer()
    add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    tab = open_inspect(viewer).pages["Compare"]
    compare(tab, qtbot)
    tab.profile.set_line((55.0, -15.0), (55.0, 135.0))
    # moved up and down
    for mode in ("curtain", "side by side"):
        tab.modes.buttons[mode].click()
    drawn = [layer for layer in viewer.layers if layer.ndim == 2]
    assert len(drawn) == len(tab.comparison.panes)
    assert not any(map(listed, drawn))
    assert all(listed(layer) for layer in viewer.layers if layer.ndim == 3)
    tab.restore_button.click()
    assert all(map(listed, viewer.layers))


def test_panes_come_in_one_order_whichever_is_made_first(tab: Any, viewer: Any, qtbot: Any) -> None:
    add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    tab.difference.subject_box.setCurrentText("none")
    compare(tab, qtbot)
    seat = tab.comparison.seats["SR"]
    for name in ("evidence", "difference"):
        tab.comparison.add(name, Computed(seat, name, (0, 1), "gray"))
    assert list(tab.comparison.panes) == ["LR", "SR", "difference", "evidence"]
    shown = [layer for layer in reversed(viewer.layers) if layer.visible]
    assert shown == list(tab.comparison.panes.values())


def test_two_results_of_different_models_stand_side_by_side(
    tab: Any, viewer: Any, qtbot: Any, tmp_path: Any
) -> None:
    _, first = add_stacks(viewer, images(), (STEP_NM, PIXEL_NM, PIXEL_NM))
    second = viewer.add_image(
        first.data, name="again", scale=first.scale, translate=first.translate, units=first.units
    )
    for layer, model, sharpness in ((first, "powder-x4", 1.0), (second, "sem-x4", 0.5)):
        layer.metadata = {
            layers.KEY: {
                "role": "SR",
                "model": model,
                "model_hash": model,
                "sharpness": sharpness,
                "path": str(tmp_path / f"{model}.zarr"),
            }
        }
    tab.role_form.guess()
    assert tab.role_form.roles["SR"] == second and tab.role_form.roles["SR 2"] == first
    compare(tab, qtbot)
    assert list(tab.comparison.panes)[:3] == ["LR", "SR", "SR 2"]
    assert tab.comparison.panes["SR"].name.startswith("SR sem-x4 0.50")
    assert tab.comparison.panes["SR 2"].name.startswith("SR 2 powder-x4 1.00")
