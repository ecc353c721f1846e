"""What a screen reader calls a control."""

import re

from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
)
_LETTERS = re.compile(r"\w{2}")


def controls_of(root: QWidget) -> list[QWidget]:
    """Controls inside a widget that a person works with, without the parts that Qt makes them of.

    Parameters
    ----------
    root
        Any widget.
    """
    found = [w for w in root.findChildren(QWidget) if isinstance(w, CONTROLS)]
    return [w for w in found if not _is_part(w, root)]


def spoken_name(control: QWidget) -> str:
    """Name of a control as Qt tells a screen reader: the one it was given, or what is written on a button.

    Parameters
    ----------
    control
        Any control.
    """
    written = control.text() if isinstance(control, QAbstractButton) else ""
    return str(control.accessibleName() or written)


def name_controls(root: QWidget) -> None:
    """Name every control that says only a sign, or nothing, after what its tooltip says first.

    Parameters
    ----------
    root
        Any widget.
    """
    for control in controls_of(root):
        if not control.accessibleName() and not _LETTERS.search(spoken_name(control)):
            control.setAccessibleName(_first_sentence(_tip(control, root)))


def _is_part(widget: QWidget, root: QWidget) -> bool:
    if isinstance(widget, QScrollBar | QTabBar):
        return True
    parent = widget.parentWidget()
    while parent is not None and parent is not root:
        if isinstance(parent, (*CONTROLS, QScrollBar, QTabBar)):
            return True
        parent = parent.parentWidget()
    return False


def _tip(widget: QWidget, root: QWidget) -> str:
    """Tooltip of a widget, or of what is around it."""
    around: QWidget | None = widget
    while around is not None and around is not root:
        if around.toolTip():
            return str(around.toolTip())
        around = around.parentWidget()
    return ""


def _first_sentence(text: str) -> str:
    return re.split(r"[.;:,\n]", text, maxsplit=1)[0].strip()
