"""How a comparison is shown: four buttons, and what belongs to each."""

from functools import partial

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison, Mode
from napari_sem_sr.widgets.qt.dock import Line, Tone, field, row
from napari_sem_sr.widgets.qt.preferences import recall, remember
from napari_sem_sr.widgets.words import tr

STEPS = 200
BLINK_KEY = "b"
LOOKS: dict[Mode, tuple[str, str]] = {
    "side by side": (tr("▥ panes"), tr("All panes beside each other, one camera.")),
    "curtain": (
        tr("◧ curtain"),
        tr("Two panes in one place, divided by a line that you can drag."),
    ),
    "blink": (
        tr("⇄ blink"),
        tr("Two panes in one place, one after the other: what jumps is what differs."),
    ),
    "overlay": (tr("◐ blend"), tr("Two panes in one place, one blended into the other.")),
}


class ModeControls(QWidget):
    """Buttons for the modes, the pair that shares one place, and its slider or timer.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    picked = Signal(str)
    """A person asked for this mode."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self.buttons: dict[Mode, QPushButton] = {}
        group = QButtonGroup(self)
        for mode, (text, tip) in LOOKS.items():
            button = QPushButton(text)
            button.setCheckable(True)
            button.setToolTip(tip)
            # four of them have to fit a narrow dock
            button.setStyleSheet("QPushButton { padding: 4px 0px; }")
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, mode=mode: self.picked.emit(mode))
            group.addButton(button)
            self.buttons[mode] = button
        self.buttons["side by side"].setChecked(True)
        self.first_box, self.second_box = QComboBox(), QComboBox()
        for box in (self.first_box, self.second_box):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(3)
        self.first_box.setToolTip(tr("Shown on the left, or first."))
        self.second_box.setToolTip(tr("Shown on the right, or second."))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setValue(STEPS // 2)
        self.slider.setToolTip(
            tr("Where the line is, or how much of the second pane is blended in.")
        )
        self.period = QDoubleSpinBox()
        self.period.setRange(0.1, 5.0)
        self.period.setSingleStep(0.1)
        self.period.setValue(recall("blink_seconds", 0.6))
        self.period.setSuffix(" s")
        self.period.setToolTip(tr("Time between two flips."))
        self.run_button = QPushButton(tr("run"))
        self.run_button.setCheckable(True)
        self.run_button.setChecked(True)
        self.run_button.setToolTip(
            tr(
                "Flip by itself; the key {upper} on the canvas flips by hand.",
                upper=BLINK_KEY.upper(),
            )
        )
        self.message = Line(small=True)
        self.pair_row = field(tr("Panes"), self.first_box, QLabel("|"), self.second_box)
        self.slider_row = field(tr("Place"), self.slider)
        self.blink_row = field(tr("Every"), self.period, self.run_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        for widget in (
            row(list(self.buttons.values())),
            self.pair_row,
            self.slider_row,
            self.blink_row,
            self.message,
        ):
            column.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.timeout.connect(comparison.flip)
        self.slider.valueChanged.connect(lambda _: self._slide())
        for box in (self.first_box, self.second_box):
            box.activated.connect(lambda _: self.apply())
        self.period.valueChanged.connect(lambda _: self._set_timer())
        self.period.valueChanged.connect(partial(remember, "blink_seconds"))
        self.run_button.toggled.connect(lambda _: self._set_timer())
        self._show_rows()

    @property
    def mode(self) -> Mode:
        """The mode whose button is down."""
        return next(mode for mode, button in self.buttons.items() if button.isChecked())

    def fill(self) -> None:
        """Offer the panes that are shown."""
        names = list(self._comparison.panes)
        if not names:
            return
        for box, wanted in ((self.first_box, 0), (self.second_box, 1)):
            before = box.currentText()
            box.clear()
            box.addItems(names)
            box.setCurrentText(before if before in names else names[min(wanted, len(names) - 1)])

    def apply(self) -> None:
        """Show the panes as the controls say."""
        self._show_rows()
        self.message.say("")
        if not self._comparison.active:
            return
        pair = (self.first_box.currentText(), self.second_box.currentText())
        try:
            self._comparison.arrange(self.mode, pair, self._amount())
        except SemSrError as error:
            self.message.say(str(error), Tone.CARE)
        if self._comparison.curtain is not None:
            self._comparison.curtain.moved = self._follow_line
        self._set_timer()

    def stop(self) -> None:
        """No more flipping; panes beside each other are the way to begin next time."""
        self._timer.stop()
        self._bind_key(on=False)
        self.buttons["side by side"].setChecked(True)
        self._show_rows()

    def _amount(self) -> float:
        part: float = self.slider.value() / STEPS
        # the line moves with the slider: the first pane on its left, the second on its right
        return {"curtain": 1 - part, "blink": 0.0}.get(self.mode, part)

    def _slide(self) -> None:
        if self.mode in ("curtain", "overlay"):
            self._comparison.set_amount(self._amount())

    def _follow_line(self, part: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(part * STEPS))
        self.slider.blockSignals(False)
        self._comparison.amount = 1 - part

    def _show_rows(self) -> None:
        mode = self.mode
        self.pair_row.setVisible(mode != "side by side")
        self.slider_row.setVisible(mode in ("curtain", "overlay"))
        self.blink_row.setVisible(mode == "blink")

    def _set_timer(self) -> None:
        blinking = self._comparison.active and self.mode == "blink"
        self._bind_key(on=blinking)
        if blinking and self.run_button.isChecked():
            self._timer.start(round(1000 * self.period.value()))
        else:
            self._timer.stop()

    def _bind_key(self, *, on: bool) -> None:
        def flip(_: object) -> None:
            self._comparison.flip()

        self._comparison.viewer.bind_key(BLINK_KEY, flip if on else None, overwrite=True)
