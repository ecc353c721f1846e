"""The dock Upscale says what noise and blur a stack has, and takes what a person types instead."""

import pytest

from napari_sem_sr.samples import tin_pair
from napari_sem_sr.widgets.upscale.dock import UpscaleDock
from napari_sem_sr.widgets.viewer import layers

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(viewer, qtbot) -> UpscaleDock:
    dock = viewer.window.add_plugin_dock_widget("napari-sem-sr", "Upscale")[1]
    lr, _ = tin_pair()
    dock.chooser.choose(layers.add(viewer, layers.image_data(lr, "tin", "LR")))
    dock.choose_model("sem-x4")
    qtbot.waitUntil(lambda: dock.outlook.outlook is not None, timeout=120_000)
    return dock


def test_what_was_measured_is_shown_and_sets_the_default_sharpness(dock: UpscaleDock) -> None:
    assert "noise" in dock.conditions.line.text()
    found = dock.outlook.outlook
    assert found is not None and found.conditions is not None
    assert dock.entry is not None
    default = dock.entry.card.sharpness_under(found.conditions.conditions)
    assert dock.sharpness.value() == round(100 * default)
    assert (dock.settings().noise, dock.settings().blur) == ("auto", "auto")
    assert dock.chosen_sharpness is None


def test_typed_noise_and_blur_go_into_the_run_and_leave_with_the_stack(
    dock: UpscaleDock, viewer
) -> None:
    dock.conditions.noise_box.setValue(5.0)
    dock.conditions.blur_box.setValue(0.4)
    assert (dock.settings().noise, dock.settings().blur) == (5.0, 0.4)
    dock.conditions.noise_box.setValue(0.0)
    assert dock.settings().noise == 0.0
    _, hr = tin_pair()
    dock.chooser.choose(layers.add(viewer, layers.image_data(hr, "another", "LR")))
    assert (dock.settings().noise, dock.settings().blur) == ("auto", "auto")


def test_a_model_that_knows_no_conditions_does_not_ask_for_them(dock: UpscaleDock) -> None:
    assert not dock.conditions.isHidden()
    dock.choose_model("medulla-x4")
    assert dock.conditions.isHidden()
    assert dock.settings().noise == "auto"


def test_the_gain_to_be_expected_is_said_before_anything_is_computed_in_full(
    dock: UpscaleDock, qtbot
) -> None:
    """From samples in the background: begun when nobody asked for it, left when something else runs."""
    view = dock.outlook
    view.pause()
    assert "Measuring on samples" in view.line.text()
    view.resume()
    qtbot.waitUntil(lambda: view.foreseen is not None, timeout=240_000)
    assert "dB (90 % between" in view.line.text()
    assert not dock._work.running and view.line.isVisible()
    assert view.why.isHidden()
    # 0 is the twin, which is asked for with a link where more is too sharp
    view.twin_wanted.emit()
    assert dock.sharpness.value() == 0
    qtbot.waitUntil(lambda: view.foreseen.sharpness == 0, timeout=240_000)
    assert view.foreseen.gain.value > 0
