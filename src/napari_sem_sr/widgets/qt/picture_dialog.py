"""A picture in a window of its own, as large as the screen lets it be."""

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

# of the screen
SHARE = 0.85


class PictureDialog(QDialog):
    """Shows an array (y, x, RGBA) of 8 bit.

    Parameters
    ----------
    picture
        ``(y, x, 4)`` of 8 bit.
    title
        For a person.
    parent
        Window over which it opens.
    """

    def __init__(self, picture: Any, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        pixels = np.ascontiguousarray(picture)
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
        room = self.screen().availableSize() * SHARE
        pixmap = QPixmap.fromImage(image.copy())
        if width > room.width() or height > room.height():
            pixmap = pixmap.scaled(
                room,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        label = QLabel()
        label.setPixmap(pixmap)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label)
