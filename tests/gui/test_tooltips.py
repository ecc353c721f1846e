"""Every control of every dock says what it does, also while it is disabled, and fits a narrow dock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QWidget,
)

from napari_sem_sr.widgets.qt.dock import MIN_WIDTH
from tests.gui.conftest import add_stacks

CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


def silent(dock: QWidget) -> list[str]:
    """Controls over which nothing is said; Qt asks the widgets around one that has nothing to say itself."""

    def said(widget: Any) -> str:
        while widget is not dock:
            if widget.toolTip():
                return str(widget.toolTip())
            widget = widget.parent()
        return ""

    def is_qts(widget: Any) -> bool:
        while widget is not dock:
            if isinstance(widget, QScrollBar | QTabBar | QAbstractItemView):
                return True
            widget = widget.parent()
        return False

    found = {w for kind in CONTROLS for w in dock.findChildren(kind)} | set(
        dock.findChildren(QAbstractItemView)
    )
    # lists that boxes unfold have a window of their own
    popups = {
        w for box in dock.findChildren(QComboBox) for w in box.findChildren(QAbstractItemView)
    }
    controls = [w for w in found - popups if isinstance(w, QAbstractItemView) or not is_qts(w)]
    assert len(controls) > 8
    return [
        f"{type(w).__name__} {getattr(w, 'text', str)()}" for w in controls if not said(w).strip()
    ]


@pytest.mark.parametrize("name", ["Train", "Upscale", "Inspect"])
def test_every_control_has_a_tooltip(
    viewer: Any, open_dock: Callable[[str], Any], models: Path, name: str
) -> None:
    rng = np.random.default_rng(0)
    sides = {"LR": 16, "SR": 64, "HR": 64}
    add_stacks(viewer, {r: rng.integers(0, 255, (2, n, n), np.uint8) for r, n in sides.items()})
    _, dock = open_dock(name)
    assert silent(dock) == []
    if name == "Inspect":
        dock.pages["Compare"].compare()
        assert silent(dock) == []
        for page in dock.pages.values():
            page.let_go()


@pytest.mark.parametrize("name", ["Train", "Upscale", "Inspect"])
def test_nothing_is_cut_off_in_a_dock_as_narrow_as_it_may_be(
    viewer: Any, open_dock: Callable[[str], Any], models: Path, name: str
) -> None:
    _, dock = open_dock(name)
    if name == "Inspect":
        ring = dock.pages["Compare"].on_screen
        ring._usual_nm = 888.0
        ring.trust(None)
        dock.pages["Answer check"].options.expand(animate=False)
    for area in dock.findChildren(QScrollArea):
        assert area.widget().minimumSizeHint().width() <= MIN_WIDTH
