"""Row, curtain, blink and blend over three small layers, in a viewer without a window."""

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sem_sr.errors import OutputError
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.framing import grid_shape
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.viewer import layers
from tests.gui.conftest import add_stacks

FINE = 128
COARSE = FINE // 4


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def users(viewer: Any) -> list[Any]:
    """LR of 32 × 32 and SR and HR of 128 × 128 pixels that cover the same field."""
    rng = np.random.default_rng(0)
    sides = {"LR": COARSE, "SR": FINE, "HR": FINE}
    images = {r: rng.integers(0, 255, (3, n, n), np.uint8) for r, n in sides.items()}
    return add_stacks(viewer, images, (10, 40, 40))


@pytest.fixture
def tab(
    users: list[Any], viewer: ViewerModel, open_inspect: Callable[[Any], Any], qtbot: Any
) -> Any:
    tab = open_inspect(viewer).pages["Compare"]
    tab.compare()
    qtbot.waitUntil(lambda: not tab.difference.work.running, timeout=30_000)
    return tab


def pick(tab: Any, mode: str) -> Comparison:
    tab.modes.buttons[mode].click()
    comparison: Comparison = tab.comparison
    return comparison


def visible(viewer: Any) -> list[str]:
    return [
        layers.mark_of(layer).get("role", "line")
        for layer in reversed(viewer.layers)
        if layer.visible
    ]


def test_curtain_shows_the_first_pane_left_of_the_line_and_the_second_right_of_it(
    tab: Any, viewer: Any
) -> None:
    comparison = pick(tab, "curtain")
    sr = comparison.panes["SR"]
    assert visible(viewer) == ["line", "SR", "LR"]
    assert not viewer.canvas.grid.enabled
    assert sr.data.shape == (3, FINE, FINE // 2)
    # the first pixel right of the line, in the middle of the field
    assert sr.translate[-1] == -15 + FINE // 2 * 10
    assert comparison.curtain is not None
    assert comparison.curtain.x == -20 + FINE // 2 * 10


def test_the_slider_moves_the_line_to_both_ends(tab: Any) -> None:
    comparison = pick(tab, "curtain")
    sr = comparison.panes["SR"]
    tab.modes.slider.setValue(tab.modes.slider.maximum())
    assert not sr.visible
    tab.modes.slider.setValue(0)
    assert sr.visible and sr.data.shape == (3, FINE, FINE)


def test_dragging_the_line_moves_it_and_the_slider_follows(tab: Any, viewer: Any) -> None:
    curtain = pick(tab, "curtain").curtain
    assert curtain is not None
    event = SimpleNamespace(type="mouse_press", position=(0, 0, curtain.x))
    drag = viewer.mouse_drag_callbacks[-1](viewer, event)
    next(drag)
    assert not viewer.scene.camera.mouse_pan
    event.type, event.position = "mouse_move", (0, 0, -20 + FINE // 4 * 10)
    next(drag)
    assert curtain.x == -20 + FINE // 4 * 10
    assert tab.modes.slider.value() == tab.modes.slider.maximum() // 4
    event.type = "mouse_release"
    with pytest.raises(StopIteration):
        next(drag)
    assert viewer.scene.camera.mouse_pan


def test_a_drag_that_begins_elsewhere_pans_the_image(tab: Any, viewer: Any) -> None:
    curtain = pick(tab, "curtain").curtain
    assert curtain is not None
    far = SimpleNamespace(type="mouse_press", position=(0, 0, curtain.x + 1e6))
    assert not list(viewer.mouse_drag_callbacks[-1](viewer, far))


def test_any_two_panes_can_share_the_curtain_whatever_their_pixel_sizes(tab: Any) -> None:
    comparison = pick(tab, "curtain")
    tab.modes.first_box.setCurrentText("HR")
    tab.modes.second_box.setCurrentText("LR")
    tab.modes.apply()
    assert comparison.panes["LR"].data.shape == (3, COARSE, COARSE // 2)
    assert comparison.panes["LR"].translate[-1] == COARSE // 2 * 40
    assert comparison.panes["HR"].data.shape == (3, FINE, FINE)
    assert comparison.panes["SR"].data.shape == (3, FINE, FINE)


def test_blink_shows_one_of_the_pair_at_a_time_by_key_and_by_timer(
    tab: Any, viewer: Any, qtbot: Any
) -> None:
    tab.modes.run_button.setChecked(False)
    comparison = pick(tab, "blink")
    assert visible(viewer) == ["LR"]
    keys = {str(key): action for key, action in viewer.keymap.items()}
    keys["B"](viewer)
    assert visible(viewer) == ["SR"]
    tab.modes.period.setValue(0.1)
    tab.modes.run_button.setChecked(True)
    qtbot.waitUntil(lambda: visible(viewer) == ["LR"], timeout=5000)
    pick(tab, "side by side")
    assert not tab.modes._timer.isActive()
    assert "B" not in map(str, viewer.keymap)
    assert set(visible(viewer)) == set(comparison.panes)


def test_blend_sets_the_opacity_of_the_upper_pane(tab: Any) -> None:
    comparison = pick(tab, "overlay")
    tab.modes.slider.setValue(tab.modes.slider.maximum() // 4)
    assert comparison.panes["SR"].opacity == pytest.approx(0.25)
    tab.modes.first_box.setCurrentText("HR")
    tab.modes.apply()
    assert comparison.panes["SR"].opacity == pytest.approx(0.25)
    assert comparison.panes["HR"].opacity == 1


def test_a_pane_cannot_be_compared_with_itself(tab: Any) -> None:
    pick(tab, "curtain")
    tab.modes.first_box.setCurrentText("SR")
    tab.modes.apply()
    assert "two different panes" in tab.modes.message.text()


@pytest.mark.parametrize("mode", ["curtain", "blink", "overlay"])
def test_all_panes_come_back_after_any_mode(tab: Any, viewer: Any, mode: str) -> None:
    pick(tab, mode)
    comparison = pick(tab, "side by side")
    assert visible(viewer) == ["LR", "SR", "HR", "difference"]
    assert viewer.canvas.grid.enabled
    sr = comparison.panes["SR"]
    assert sr.data.shape == (3, FINE, FINE) and sr.translate[-1] == -15 and sr.opacity == 1


@pytest.mark.parametrize("mode", ["curtain", "blink", "overlay"])
def test_restore_leaves_only_the_users_layers_after_any_mode(
    tab: Any, viewer: Any, users: list[Any], mode: str
) -> None:
    pick(tab, mode)
    tab.restore_button.click()
    assert list(viewer.layers) == users
    assert all(layer.visible and layer.opacity == 1 for layer in users)
    assert viewer.mouse_drag_callbacks == ViewerModel().mouse_drag_callbacks


def test_one_pixel_lies_at_the_same_screen_position_in_all_panes(tab: Any, viewer: Any) -> None:
    panes = tab.comparison.panes
    fine = np.array([1, 7, 5])
    # the LR pixel that covers SR pixel (7, 5) is (1, 1): its first corner is SR's corner (4, 4)
    sr_corner = np.asarray(panes["SR"].data_to_world(np.array([1, 4, 4]) - [0, 0.5, 0.5]))
    lr_corner = np.asarray(panes["LR"].data_to_world(np.array([1, 1, 1]) - [0, 0.5, 0.5]))
    np.testing.assert_allclose(sr_corner, lr_corner)
    for name in ("HR", "difference"):
        np.testing.assert_allclose(panes[name].data_to_world(fine), panes["SR"].data_to_world(fine))


def test_the_readout_shows_every_pane_under_the_cursor(tab: Any, users: list[Any]) -> None:
    lr, sr, hr = (np.asarray(layer.data) for layer in users)
    tab.viewer.dims.set_current_step(0, 1)
    tab.readout.show_at((10.0, 7 * 10 - 15.0, 5 * 10 - 15.0))
    difference = int(sr[1, 7, 5]) - int(hr[1, 7, 5])
    assert tab.readout.text() == (
        f"y 55, x 35 nm · LR {lr[1, 1, 1]} · SR {sr[1, 7, 5]} · HR {hr[1, 7, 5]} · diff. {difference}"
    )


def drag(viewer: Any, *points: tuple[float, float]) -> None:
    event = SimpleNamespace(type="mouse_press", position=(0, *points[0]))
    move = viewer.mouse_drag_callbacks[0](viewer, event)
    next(move)
    event.type = "mouse_move"
    for point in points[1:]:
        event.position = (0, *point)
        next(move)
    event.type = "mouse_release"
    list(move)


def test_a_line_drawn_once_is_measured_in_every_role_and_shown_in_every_pane(
    tab: Any, viewer: Any, users: list[Any]
) -> None:
    tab.profile.draw_button.click()
    drag(viewer, (55.0, -15.0), (55.0, 50.0), (55.0, 135.0))
    assert list(tab.profile.profiles) == ["LR", "SR", "HR"]
    sr = tab.profile.profiles["SR"]
    assert sr.distance[-1] == 150
    np.testing.assert_allclose(sr.grey[::2], np.asarray(users[1].data)[1][7][:16])
    grid = viewer.canvas.grid
    assert grid.actual_shape(viewer.layers) == (2, 2)
    for cell, pane in enumerate(tab.comparison.panes.values()):
        index = viewer.layers.index(pane)
        assert grid.position(index, viewer.layers) == divmod(cell, 2)
        assert grid.position(index + 1, viewer.layers) == divmod(cell, 2)
        assert viewer.layers[index + 1].name.startswith("line")
    assert not tab.profile.draw_button.isChecked()
    assert viewer.scene.camera.mouse_pan


def test_the_profile_follows_the_slice_and_ends_with_the_comparison(
    tab: Any, viewer: Any, users: list[Any]
) -> None:
    tab.profile.set_line((55.0, -15.0), (55.0, 135.0))
    viewer.dims.set_current_step(0, 2)
    np.testing.assert_allclose(
        tab.profile.profiles["HR"].grey[::2], np.asarray(users[2].data)[2][7][:16]
    )
    tab.restore()
    assert tab.profile.profiles == {}
    assert list(viewer.layers) == users


@pytest.mark.parametrize("mode", ["curtain", "blink", "overlay"])
def test_the_line_stays_in_every_mode(tab: Any, viewer: Any, mode: str) -> None:
    tab.profile.set_line((55.0, -15.0), (55.0, 135.0))
    pick(tab, mode)
    assert [layer.name for layer in viewer.layers if layer.name.startswith("line")]
    pick(tab, "side by side")
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (2, 2)


def test_the_exported_profile_says_what_is_synthetic(tab: Any, tmp_path: Path) -> None:
    tab.profile.set_line((55.0, -15.0), (55.0, 135.0))
    tab.profile.export(tmp_path / "profile.csv")
    with (tmp_path / "profile.csv").open() as stream:
        header, *rows = csv.reader(stream)
    assert header[2:4] == ["SR (synthetic) distance nm", "SR (synthetic) grey level"]
    assert [float(r[3]) for r in rows if r[3]] == pytest.approx(tab.profile.profiles["SR"].grey)


def test_the_profile_is_exported_as_a_picture_that_names_what_is_synthetic(
    tab: Any, tmp_path: Path
) -> None:
    tab.profile.set_line((55.0, -15.0), (55.0, 135.0))
    tab.profile.export(tmp_path / "profile.png")
    assert (tmp_path / "profile.png").read_bytes().startswith(b"\x89PNG")
    names = [item[1].text for item in tab.profile._plot.getPlotItem().legend.items]
    assert names == ["LR", "SR (synthetic)", "HR"]
    with pytest.raises(OutputError):
        tab.profile.export(tmp_path / "missing" / "profile.png")


def test_the_spectrum_shows_all_roles_up_to_their_own_nyquist_frequency(
    tab: Any, qtbot: Any
) -> None:
    for pane in tab.comparison.panes.values():
        pane.corner_pixels = np.array([[0, 0, 0], np.array(pane.data.shape) - 1])
    tab.spectrum.button.click()
    qtbot.waitUntil(lambda: bool(tab.spectrum.spectra), timeout=10_000)
    spectra = tab.spectrum.spectra
    assert {role: s.nyquist for role, s in spectra.items()} == {
        "LR": 1 / 80,
        "SR": 1 / 20,
        "HR": 1 / 20,
    }
    # white noise of 8 bits
    assert spectra["HR"].power.mean() == pytest.approx(254**2 / 12 * 100, rel=0.1)
    tab.restore()
    assert not tab.spectrum.spectra


@pytest.mark.parametrize(
    ("count", "canvas", "field", "shape"),
    [
        (2, (700, 700), (1, 1), (1, 2)),
        (3, (700, 700), (1, 1), (1, 3)),
        (4, (700, 700), (1, 1), (2, 2)),
        (4, (300, 1600), (1, 1), (1, 4)),
        (4, (700, 700), (1, 10), (4, 1)),
        (4, (700, 700), (10, 1), (1, 4)),
        (5, (700, 900), (1, 1), (2, 3)),
        (6, (700, 900), (1, 1), (2, 3)),
    ],
)
def test_panes_are_laid_out_as_large_as_the_canvas_lets_them(
    count: int, canvas: tuple[int, int], field: tuple[int, int], shape: tuple[int, int]
) -> None:
    assert grid_shape(count, canvas, field) == shape


def test_a_further_pane_leaves_the_whole_field_in_sight(tab: Any, viewer: Any) -> None:
    def seen() -> float:
        """Share of the field that one pane holds along its shorter side."""
        return min(tab.comparison.camera.pane_px()) / viewer.scene.camera.zoom / (FINE * 10)

    tab.difference.subject_box.setCurrentText("none")
    tab.difference.show_difference()
    viewer.reset_view()
    before = seen()
    assert before >= 1
    tab.comparison.add("difference", Computed(tab.comparison.seats["SR"], "more", (0, 1), "gray"))
    assert len(tab.comparison.panes) == 4
    assert seen() == pytest.approx(before, rel=0.05)


def test_going_to_a_place_as_large_as_the_field_shows_the_field(tab: Any, viewer: Any) -> None:
    whole = FINE * 10
    for extent, seen in ((whole / 4, whole / 4), (10 * whole, whole)):
        tab.comparison.camera.look_at(0.0, (whole / 2, whole / 2), extent)
        height, width = tab.comparison.camera.pane_px()
        assert min(height, width) / viewer.scene.camera.zoom == pytest.approx(seen, rel=0.06)
