"""Number boxes that take typing at the first click."""

import re

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtGui import QFocusEvent, QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.widgets.words import tr

_LENGTH = re.compile(r"\s*([0-9]*[.,]?[0-9]+)\s*(\D*?)\s*")


class NumberBox(QDoubleSpinBox):
    """A number whose lowest value stands for one that nobody knows.

    What is in the box is selected when it is entered, by a click as well, so that typing replaces it.

    Parameters
    ----------
    low
        Lowest number; stands for unknown.
    high
        Highest number.
    decimals
        Digits after the point.
    parent
        Widget that holds it.
    """

    def __init__(
        self, low: float, high: float, decimals: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSpecialValueText(tr("unknown"))
        self.setKeyboardTracking(False)
        self.lineEdit().installEventFilter(self)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802, D102
        super().focusInEvent(event)
        # the click that gave the focus sets the cursor afterwards
        QTimer.singleShot(0, self.selectAll)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, D102
        # a box that has the focus already, as the first of a dialog, says "unknown" until something is typed over it
        if event.type() == QEvent.Type.MouseButtonPress and self.value() == self.minimum():
            QTimer.singleShot(0, self.selectAll)
        return bool(super().eventFilter(watched, event))


class LengthBox(NumberBox):
    """A length in nm; ``1.2 µm`` and ``0.02 um`` can be typed too, and from 1000 nm on micrometres are shown.

    Parameters
    ----------
    parent
        Widget that holds it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0.0, 1e9, 3, parent)

    def textFromValue(self, value: float) -> str:  # noqa: N802, D102
        return spoken_length(value, 6)

    def valueFromText(self, text: str) -> float:  # noqa: N802, D102
        return parsed_nm(text) or self.value()

    def validate(self, text: str, position: int) -> object:  # noqa: D102
        typed = parsed_nm(text)
        known = typed is not None and self.minimum() <= typed <= self.maximum()
        state = QValidator.State.Acceptable if known else QValidator.State.Intermediate
        if text == self.specialValueText():
            state = QValidator.State.Acceptable
        return state, text, position


def parsed_nm(text: str) -> float | None:
    """A typed length in nm, with or without its unit; None where it is none (yet).

    Parameters
    ----------
    text
        As it is typed.
    """
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None
    by = nm_per(found[2] or "nm")
    return None if by is None else float(found[1].replace(",", ".")) * by
