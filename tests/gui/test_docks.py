"""The docks as a group: one of each, in one order, with whole names, never wider or higher than the screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari._app_model import get_app_model
from qtpy.QtWidgets import QDockWidget, QTabBar, QWidget

from napari_sem_sr.widgets.qt.dock_group import ORDER, open_dock
from napari_sem_sr.widgets.upscale import form
from tests.gui.conftest import add_stacks

SCREEN = (1366, 768)
# napari's frame on top of the window, as most desktops draw it
FRAME_PX = 40


def from_the_menu(viewer: Any, name: str) -> None:
    """As Plugins > SEM super-resolution does it."""
    get_app_model().commands.execute_command(f"napari-sem-sr.{name.lower()}").result()


def by_a_link(viewer: Any, name: str) -> None:
    open_dock(viewer, name)


def by_a_script(viewer: Any, name: str) -> None:
    viewer.window.add_plugin_dock_widget("napari-sem-sr", name)


def titles(viewer: Any, qtbot: Any, count: int) -> list[str]:
    """Texts of the tabs of the group, once there are so many."""
    window = next(iter(viewer.window.dock_widgets.values())).window()

    def group() -> list[str]:
        bars = [
            [bar.tabText(i) for i in range(bar.count())] for bar in window.findChildren(QTabBar)
        ]
        return next((texts for texts in bars if set(texts) & set(ORDER)), [])

    qtbot.waitUntil(lambda: len(group()) == count, timeout=10_000)
    return group()


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    "doors",
    [
        (("Inspect", by_a_link), ("Train", from_the_menu), ("Upscale", from_the_menu)),
        (("Upscale", by_a_script), ("Inspect", by_a_link), ("Train", by_a_script)),
    ],
)
def test_the_docks_are_one_group_in_order_whichever_door_they_came_through(
    viewer: Any, qtbot: Any, doors: Any
) -> None:
    for name, door in doors:
        door(viewer, name)
        qtbot.wait(50)
    assert titles(viewer, qtbot, 3) == list(ORDER)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("first", "second"),
    [(by_a_link, from_the_menu), (by_a_script, by_a_link), (by_a_link, by_a_script)],
)
def test_there_are_never_two_of_a_kind(viewer: Any, qtbot: Any, first: Any, second: Any) -> None:
    first(viewer, "Upscale")
    qtbot.wait(50)
    kept = next(w for w in viewer.window.dock_widgets.values() if w.dock_name == "Upscale")
    second(viewer, "Upscale")
    qtbot.wait(50)
    open_dock(viewer, "Upscale")

    def there() -> list[Any]:
        docks = kept.window().findChildren(QDockWidget)
        return [d for d in docks if getattr(d.widget(), "dock_name", "") == "Upscale"]

    qtbot.waitUntil(lambda: len(there()) == 1, timeout=10_000)
    assert there()[0].widget() is kept


def wider_than(dock: Any) -> list[str]:
    """Visible parts that reach beyond the right edge of a dock."""
    edge = dock.mapToGlobal(dock.rect().topRight()).x()
    return [
        type(part).__name__
        for part in dock.findChildren(QWidget)
        if part.isVisible() and part.mapToGlobal(part.rect().topRight()).x() > edge + 1
    ]


@pytest.mark.usefixtures("models")
def test_the_window_fits_the_screen_and_no_form_is_wider_than_its_dock(
    viewer: Any, qtbot: Any, open_dock: Callable[[str], Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    names = {"LR": 16, "SR": 64, "HR": 64}
    layers = add_stacks(
        viewer, {r: rng.integers(0, 255, (3, n, n), np.uint8) for r, n in names.items()}
    )
    layers[0].name = "a_name_so_long_that_no_dock_has_room_for_it_whatever_it_does_" * 2
    docks = {name: open_dock(name)[1] for name in ORDER}
    window = docks["Train"].window()
    titles(viewer, qtbot, 3)
    upscale = docks["Upscale"]
    upscale.slices_box.setCurrentText(form.SOME)
    upscale.advanced.expand(animate=False)
    for dock in docks.values():
        dock.parentWidget().show()
        dock.parentWidget().raise_()
        window.resize(800, 600)
        qtbot.wait(100)
        assert wider_than(dock) == [], dock.dock_name
    least = window.minimumSizeHint()
    assert least.width() <= SCREEN[0] and least.height() + FRAME_PX <= SCREEN[1]
    assert window.width() <= SCREEN[0] and window.height() + FRAME_PX <= SCREEN[1]
