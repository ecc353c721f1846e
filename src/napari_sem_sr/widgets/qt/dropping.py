"""Files that are dropped anywhere on a dock."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_sem_sr.widgets.qt.names import name_controls


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Files and folders of this machine that a drop brings.

    Parameters
    ----------
    event
        As Qt sends it.
    """
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


class TakesFiles(QWidget):
    """Takes files wherever they are dropped on it, at any time.

    Qt offers a drop to the widget under the cursor and then to those around it. Fields for text would take the
    name of the file as text, so they are made to let it pass.

    Parameters
    ----------
    parent
        Widget that holds it.
    """

    given = Signal(list)
    """Paths that were dropped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        for edit in self.findChildren(QLineEdit):
            edit.setAcceptDrops(False)
        name_controls(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802, D102
        if dropped_paths(event):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802, D102
        paths = dropped_paths(event)
        if paths:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.given.emit(paths)
