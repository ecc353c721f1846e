"""What is on screen is SR, wherever one goes, with the pixels of the full run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.widgets.viewer import layer_stack, layers

LONG_MS = 60_000
SHAPE = (6, 200, 240)


@pytest.fixture
def lr() -> Image:
    """Noise on a ramp, as an array layer of someone's own."""
    rng = np.random.default_rng(0)
    pixels = 60 + np.indices(SHAPE)[1] // 2 + rng.integers(0, 40, SHAPE)
    return Image(pixels.astype(np.uint8), name="mine", scale=(20, 5, 5), units=("nm",) * 3)


@pytest.fixture
def dock(models: Path, viewer: Any, lr: Image, open_dock: Callable[[str], Any]) -> Any:
    """The dock with the live preview on."""
    viewer.add_layer(lr)
    _, dock = open_dock("Upscale")
    viewer.dims.set_current_step(0, 2)
    dock.live_button.click()
    return dock


def settle(qtbot: Any, dock: Any) -> None:
    qtbot.wait(150)
    qtbot.waitUntil(lambda: dock.live.is_settled, timeout=LONG_MS)
    qtbot.wait(150)
    qtbot.waitUntil(lambda: dock.live.is_settled, timeout=LONG_MS)


def expected(models: Path, lr: Image, z: int, sharpness: float) -> np.ndarray:
    """The slice as the full run makes it."""
    from napari_sem_sr.inference.engine.engine import Engine
    from napari_sem_sr.inference.plan import choose_here
    from napari_sem_sr.intensity import stack_range

    model, stack = load_model(models), layer_stack.stack_of(lr)
    choice = choose_here(model, UpscaleSettings(), 0)
    engine = Engine(model.blended(sharpness), precision=choice.precision)
    return engine.upscale_slice(stack.slice(z), stack_range(stack), stack.dtype).image


def check_pixels(dock: Any, models: Path, lr: Image, z: int, sharpness: float = 0.5) -> None:
    """All that the layer shows is what the full run has at that place."""
    shown = dock.live.layer
    whole = expected(models, lr, z, sharpness)
    assert shown.translate[0] == 20 * z
    top, left = (
        round((t + 5 / 2 - 5 / 8) / 1.25) for t in shown.translate[1:]
    )  # SR pixels from the first
    height, width = shown.data.shape[1:]
    part = whole[top : top + height, left : left + width].astype(float)
    assert np.isfinite(shown.data).all()
    assert np.abs(shown.data[0] - part).max() <= 1
    np.testing.assert_allclose(shown.scale, (20, 1.25, 1.25))


def test_what_is_visible_becomes_sr_as_one_scrubs_and_zooms(
    dock: Any, viewer: Any, qtbot: Any, models: Path, lr: Image
) -> None:
    settle(qtbot, dock)
    check_pixels(dock, models, lr, 2)
    before = dock.live.layer.data.shape
    viewer.dims.set_current_step(0, 4)
    settle(qtbot, dock)
    check_pixels(dock, models, lr, 4)
    viewer.scene.camera.zoom *= 4
    settle(qtbot, dock)
    check_pixels(dock, models, lr, 4)
    assert dock.live.layer.data.shape < before
    first = tuple(dock.live.layer.translate)
    centre = viewer.scene.camera.center
    viewer.scene.camera.center = (centre[0], centre[1] + 200, centre[2] + 200)
    settle(qtbot, dock)
    check_pixels(dock, models, lr, 4)
    assert tuple(dock.live.layer.translate) != first
    assert "slice 4" in dock.live_line.text()
    # one layer, however often one looks
    assert [layers.is_live(layer) for layer in viewer.layers] == [False, True]


def test_the_sharpness_slider_changes_it_live(
    dock: Any, qtbot: Any, models: Path, lr: Image
) -> None:
    settle(qtbot, dock)
    for value in (0, 100):
        dock.sharpness.setValue(value)
        settle(qtbot, dock)
        check_pixels(dock, models, lr, 2, value / 100)


def test_it_is_no_input_and_no_candidate_for_comparison(
    dock: Any, qtbot: Any, lr: Image, open_dock: Callable[[str], Any]
) -> None:
    settle(qtbot, dock)
    assert [dock.chooser.itemData(i) for i in range(dock.chooser.count())] == [lr]
    inspect = open_dock("Inspect")[1]
    assert "SR" not in inspect.roles.roles


def test_removing_the_layer_or_the_button_ends_it(
    dock: Any, viewer: Any, qtbot: Any, lr: Image
) -> None:
    settle(qtbot, dock)
    viewer.layers.remove(dock.live.layer)
    qtbot.waitUntil(lambda: not dock.live_button.isChecked(), timeout=LONG_MS)
    assert not dock.live.is_on
    dock.live_button.click()
    settle(qtbot, dock)
    dock.live_button.click()
    assert list(viewer.layers) == [lr]
    assert dock.live_line.text() == ""


def test_hidden_it_computes_nothing_and_shown_again_it_catches_up(
    dock: Any, viewer: Any, qtbot: Any, models: Path, lr: Image
) -> None:
    settle(qtbot, dock)
    dock.live.layer.visible = False
    viewer.dims.set_current_step(0, 5)
    qtbot.wait(300)
    assert not dock.live._work.running
    dock.live.layer.visible = True
    settle(qtbot, dock)
    check_pixels(dock, models, lr, 5)


def test_a_run_pauses_it(dock: Any, qtbot: Any, tmp_path: Path) -> None:
    settle(qtbot, dock)
    dock.set_output(tmp_path / "sr.zarr")
    dock.upscale()
    assert "pauses" in dock.live_line.text()
    qtbot.waitUntil(lambda: not dock._work.running, timeout=LONG_MS)
    settle(qtbot, dock)
    assert dock.live.is_on


def test_a_model_that_fails_is_one_sentence_and_switches_it_off(
    models: Path, viewer: Any, lr: Image, open_dock: Callable[[str], Any], qtbot: Any
) -> None:
    viewer.add_layer(lr)
    _, dock = open_dock("Upscale")
    (models / "generator.safetensors").write_bytes(b"nonsense")
    dock.live_button.click()
    qtbot.waitUntil(lambda: not dock.live_button.isChecked(), timeout=LONG_MS)
    assert "damaged" in dock.message.text()
    assert list(viewer.layers) == [lr]


def test_closing_the_dock_ends_it(dock: Any, viewer: Any, qtbot: Any, lr: Image) -> None:
    settle(qtbot, dock)
    viewer.window.remove_dock_widget(dock)
    assert list(viewer.layers) == [lr]
