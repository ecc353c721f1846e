"""Noise and blur of the stack, as measured or as a person says; shown for models that know of them."""

from typing import Any, Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QVBoxLayout, QWidget

from napari_sem_sr.degradation.measure_conditions import MeasuredConditions
from napari_sem_sr.model.card import Card
from napari_sem_sr.widgets.qt.dock import Line, Tone, field
from napari_sem_sr.widgets.words import tr

# Below the least value that can be typed; shown as words.
MEASURED = -1.0


class ConditionsRow(QWidget):
    """Two numbers that are measured unless typed, and what was measured."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.measured: MeasuredConditions | None = None
        self.noise_box = _box(
            tr("Noise of the stack"),
            200.0,
            0.5,
            tr(" grey levels"),
            tr(
                "Standard deviation of the stack's noise at mid range, in its grey values; below 0: as measured. 0 says that there is none: a network told so takes noise for structure."
            ),
        )
        self.blur_box = _box(
            tr("Blur of the stack"),
            3.0,
            0.1,
            " LR px",
            tr(
                "Blur beyond the averaging over a pixel, as the standard deviation of a beam; below 0: as measured, which is only what is surely there. Too much of it draws fringes."
            ),
        )
        self.line = Line(small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(field(tr("Noise"), self.noise_box))
        column.addWidget(field(tr("Blur"), self.blur_box))
        column.addWidget(field("", self.line))
        for box in (self.noise_box, self.blur_box):
            box.valueChanged.connect(lambda _: self.changed.emit())

    @property
    def settings(self) -> dict[str, Any]:
        """Noise and blur as `UpscaleSettings` want them."""
        return {"noise": _value(self.noise_box), "blur": _value(self.blur_box)}

    def default_sharpness(self, card: Card) -> float:
        """Default of a model for the stack, as far as that is measured.

        Parameters
        ----------
        card
            Of the model.
        """
        if self.measured is None:
            return card.default_sharpness
        return card.sharpness_under(self.measured.conditions)

    def reset(self) -> None:
        """Another stack: nothing is typed, nothing measured yet."""
        for box in (self.noise_box, self.blur_box):
            box.setValue(MEASURED)
        self.show_measured(None)

    def show_measured(self, found: MeasuredConditions | None) -> None:
        """Say what was measured, and what is in doubt about it.

        Parameters
        ----------
        found
            None where nothing was measured.
        """
        self.measured = found
        if found is None:
            self.line.say("")
        elif found.notices:
            self.line.say(f"{found.sentence()}. {' '.join(found.notices)}", Tone.CARE)
        else:
            self.line.say(tr("measured: {sentence}", sentence=found.sentence()))


def _box(name: str, most: float, step: float, suffix: str, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setAccessibleName(name)
    box.setRange(MEASURED, most)
    box.setDecimals(1)
    box.setSingleStep(step)
    box.setSuffix(suffix)
    box.setSpecialValueText(tr("as measured"))
    box.setValue(MEASURED)
    box.setToolTip(tip)
    return box


def _value(box: QDoubleSpinBox) -> float | Literal["auto"]:
    return box.value() if box.value() >= 0 else "auto"
