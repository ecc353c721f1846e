"""The last session, offered in an empty dock."""

from typing import TYPE_CHECKING, Any

from napari_sem_sr.widgets.qt.dock import DropZone, link
from napari_sem_sr.widgets.qt.dock_group import open_dock
from napari_sem_sr.widgets.viewer import session
from napari_sem_sr.widgets.viewer.layer_combo import LayerChooser
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

SESSION = "session"


def offer_session(zone: DropZone) -> None:
    """Say in an empty dock what was open last, if its files are still there."""
    last = session.last_session()
    if last is not None:
        reopen = link(SESSION, tr("reopen the last session ({title})", title=last.title))
        zone.setText(f"{zone.text()}<br>{tr('Or {reopen}.', reopen=reopen)}")


def bring_back(
    viewer: "ViewerModel", chooser: LayerChooser, last: session.LastSession, found: Any
) -> None:
    """Add the layers of a session, choose the stack, and give Inspect its roles and report."""
    session.bring_back(viewer, found)
    if last.chosen is not None and last.chosen in viewer.layers:
        chooser.choose(viewer.layers[last.chosen])
    if last.roles:
        open_dock(viewer, "Inspect").bring_back(last)
