"""Every control has a name for a screen reader, and what is written is large and dark enough to be read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.theme import get_theme
from qtpy.QtGui import QFontInfo, QPalette
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from napari_sem_sr.io import read_stack
from napari_sem_sr.widgets.inspect.compare.figure_dialog import FigureDialog
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.qt.dock import SMALL_PX
from napari_sem_sr.widgets.qt.names import controls_of, name_controls, spoken_name
from tests.gui.conftest import add_stacks
from tests.gui.test_themes import contrast

WRITTEN = (QLabel, QAbstractButton, QComboBox, QLineEdit)


def nameless(root: QWidget) -> list[str]:
    """Controls of which a screen reader says nothing but a sign."""
    found = controls_of(root)
    assert len(found) > 1
    return [
        f"{type(w).__name__} '{spoken_name(w)}' {w.toolTip()[:40]}"
        for w in found
        if sum(c.isalnum() for c in spoken_name(w)) < 2
    ]


def small(root: QWidget) -> list[str]:
    return [
        f"{type(w).__name__} {QFontInfo(w.font()).pixelSize()} px"
        for w in root.findChildren(QWidget)
        if isinstance(w, WRITTEN) and QFontInfo(w.font()).pixelSize() < SMALL_PX
    ]


def pale(root: QWidget, background: str) -> list[str]:
    """Labels that hardly stand out from the ground of the theme."""
    found = []
    for label in root.findChildren(QLabel):
        if not label.text() or not label.isEnabled() or not label.isVisibleTo(root):
            continue
        colours = [label.palette().color(QPalette.ColorRole.WindowText).name()]
        links = re.findall(r"<a (?:style='color: (#\w+)')?", label.text())
        # Qt's own blue where nothing else is said
        colours += [link or "#0000ff" for link in links]
        for colour in colours:
            ratio = contrast(colour, background)
            if ratio < 4.5:
                found.append(f"'{label.text()[:40]}' {ratio:.1f} : 1")
    return found


@pytest.mark.parametrize("name", ["Train", "Upscale", "Inspect"])
def test_docks_can_be_heard_and_read(
    viewer: Any, open_dock: Callable[[str], Any], models: Path, name: str, qtbot: Any
) -> None:
    rng = np.random.default_rng(0)
    sides = {"LR": 16, "SR": 64, "HR": 64}
    add_stacks(viewer, {r: rng.integers(0, 255, (2, n, n), np.uint8) for r, n in sides.items()})
    _, dock = open_dock(name)
    dock.show()
    qtbot.waitUntil(dock.isVisible, timeout=60_000)
    if name == "Inspect":
        dock.pages["Compare"].compare()
    for theme in ("dark", "light"):
        viewer.theme = theme
        qtbot.waitUntil(lambda theme=theme: dock.theme == theme)
        assert nameless(dock) == []
        assert small(dock) == []
        assert pale(dock, get_theme(theme).background.as_hex()) == []
    if name == "Inspect":
        for page in dock.pages.values():
            page.tear_down()


def test_dialogs_can_be_heard(qtbot: Any, tmp_path: Path) -> None:
    from napari_sem_sr.io import write_png

    write_png(
        np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8),
        tmp_path / "a.png",
        mark=False,
    )
    for dialog in (VoxelDialog(read_stack(tmp_path / "a.png")), FigureDialog()):
        qtbot.addWidget(dialog)
        name_controls(dialog)
        assert nameless(dialog) == []
        assert small(dialog) == []
