"""The tab Measure: tick, measure, read, look; in a viewer without a window."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sem_sr.measure.measurement import Measurement
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.widgets.inspect.measure.preview import NAME
from napari_sem_sr.widgets.inspect.measure.table import cell
from tests.gui.conftest import add_stacks

LONG_MS = 120_000


@pytest.fixture
def viewer() -> ViewerModel:
    """LR and SR of dark discs in five slices."""
    y, x = np.mgrid[:48, :48]
    discs = np.hypot(y % 24 - 12, x % 24 - 12) < 7
    sr = np.where(discs, 60, 180).astype(np.uint8)[None].repeat(5, axis=0)
    sr[0] = sr[4] = 180
    lr = np.stack([area_average(plane, 4) for plane in sr]).round().astype(np.uint8)
    viewer = ViewerModel()
    add_stacks(viewer, {"LR": lr, "SR": sr})
    return viewer


@pytest.fixture
def tab(viewer: ViewerModel, open_inspect: Callable[[Any], Any], tmp_path: Path) -> Any:
    tab = open_inspect(viewer).pages["Measure"]
    tab.set_folder(tmp_path / "numbers")
    return tab


def test_volumes_that_there_are_are_ticked_and_the_others_cannot_be(tab):
    assert tab.form.wanted == ("bicubic", "SR")
    assert not tab.form.boxes["HR"].isEnabled()
    assert tab.start_button.isEnabled()
    for box in tab.form.boxes.values():
        box.setChecked(False)
    assert not tab.start_button.isEnabled()
    assert "tick" in tab.start_button.toolTip()


def test_the_segmentation_of_the_shown_slice_is_shown_and_goes_again(tab, viewer):
    viewer.dims.set_point(0, 40)
    tab.preview.box.setChecked(True)
    layer = viewer.layers[NAME]
    assert layer.data.shape == (48, 48)
    assert set(np.unique(layer.data)) == {1, 2}
    tab.form.method.setCurrentText("thresholds")
    tab.form.values.setText("300")
    tab.form.values.editingFinished.emit()
    assert NAME not in viewer.layers
    assert "lies above the threshold 300" in tab.preview.message.text()
    tab.form.method.setCurrentText("Otsu")
    assert NAME in viewer.layers
    tab.preview.box.setChecked(False)
    assert NAME not in viewer.layers


def test_numbers_stand_side_by_side_and_objects_are_coloured_by_size(tab, viewer, qtbot):
    tab.form.tortuosity.setChecked(False)
    tab.measure()
    assert tab.progress.isVisibleTo(tab)
    qtbot.waitUntil(lambda: not tab.work.running, timeout=LONG_MS)
    assert tab.verdict.text().startswith("Phase 1 fills")
    table = tab.numbers.table
    assert table.columnCount() == 2
    assert tab.numbers.label == 1
    rows = {table.verticalHeaderItem(i).text(): i for i in range(table.rowCount())}
    fraction = table.item(rows["fraction %"], 1).text()
    # three of five slices hold discs; the blur takes a little off them
    assert float(fraction.split(" ")[0]) == pytest.approx(100 * 0.6 * np.pi * 49 / 24**2, rel=0.08)
    assert (tab._folder / "report.html").exists()
    tab.show_objects()
    objects = viewer.layers[-1]
    assert isinstance(objects, Labels)
    assert objects.data.shape == (5, 48, 48)
    assert len(np.unique(np.asarray(objects.data[2]))) == 5
    tab.solid_button.setChecked(True)
    assert viewer.dims.ndisplay == 3


def test_a_labels_layer_can_say_what_the_phases_are(tab, viewer):
    viewer.add_labels((viewer.layers["a SR"].data > 100).astype(np.uint8), name="mine")
    tab.form.method.setCurrentText("labels: mine")
    request = tab.request()
    assert request.labels.shape == (5, 48, 48)
    viewer.layers.remove("mine")
    assert tab.form.method.currentText() == "Otsu"


def test_what_cannot_be_measured_is_said_in_the_dock(tab):
    tab.form.method.setCurrentText("hysteresis")
    tab.form.values.setText("200")
    assert tab.request() is not None
    tab.form.values.setText("wrong")
    assert tab.request() is None
    assert "not a threshold" in tab.message.text()
    tab.form.values.setText("")
    assert tab.request() is None
    assert "LOW:HIGH" in tab.message.text()


def test_cells_say_what_is_uncertain_and_why():
    text, tip = cell("volume_fraction", Measurement(0.124, 0.119, 0.129, 0.38, 0.11, 0.14))
    assert text == "12.4 ±0.5 ▲38%"
    assert "11.9 to 12.9" in tip
    assert "11 to 14" in tip
    assert cell("tortuosity.z", None)[0] == "–"
