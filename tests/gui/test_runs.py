"""Results keep to their runs, stacks wait for each other, and closing napari asks first."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

import napari_sem_sr
from napari_sem_sr.io import ZarrStackWriter, read_stack, write_tiff
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt import question
from napari_sem_sr.widgets.upscale import form
from napari_sem_sr.widgets.upscale.place import results_folder
from napari_sem_sr.widgets.viewer import layer_stack, layers, sample_data

LONG_MS = 120_000
DEPTH = 12


@pytest.fixture
def dock(models: Path, open_dock: Callable[[str], Any]) -> Any:
    return open_dock("Upscale")[1]


def stack_file(folder: Path, name: str, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (DEPTH, 20, 24), np.uint8)
    stack = SemStack.from_array(pixels, name, voxel_nm=(20.0, 20.0, 20.0))
    write_tiff(stack, folder / f"{name}.tif", provenance={"synthetic": False})
    return folder / f"{name}.tif"


def open_stack(dock: Any, path: Path, qtbot: Any) -> None:
    dock.open_paths([path])
    qtbot.waitUntil(
        lambda: dock._stack is not None and dock._stack.name == path.stem, timeout=LONG_MS
    )


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def finish(qtbot: Any, dock: Any) -> None:
    qtbot.waitUntil(lambda: not dock._work.running, timeout=LONG_MS)
    dock._look_at_output()


def test_the_button_names_what_it_will_do_and_other_slices_are_another_result(
    dock: Any, qtbot: Any, viewer: Any, tmp_path: Path
) -> None:
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    assert dock.start_button.text() == f"Upscale {DEPTH} slices"
    viewer.dims.set_current_step(0, 2)
    dock.slices_box.setCurrentText(form.THIS)
    qtbot.waitUntil(lambda: dock.start_button.text() == "Upscale slice 2", timeout=LONG_MS)
    click(dock.start_button)
    finish(qtbot, dock)
    assert (tmp_path / "cathode_tiny-x4_slice2_sr.zarr").is_dir()
    assert dock.start_button.text() == "Open result"
    dock.slices_box.setCurrentText(form.ALL)
    qtbot.waitUntil(lambda: dock.start_button.text() == f"Upscale {DEPTH} slices", timeout=LONG_MS)
    viewer.dims.set_current_step(0, 3)
    dock.slices_box.setCurrentText(form.THIS)
    qtbot.waitUntil(lambda: dock.start_button.text() == "Upscale slice 3", timeout=LONG_MS)
    dock.sharpness.setValue(100)
    qtbot.waitUntil(lambda: "sharpness1.00" in dock._place.name, timeout=LONG_MS)


def test_resume_goes_on_as_it_was_begun_whatever_the_form_says(
    dock: Any, qtbot: Any, tmp_path: Path, gate: threading.Event
) -> None:
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    dock.sharpness.setValue(80)
    dock.slices_box.setCurrentText(form.SOME)
    dock.first_slice.setValue(1)
    dock.upscale()
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    click(dock.cancel_button)
    gate.set()
    finish(qtbot, dock)
    assert 1 <= dock._existing.done < DEPTH - 1
    path = dock._place
    # as after a restart: the form shows the defaults
    click(dock.sharpness_reset)
    dock.slices_box.setCurrentText(form.ALL)
    dock._choice_changed()
    assert "Unfinished" in dock.run_line.text() and "sharpness 0.80" in dock.run_line.text()
    dock.run_line.linkActivated.emit("unfinished")
    assert dock.start_button.text().startswith("Resume (")
    assert dock.sharpness.value() == 80
    assert dock.slices_box.currentText() == form.SOME and dock.first_slice.value() == 1
    dock.sharpness.setValue(10)
    click(dock.start_button)
    finish(qtbot, dock)
    made = read_stack(path).provenance
    assert made["sharpness"] == 0.8 and made["slices"] == [1, DEPTH]
    assert dock.start_button.text() == "Open result"


def test_slices_are_checked_as_well_and_inspect_finds_the_report(
    dock: Any, open_dock: Callable[[str], Any], qtbot: Any, tmp_path: Path
) -> None:
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    dock.slices_box.setCurrentText(form.SOME)
    dock.last_slice.setValue(1)
    dock.check_box.setChecked(True)
    click(dock.start_button)
    finish(qtbot, dock)
    assert "see the check" in dock.message.text(), dock.message.text()
    tab = open_dock("Inspect")[1].pages["Answer check"]
    qtbot.waitUntil(lambda: tab.start_button.text() == "Take up the check", timeout=LONG_MS)
    click(tab.start_button)
    qtbot.waitUntil(lambda: tab.evidence is not None, timeout=LONG_MS)
    assert tab.evidence.report.sr["checked"]["slices"] == [0, 2]


def test_a_result_of_another_stack_is_refused_by_name(
    dock: Any, qtbot: Any, viewer: Any, tmp_path: Path
) -> None:
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    dock.upscale()
    finish(qtbot, dock)
    result = dock._place
    viewer.layers.clear()
    open_stack(dock, stack_file(tmp_path, "anode", seed=1), qtbot)
    dock.set_output(result)
    click(dock.start_button)
    finish(qtbot, dock)
    assert "is not a result of 'anode': it was made of 'cathode'" in dock.message.text()
    assert [layer.name for layer in viewer.layers] == ["anode"]
    viewer.layers.clear()
    open_stack(dock, tmp_path / "cathode.tif", qtbot)
    assert dock._place == result
    click(dock.start_button)
    finish(qtbot, dock)
    assert [layers.role_of(layer) for layer in viewer.layers] == ["LR", "SR"]


def test_lr_is_chosen_of_a_sample_and_results_stay_out_of_the_installed_package(
    dock: Any, viewer: Any
) -> None:
    # as File > Open Sample does it
    for data in sample_data.open_pair():
        layers.add(viewer, data)
    assert layers.role_of(dock.chooser.layer) == "LR"
    hr = next(layer for layer in viewer.layers if layers.role_of(layer) == "HR")
    folder = results_folder(layer_stack.stack_of(hr))
    assert Path(napari_sem_sr.__file__).parent not in (folder, *folder.parents)


def test_stacks_wait_for_each_other_and_one_that_fails_stops_none(
    dock: Any,
    qtbot: Any,
    viewer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate: threading.Event,
) -> None:
    paths = [stack_file(tmp_path, name, seed) for seed, name in enumerate("abc")]
    open_stack(dock, paths[0], qtbot)
    click(dock.start_button)
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    for path in paths[1:]:
        open_stack(dock, path, qtbot)
        assert dock.start_button.text() == f"Then upscale {DEPTH} slices"
        click(dock.start_button)
    assert not dock.start_button.isEnabled() and "queue already" in dock.start_button.toolTip()
    assert "3 stacks" in dock.queue.text() and dock.queue.isVisibleTo(dock)
    # the second is damaged before its turn comes
    write = ZarrStackWriter.create

    def refuse(path: Path, **arguments: Any) -> Any:
        if path.name.startswith("b_"):
            raise napari_sem_sr.errors.OutputError("The disk is full.")
        return write(path, **arguments)

    monkeypatch.setattr(ZarrStackWriter, "create", refuse)
    gate.set()
    finish(qtbot, dock)
    lines = [dock.queue.list.item(n).text() for n in range(dock.queue.list.count())]
    assert [line[0] for line in lines] == ["✓", "✕", "✓"]
    assert "The disk is full." in lines[1]
    assert {p.name for p in tmp_path.glob("*_sr.zarr")} == {
        "a_tiny-x4_sr.zarr",
        "c_tiny-x4_sr.zarr",
    }


def test_closing_napari_in_the_middle_of_a_run_asks_and_may_be_refused(
    dock: Any,
    qtbot: Any,
    viewer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gate: threading.Event,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(question, "ask_to_stop", lambda _, text: asked.append(text))
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    qtbot.waitUntil(dock.isVisible, timeout=LONG_MS)
    click(dock.start_button)
    qtbot.waitUntil(lambda: dock.runs.eta.done >= 1, timeout=LONG_MS)
    window = dock.window()
    window.close()
    assert window.isVisible() and dock._work.running
    gate.set()
    assert asked and "'cathode' is being upscaled. Stop, and keep" in asked[0]
    finish(qtbot, dock)
    assert dock.start_button.text() == "Open result"


def test_the_last_session_brings_back_layers_roles_and_the_chosen_stack(
    dock: Any, qtbot: Any, viewer: Any, tmp_path: Path, open_dock: Callable[[str], Any]
) -> None:
    open_stack(dock, stack_file(tmp_path, "cathode"), qtbot)
    dock.upscale()
    finish(qtbot, dock)
    result = dock.results.result.name
    inspect = open_dock("Inspect")[1]
    assert set(inspect.roles.roles) == {"LR", "SR"}
    inspect.remember_session()
    dock.remember_session()
    viewer.window.remove_dock_widget(inspect)
    viewer.window.remove_dock_widget(dock)
    viewer.layers.clear()
    again = open_dock("Upscale")[1]
    assert "reopen the last session (cathode, 2 layers)" in again.drop_zone.text()
    again.drop_zone.linkActivated.emit("session")
    finish(qtbot, again)
    assert [layer.name for layer in viewer.layers] == ["cathode", result]
    assert again.chooser.layer.name == "cathode"
    inspect = next(w for w in viewer.window.dock_widgets.values() if w.dock_name == "Inspect")
    assert {r: la.name for r, la in inspect.roles.roles.items()} == {"LR": "cathode", "SR": result}
