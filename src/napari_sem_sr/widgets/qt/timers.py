"""Timers that end with their parent, so that nothing is called on a widget that is gone."""

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def after(parent: QObject, milliseconds: int, slot: Callable[[], object]) -> QTimer:
    """Make a timer that calls ``slot`` once after each start; starting it anew puts that off.

    Parameters
    ----------
    parent
        Whose end is its end.
    milliseconds
        Time in ms.
    """
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer


def every(parent: QObject, milliseconds: int, slot: Callable[[], object]) -> QTimer:
    """Start a timer that calls ``slot`` again and again.

    Parameters
    ----------
    parent
        Whose end is its end.
    milliseconds
        Time in ms.
    """
    timer = QTimer(parent)
    timer.timeout.connect(slot)
    timer.start(milliseconds)
    return timer
