"""What a newcomer does: sample, preview, run, stop, go on, compare."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sem_sr import samples
from napari_sem_sr.errors import InputError
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.io import read_stack
from napari_sem_sr.widgets.upscale import dock as upscale
from napari_sem_sr.widgets.upscale import form as upscale_form
from napari_sem_sr.widgets.upscale.results import UpscaleRequest
from napari_sem_sr.widgets.viewer import layer_stack, layers
from napari_sem_sr.widgets.viewer.layers import belongs_to_comparison

LONG_MS = 60_000
DEPTH = 12


@pytest.fixture
def dock(
    models: Path, open_dock: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The Upscale dock with the sample chosen and a place for the result."""
    whole = samples.medulla_hr()
    # a part of the sample, for the sake of time
    part = whole.cropped((0, DEPTH), ((0, 160), (0, 160)))
    monkeypatch.setattr(samples, "medulla_hr", lambda: part)
    _, dock = open_dock("Upscale")
    dock.open_sample()
    dock.set_output(tmp_path / "out_sr.zarr")
    return dock


def by_role(viewer: Any, role: str) -> Any:
    return next(layer for layer in reversed(viewer.layers) if layers.role_of(layer) == role)


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock._work.running, timeout=LONG_MS)


def edges(layer: Any) -> Any:
    """First and last edge of the layer in y and x, in the world; napari's extent is that of pixel centres."""
    return layer.extent.world[:, -2:] + np.outer([-0.5, 0.5], layer.scale[-2:])


def test_sample_brings_lr_over_hr_in_nm_with_limits_of_the_whole_stack(
    dock: Any, viewer: Any
) -> None:
    lr, hr = by_role(viewer, "LR"), by_role(viewer, "HR")
    assert list(viewer.layers) == [hr, lr]
    np.testing.assert_allclose(lr.scale, (10, 40, 40))
    np.testing.assert_allclose(hr.scale, (10, 10, 10))
    assert str(lr.units[-1]) == "nanometer"
    np.testing.assert_allclose(edges(lr), edges(hr))
    assert lr.contrast_limits == hr.contrast_limits
    assert dock.chooser.layer == lr
    assert "12 slices of 40 × 40 px · uint8" in dock.shape_line.text()
    assert "10 × 40 × 40 nm" in dock.voxel_line.text()


def test_preview_lies_over_lr_on_the_slice_on_screen_and_writes_nothing(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    viewer.dims.set_current_step(0, 7)
    dock.preview_button.click()
    finish(qtbot, dock)
    preview, lr = by_role(viewer, "SR"), by_role(viewer, "LR")
    assert preview.data.shape == (1, 160, 160)
    assert preview.translate[0] == 70
    np.testing.assert_allclose(edges(preview), edges(lr))
    assert not list(tmp_path.glob("*.zarr"))


def test_a_second_preview_takes_the_place_of_the_first(dock: Any, viewer: Any, qtbot: Any) -> None:
    for z in (3, 4):
        viewer.dims.set_current_step(0, z)
        dock.preview()
        finish(qtbot, dock)
    assert [layer.translate[0] for layer in viewer.layers if layers.is_ours(layer)] == [40]


def test_result_arrives_as_a_layer_of_the_same_extent_and_holds_what_the_file_holds(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock.start_button.click()
    qtbot.waitUntil(lambda: dock.results.result is not None, timeout=LONG_MS)
    finish(qtbot, dock)
    result, lr = by_role(viewer, "SR"), by_role(viewer, "LR")
    written = read_stack(tmp_path / "out_sr.zarr")
    assert result.data.shape == written.shape == (12, 160, 160)
    np.testing.assert_allclose(edges(result), edges(lr))
    np.testing.assert_allclose(result.extent.world[:, 0], lr.extent.world[:, 0])
    np.testing.assert_allclose(result.scale, written.voxel_nm)
    np.testing.assert_allclose(result.translate, written.origin_nm)
    viewer.dims.set_current_step(0, 5)
    np.testing.assert_array_equal(np.asarray(result.data[5]), written.slice(5))
    assert written.slice(5).std() > 0
    assert layers.mark_of(result)["synthetic"]
    assert dock.start_button.text() == "Open result"


def test_preview_shows_the_same_pixels_as_the_full_run(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    viewer.dims.set_current_step(0, 2)
    dock.preview()
    finish(qtbot, dock)
    previewed = np.asarray(by_role(viewer, "SR").data[0])
    dock.upscale()
    finish(qtbot, dock)
    np.testing.assert_array_equal(previewed, read_stack(tmp_path / "out_sr.zarr").slice(2))


def test_cancelled_run_keeps_its_slices_and_resume_finishes_it(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, gate: threading.Event
) -> None:
    dock.start_button.click()
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    dock.cancel_button.click()
    gate.set()
    finish(qtbot, dock)
    dock._look_at_output()
    kept = dock._existing
    assert not kept.complete
    assert 1 <= kept.done < DEPTH
    assert dock.start_button.text() == f"Resume ({kept.done} of {DEPTH})"
    assert "kept" in dock.message.text()
    dock.start_button.click()
    finish(qtbot, dock)
    assert dock._existing.complete
    # one result layer, not one for each run
    assert [layer.name for layer in viewer.layers if layers.is_ours(layer)] == [
        "medulla LR (40 nm) · SR"
    ]
    assert read_stack(tmp_path / "out_sr.zarr").notices == ()


def test_closing_the_dock_stops_the_work_and_leaves_a_resumable_output(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path, gate: threading.Event
) -> None:
    dock.start_button.click()
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    job = dock._work._job
    viewer.window.remove_dock_widget(dock)
    gate.set()
    qtbot.waitUntil(
        lambda: bool(job.mailbox) and hasattr(job.mailbox[-1], "cancelled"), timeout=LONG_MS
    )
    assert job.mailbox[-1].cancelled
    found = upscale.tasks.look_at(
        tmp_path / "out_sr.zarr", layer_stack.stack_of(by_role(viewer, "LR"))
    )
    assert found.ours and not found.complete


def test_region_and_slices_are_upscaled_where_they_lie(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    lr = by_role(viewer, "LR")
    viewer.dims.set_current_step(0, 6)
    dock.slices_box.setCurrentText(upscale_form.THIS)
    dock.region_box.setCurrentText(upscale_form.VISIBLE)
    viewer.scene.camera.zoom *= 4
    qtbot.wait(200)
    (y0, y1), (x0, x1) = layers.visible_region(lr)
    assert 0 < y0 < y1 < 40
    dock.upscale()
    finish(qtbot, dock)
    result = by_role(viewer, "SR")
    assert result.data.shape == (1, 4 * (y1 - y0), 4 * (x1 - x0))
    # the sample's LR begins 15 nm in, as its first pixel covers four of HR
    np.testing.assert_allclose(lr.translate, (0, 15, 15))
    np.testing.assert_allclose(result.translate, (60, 40 * y0, 40 * x0))


def test_a_tiff_result_is_shown_from_the_tiff(
    dock: Any, viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    dock.slices_box.setCurrentText(upscale_form.SOME)
    dock.first_slice.setValue(1)
    dock.last_slice.setValue(2)
    dock.set_output(tmp_path / "out.tif")
    dock.upscale()
    finish(qtbot, dock)
    result = by_role(viewer, "SR")
    assert layers.path_of(result) == tmp_path / "out.tif"
    assert result.data.shape == (2, 160, 160)
    assert result.translate[0] == 10


def test_an_output_that_is_gone_before_the_viewer_comes_to_it_is_no_error(
    dock: Any, viewer: Any, tmp_path: Path
) -> None:
    # as the folder beside a TIFF is once a short run has made the TIFF
    lr = by_role(viewer, "LR")
    order = UpscaleRequest(lr, layer_stack.stack_of(lr), UpscaleSettings())
    dock.results.follow(order, tmp_path / "out.tif.partial.zarr", 2)
    assert not any(layers.role_of(layer) == "SR" for layer in viewer.layers)
    (tmp_path / "damaged.zarr").mkdir()
    with pytest.raises(InputError):
        dock.results.follow(order, tmp_path / "damaged.zarr", 2)


@pytest.fixture
def upscaled(dock: Any, qtbot: Any) -> Any:
    """The dock after slices 8 to 10 have been upscaled."""
    dock.slices_box.setCurrentText(upscale_form.SOME)
    dock.first_slice.setValue(8)
    dock.last_slice.setValue(10)
    dock.upscale()
    finish(qtbot, dock)
    return dock


def test_comparison_is_in_order_with_the_right_difference_and_can_be_undone(
    upscaled: Any, viewer: Any, qtbot: Any, open_dock: Callable[[str], Any]
) -> None:
    lr, sr, hr = (by_role(viewer, role) for role in ("LR", "SR", "HR"))
    hr.visible = False
    before = [(layer.name, layer.visible, tuple(layer.contrast_limits)) for layer in viewer.layers]
    camera = (viewer.scene.camera.center, viewer.scene.camera.zoom)
    _, inspect = open_dock("Inspect")
    tab = inspect.pages["Compare"]
    assert inspect.roles.roles == {"LR": lr, "SR": sr, "HR": hr}
    tab.start_button.click()
    qtbot.waitUntil(lambda: "difference" in tab.comparison.panes, timeout=LONG_MS)
    # the list reads from its top as the panes do
    shown = [layer for layer in reversed(viewer.layers) if layer.visible]
    assert [layers.mark_of(layer)["role"] for layer in shown] == ["LR", "SR", "HR", "difference"]
    grid = viewer.canvas.grid
    assert grid.enabled
    rows, columns = grid.actual_shape(viewer.layers)
    assert rows * columns == len(shown)
    assert [grid.position(viewer.layers.index(layer), viewer.layers) for layer in shown] == [
        divmod(cell, columns) for cell in range(len(shown))
    ]
    difference = shown[3]
    expected = np.asarray(sr.data[1]).astype(float) - np.asarray(hr.data[9])
    np.testing.assert_allclose(np.asarray(difference.data[1]), expected)
    assert difference.translate[0] == 90 - 10
    low, high = difference.contrast_limits
    assert low == -high
    assert difference.colorbar.visible and all(layer.name_overlay.visible for layer in shown)
    for layer in shown[1:]:
        np.testing.assert_allclose(edges(layer), edges(shown[0]))
    shown[0].contrast_limits = (50, 60)
    assert tuple(shown[2].contrast_limits) == (50, 60)
    assert tuple(difference.contrast_limits) == (low, high)
    np.testing.assert_allclose(shown[2].scale, (10, 10, 10))
    tab.restore_button.click()
    assert [
        (layer.name, layer.visible, tuple(layer.contrast_limits)) for layer in viewer.layers
    ] == before
    # the scale bar was on before, as the sample knows its size
    assert not grid.enabled and viewer.canvas.overlays.scale_bar.visible
    np.testing.assert_allclose(viewer.scene.camera.zoom, camera[1])
    np.testing.assert_allclose(viewer.scene.camera.center, camera[0])


def test_without_hr_there_is_no_hole_and_the_difference_is_to_bicubic(
    upscaled: Any, viewer: Any, qtbot: Any, open_dock: Callable[[str], Any]
) -> None:
    viewer.layers.remove(by_role(viewer, "HR"))
    tab = open_dock("Inspect")[1].pages["Compare"]
    tab.compare()
    qtbot.waitUntil(lambda: "difference" in tab.comparison.panes, timeout=LONG_MS)
    # the list reads from its top as the panes do
    shown = [layer for layer in reversed(viewer.layers) if layer.visible]
    assert [layers.mark_of(layer)["role"] for layer in shown] == ["LR", "SR", "difference"]
    assert shown[2].name.startswith("SR−bicubic")
    assert np.prod(viewer.canvas.grid.actual_shape(viewer.layers)) == 3


def test_one_button_removes_everything_the_docks_added(
    upscaled: Any, viewer: Any, qtbot: Any, open_dock: Callable[[str], Any], tmp_path: Path
) -> None:
    users = [layer for layer in viewer.layers if not layers.is_ours(layer)]
    upscaled.preview()
    finish(qtbot, upscaled)
    tab = open_dock("Inspect")[1].pages["Compare"]
    tab.compare()
    qtbot.waitUntil(lambda: "difference" in tab.comparison.panes, timeout=LONG_MS)
    result = upscaled.results.result
    tab.remove_button.click()
    assert list(viewer.layers) == [*users, result]
    tab.message.linkActivated.emit("close-sr")
    assert list(viewer.layers) == users
    assert (tmp_path / "out_sr.zarr").exists()


def test_closing_inspect_restores_the_viewer(
    dock: Any, viewer: Any, qtbot: Any, open_dock: Callable[[str], Any]
) -> None:
    dock.preview()
    finish(qtbot, dock)
    _, inspect = open_dock("Inspect")
    inspect.pages["Compare"].compare()
    viewer.window.remove_dock_widget(inspect)
    assert not viewer.canvas.grid.enabled
    assert not [layer for layer in viewer.layers if belongs_to_comparison(layer)]
    assert all(layer.visible for layer in viewer.layers)


def test_an_error_is_one_sentence_in_the_dock(dock: Any, qtbot: Any, models: Path) -> None:
    (models / "generator.safetensors").write_bytes(b"nonsense")
    dock.preview()
    finish(qtbot, dock)
    assert "damaged" in dock.message.text()
    assert dock.preview_button.isEnabled()


def test_disabled_buttons_say_why(models: Path, open_dock: Callable[[str], Any]) -> None:
    _, empty = open_dock("Upscale")
    assert not empty.start_button.isEnabled()
    assert "Choose a stack" in empty.start_button.toolTip()
    tab = open_dock("Inspect")[1].pages["Compare"]
    assert not tab.start_button.isEnabled()
    assert "at least two" in tab.start_button.toolTip()


def test_a_foreign_file_at_the_output_is_not_offered_for_replacing(
    dock: Any, tmp_path: Path
) -> None:
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "notes.txt").write_text("mine")
    dock.set_output(tmp_path / "mine.zarr")
    assert not dock.start_button.isEnabled()
    assert not dock.again_button.isVisibleTo(dock)
    assert dock.preview_button.isEnabled()


def test_slices_that_are_still_to_come_let_lr_be_seen(
    dock: Any, viewer: Any, qtbot: Any, gate: threading.Event
) -> None:
    viewer.dims.set_current_step(0, DEPTH - 1)
    dock.upscale()
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    dock.cancel()
    gate.set()
    finish(qtbot, dock)
    result = by_role(viewer, "SR")
    assert not result.visible
    viewer.dims.set_current_step(0, 0)
    assert result.visible
    viewer.dims.set_current_step(0, DEPTH - 1)
    dock.upscale(resume=True)
    finish(qtbot, dock)
    assert result.visible
