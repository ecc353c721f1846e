"""The plugin's docks as one group of tabs, in one order, whichever door they came through."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from npe2 import PluginManager
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_sem_sr.widgets.qt.timers import after

if TYPE_CHECKING:
    from napari.components import ViewerModel

PLUGIN = "napari-sem-sr"
ORDER = ("Train", "Upscale", "Inspect")


def open_dock(viewer: "ViewerModel", name: str) -> Any:
    """Bring a dock to the front, and open it where it is not there; returns its widget.

    It is entered in napari's window under the name that the Plugins menu looks for, so that the menu does not open a
    second one.

    Parameters
    ----------
    viewer
        napari's viewer.
    name
        As in the Plugins menu.
    """
    window: Any = viewer.window
    widget: Any = next((w for w in window.dock_widgets.values() if _name(w) == name), None)
    if widget is None:
        manifest = PluginManager.instance().get_manifest(PLUGIN)
        entry = next(w for w in manifest.contributions.widgets or () if w.display_name == name)
        widget = entry.get_callable()(viewer)
        window.add_dock_widget(widget, name=f"{name} ({manifest.display_name})", tabify=True)
    holder = widget.parentWidget()
    holder.show()
    holder.raise_()
    return widget


def join_group(widget: QWidget) -> None:
    """Put a dock that has just appeared among the others, soon: napari is still placing it.

    Where an older one of its kind is open already, that one comes to the front instead.

    Parameters
    ----------
    widget
        The dock's own.
    """
    after(widget, 0, lambda: _join(widget)).start()


def _join(widget: QWidget) -> None:
    holder: Any = widget.parentWidget()
    window = None if holder is None else holder.parentWidget()
    if not isinstance(holder, QDockWidget) or not isinstance(window, QMainWindow):
        return
    others = [d for d in window.findChildren(QDockWidget) if _name(d.widget()) and d is not holder]
    twins = [d for d in others if _name(d.widget()) == _name(widget)]
    if twins:
        # as napari's close button does; closing alone would only hide it
        holder.destroyOnClose()
        twins[0].show()
        twins[0].raise_()
        return
    # the group's tabs have no room for the plugin's name
    holder.setWindowTitle(_name(widget))
    group = sorted((d for d in (*others, holder) if not d.isFloating()), key=_place)
    if holder in group:
        for before, after in pairwise(group):
            window.tabifyDockWidget(before, after)
        holder.raise_()


def _place(dock: QDockWidget) -> int:
    return ORDER.index(_name(dock.widget()))


def _name(widget: Any) -> str:
    name = getattr(widget, "dock_name", "")
    return name if name in ORDER else ""
