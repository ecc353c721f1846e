"""napari's canvas as Qt sees it."""

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget


def main_window_of(widget: QWidget) -> QWidget:
    """The window that ``widget`` is docked in, floating or not."""
    root = widget
    while (parent := root.parentWidget()) is not None:
        root = parent
    return root


def make_canvas_current(widget: QWidget) -> None:
    """Let OpenGL calls go to the canvas of the window that ``widget`` is docked in, floating or not.

    When a layer goes, napari 0.9 deletes its textures, buffers and programs at once, in whatever OpenGL context is
    current. Between two paintings that is the one in which Qt puts the window together, so that programs the canvas
    still draws with are freed, and the next drawing ends in a segmentation fault.
    """
    for canvas in main_window_of(widget).findChildren(QOpenGLWidget):
        if canvas.context() is not None:
            canvas.makeCurrent()
