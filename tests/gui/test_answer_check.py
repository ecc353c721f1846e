"""The tab Answer check over a small stack with planted faults, in a viewer without a window."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QShortcut
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.report.document import PAGE, Report
from napari_sem_sr.checking.review.judgements import read_judgements
from napari_sem_sr.io import write_tiff
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.check.place_list import OPEN
from napari_sem_sr.widgets.inspect.check.suspects import MARK
from tests.gui.conftest import add_stacks

PLANTED = {0: (40, 56), 1: (72, 24), 2: (20, 88), 3: (100, 100)}
LONG_MS = 240_000


@pytest.fixture(scope="module")
def images() -> dict[str, Any]:
    """Four slices of 32 × 32 LR pixels; each SR slice has one particle that LR does not hold."""
    rng = np.random.default_rng(0)
    hr = gaussian_filter(rng.standard_normal((4, 128, 128)), (0, 4, 4))
    hr = np.clip(120 + 30 * hr / hr.std() + rng.normal(0, 3, hr.shape), 0, 255).astype(np.uint8)
    lr = np.stack([area_average(plane, 4) for plane in hr]).round().astype(np.uint8)
    sr = np.stack([upscale_bicubic(plane, 4) for plane in lr])
    y, x = np.mgrid[:128, :128]
    for z, (row, column) in PLANTED.items():
        sr[z][(y - row) ** 2 + (x - column) ** 2 <= 36] = 250
    return {"LR": lr, "SR": sr, "HR": hr}


@pytest.fixture
def viewer(images: dict[str, Any]) -> ViewerModel:
    viewer = ViewerModel()
    add_stacks(viewer, images)
    return viewer


@pytest.fixture
def dock(viewer: ViewerModel, open_inspect: Callable[[Any], Any]) -> Any:
    return open_inspect(viewer)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first check is kept, so that the others need not be made."""
    return tmp_path_factory.mktemp("kept") / "check"


@pytest.fixture
def tab(dock: Any, tmp_path: Path, kept: Path) -> Any:
    tab = dock.pages["Answer check"]
    if kept.exists():
        shutil.copytree(kept, tmp_path / "check")
    tab.set_folder(tmp_path / "check")
    return tab


@pytest.fixture
def checked(tab: Any, qtbot: Any, kept: Path) -> Any:
    tab.start_button.click()
    finish(tab, qtbot)
    if not kept.exists():
        shutil.copytree(tab.evidence.folder, kept)
    return tab


def finish(tab: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not tab.work.running, timeout=LONG_MS)
    qtbot.waitUntil(lambda: not tab.suspects.pictures.running, timeout=LONG_MS)


def press(tab: Any, key: str) -> None:
    shortcut = next(s for s in tab.findChildren(QShortcut) if s.key().toString() == key)
    shortcut.activated.emit()


def test_a_check_shows_the_reports_verdict_and_three_lights_whose_reasons_unfold(
    checked: Any,
) -> None:
    report = Report.read(checked.evidence.folder)
    assert checked.verdict.sentence.text() == report.verdict
    assert len(checked.verdict.lights) == 4
    light = checked.verdict.lights[0]
    assert light.why.isHidden()
    light.line.linkActivated.emit("why")
    assert not light.why.isHidden() and "grey levels" in light.why.text()
    assert checked.suspects.places.order == list(range(len(report.regions)))
    assert f"0 of {len(report.regions)} judged" in checked.suspects.judging.progress.text()


def test_going_to_a_place_shows_it_outlined_in_every_pane(
    checked: Any, dock: Any, viewer: Any
) -> None:
    checked.suspects.places.list.setCurrentRow(0)
    region = checked.evidence.report.regions[0]
    assert dock.comparison.active
    assert viewer.dims.point[0] == 20 * region["slice"]
    row, column = PLANTED[region["slice"]]
    corners = np.asarray(dock.comparison.marks[MARK].points)
    # the planted particle lies inside the outline, which has the size of the region in nm
    assert (corners.min(axis=0) <= [10 * row - 15, 10 * column - 15]).all()
    assert (corners.max(axis=0) >= [10 * row - 15, 10 * column - 15]).all()
    np.testing.assert_allclose(
        np.ptp(corners, axis=0), [10 * region["height"], 10 * region["width"]]
    )
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], corners.mean(axis=0))
    overlays = [layer for layer in viewer.layers if layer.name.startswith(MARK)]
    assert len(overlays) == len(dock.comparison.panes)


def test_every_place_has_its_pictures(checked: Any) -> None:
    for place in range(checked.suspects.places.list.count()):
        assert not checked.suspects.places.list.item(place).icon().isNull()


def test_keys_judge_and_move_on_and_everything_is_on_disk_at_once(checked: Any) -> None:
    folder = checked.evidence.folder
    checked.suspects.places.list.setCurrentRow(0)
    checked.suspects.judging.note.setText("no such particle in LR")
    for count, (key, opinion) in enumerate(
        {"A": "artifact", "R": "real", "U": "unsure"}.items(), start=1
    ):
        press(checked, key)
        assert [j.opinion for j in read_judgements(folder)][-1] == opinion
        assert checked.suspects.places.current == count
    assert read_judgements(folder)[0].note == "no such particle in LR"
    assert checked.suspects.judging.note.text() == ""
    assert "3 of" in checked.suspects.judging.progress.text()
    assert "artifact" in checked.suspects.places.list.item(0).text()
    assert json.loads((folder / "report.json").read_text())["judgements"]["artifact"] == 1


def test_undo_takes_back_the_last_judgement_and_goes_there(checked: Any) -> None:
    folder = checked.evidence.folder
    checked.suspects.places.list.setCurrentRow(1)
    press(checked, "R")
    checked.suspects.places.list.setCurrentRow(1)
    press(checked, "A")
    press(checked, "Ctrl+Z")
    assert [j.opinion for j in read_judgements(folder)] == ["real"]
    assert checked.suspects.places.current == 1
    press(checked, "Ctrl+Z")
    assert read_judgements(folder) == ()
    assert not checked.suspects.judging.undo_button.isEnabled()


def test_the_list_is_sorted_and_filtered(checked: Any) -> None:
    regions = checked.evidence.report.regions
    checked.suspects.places.order_box.setCurrentText("by slice")
    checked.suspects.places.order_box.activated.emit(1)
    slices = [regions[i]["slice"] for i in checked.suspects.places.order]
    assert slices == sorted(slices)
    reason = regions[0]["reasons"][0]
    checked.suspects.places.filter_box.setCurrentText(reason)
    checked.suspects.places.filter_box.activated.emit(2)
    assert checked.suspects.places.order and all(
        reason in regions[i]["reasons"] for i in checked.suspects.places.order
    )
    checked.suspects.places.list.setCurrentRow(0)
    press(checked, "R")
    checked.suspects.places.filter_box.setCurrentText(OPEN)
    checked.suspects.places.filter_box.activated.emit(1)
    assert len(checked.suspects.places.order) == len(regions) - 1


def test_the_keys_work_on_the_canvas_as_long_as_there_are_places(
    checked: Any, viewer: Any, dock: Any
) -> None:
    checked.suspects.places.list.setCurrentRow(0)
    keys = {str(key): action for key, action in viewer.keymap.items()}
    keys["A"](viewer)
    assert len(read_judgements(checked.evidence.folder)) == 1
    checked.tear_down()
    assert not {"A", "R", "U", "N", "P"} & set(map(str, viewer.keymap))


def test_the_exported_report_holds_the_judgements(checked: Any, tmp_path: Path) -> None:
    checked.suspects.places.list.setCurrentRow(0)
    checked.suspects.judging.note.setText("a note to a colleague")
    press(checked, "A")
    checked.export(tmp_path / "mine.html")
    page = (tmp_path / "mine.html").read_text()
    assert "a note to a colleague" in page
    assert page == (checked.evidence.folder / PAGE).read_text()


def test_a_check_is_taken_up_with_its_judgements(checked: Any, qtbot: Any) -> None:
    checked.suspects.places.list.setCurrentRow(0)
    press(checked, "U")
    folder = checked.evidence.folder
    checked._forget()
    checked.load(folder)
    finish(checked, qtbot)
    assert "1 of" in checked.suspects.judging.progress.text()
    assert "unsure" in checked.suspects.places.list.item(0).text()


def test_a_report_about_another_stack_is_refused(
    checked: Any, viewer: Any, dock: Any, images: dict[str, Any], qtbot: Any
) -> None:
    folder = checked.evidence.folder
    other = viewer.add_image(
        images["SR"][:, ::-1],
        name="other",
        scale=(20, 10, 10),
        translate=(0, -15, -15),
        units=("nm",) * 3,
    )
    dock.roles.give("SR", other)
    assert checked.evidence is None
    checked.load(folder)
    finish(checked, qtbot)
    assert "is about 'a SR'" in checked.message.text()
    assert checked.evidence is None


def test_without_lr_or_sr_the_button_says_why(dock: Any, viewer: Any, tab: Any) -> None:
    dock.roles.choosers["LR"].setCurrentIndex(0)
    assert not tab.start_button.isEnabled()
    assert "Choose LR and SR" in tab.start_button.toolTip()
    assert not tab.report_button.isEnabled() and "check first" in tab.report_button.toolTip()


def test_the_outline_goes_with_the_comparison(checked: Any, dock: Any, viewer: Any) -> None:
    users = [layer for layer in viewer.layers if layer.name.startswith("a ")]
    checked.suspects.places.list.setCurrentRow(0)
    dock.pages["Compare"].remove_button.click()
    assert list(viewer.layers) == users
    assert dock.comparison.marks == {}


def test_more_is_folded_away_and_says_when_it_cannot_be_had(tab: Any, dock: Any) -> None:
    options = tab.options
    assert not options.isExpanded()
    assert options.register_box.isEnabled()
    dock.roles.choosers["HR"].setCurrentIndex(0)
    assert not options.register_box.isEnabled() and "no HR" in options.register_box.toolTip()


def test_a_check_registers_projects_compares_and_leaves_out_as_asked(
    dock: Any, images: dict[str, Any], tmp_path: Path, qtbot: Any
) -> None:
    tab = dock.pages["Answer check"]
    others = tmp_path / "others"
    others.mkdir()
    for number, plane in enumerate(images["HR"]):
        write_tiff(
            SemStack.from_array(plane[::-1][None], f"other_{number}", voxel_nm=(20.0, 10.0, 10.0)),
            others / f"other_{number}.tif",
            provenance={},
        )
    tab.set_folder(tmp_path / "asked")
    tab.options.register_box.setChecked(True)
    tab.options.project_box.setChecked(True)
    tab.options.set_reference(others)
    dock.roles.without_edit.setText("3")
    dock.roles.without_edit.editingFinished.emit()
    tab.start_button.click()
    finish(tab, qtbot)
    assert tab.evidence is not None, tab.message.text()
    report = Report.read(tmp_path / "asked")
    assert report.registered and report.sr["checked"]["without"] == [3]
    assert len(report.reference["hashes"]) == 4
    assert "projection" in report.consistency and (tmp_path / "asked" / "projected.zarr").is_dir()
    # what is shown of HR is what was checked
    assert tab.evidence.field.registered and tab.evidence.field.without == {3}


def test_a_quick_look_is_taken_up_as_it_is_and_can_be_looked_further_into(
    tab: Any, dock: Any, viewer: Any, tmp_path: Path, qtbot: Any
) -> None:
    folder = tmp_path / "quick"
    tab.set_folder(folder)
    tab.options.every_box.setValue(3)
    tab.start_button.click()
    finish(tab, qtbot)
    assert Report.read(folder).sr["checked"]["looked_at"] == [0, 3]
    assert "2 of 4 slices" in tab.verdict.sentence.text()
    # as after a restart: the form shows all slices, and taking up what is there looks at no more of them
    tab.options.every_box.setValue(1)
    tab._forget()
    tab._show_buttons()
    assert tab.start_button.text() == "Take up the check"
    tab.start_button.click()
    finish(tab, qtbot)
    assert Report.read(folder).sr["checked"]["looked_at"] == [0, 3]
    assert tab.start_button.text() == "Check further"
    tab.start_button.click()
    finish(tab, qtbot)
    assert "every" not in Report.read(folder).sr["checked"]
    assert tab.start_button.text() == "Take up the check"


def test_places_have_half_of_the_dock_and_the_next_one_is_in_sight(
    checked: Any, dock: Any, qtbot: Any
) -> None:
    dock.resize(360, 690)
    dock.show()
    dock.tabs.setCurrentWidget(checked)
    listed = checked.suspects.places.list
    qtbot.waitUntil(lambda: listed.height() >= dock.height() // 2, timeout=LONG_MS)
    assert listed.iconSize().height() >= 90, "large enough to judge"
    assert listed.count() > 2
    listed.setCurrentRow(1)
    for row in (1, 2):
        place = listed.visualItemRect(listed.item(row))
        assert listed.viewport().rect().contains(place), row
