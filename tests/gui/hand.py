"""What a hand does: drop files, press a button of a question."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

POLL_MS = 20
ANSWERING = "answering"


def drop(widget: QWidget, paths: Sequence[Path], at: QPoint | None = None) -> QWidget:
    """Drop files in the middle of a widget, offered as Qt does: to what lies there, then to what is around it.

    Returns the widget that took them.
    """
    place = at or widget.rect().center()
    target: Any = widget.childAt(place) or widget
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    while target is not None:
        point = target.mapFrom(widget, place) if target is not widget.window() else place
        if target.acceptDrops() and target.isEnabled():
            enter = QDragEnterEvent(point, copy, mime, left, none)
            enter.setAccepted(False)
            QApplication.sendEvent(target, enter)
            if enter.isAccepted():
                QApplication.sendEvent(target, QDropEvent(QPointF(point), copy, mime, left, none))
                return target
        target = target.parentWidget()
    raise AssertionError("nothing took the files")


def answer(beginning: str) -> Callable[[], list[str]]:
    """Press the button that begins so in the questions to come; returns what gives the questions asked so far."""
    for earlier in QApplication.instance().findChildren(QTimer, ANSWERING):
        # of a test that failed
        earlier.stop()
    asked: list[str] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            for button in box.buttons():
                if button.text().replace("&", "").startswith(beginning):
                    asked.append(box.text())
                    button.click()
                    return

    timer = QTimer(QApplication.instance())
    timer.setObjectName(ANSWERING)
    timer.timeout.connect(look)
    timer.start(POLL_MS)

    def questions() -> list[str]:
        timer.stop()
        return asked

    return questions
