"""What to measure: volumes, and how phases are found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from napari_sem_sr.errors import InputError
from napari_sem_sr.measure.phases.segmentation import Threshold
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.measure.tasks import VOLUMES
from napari_sem_sr.widgets.qt.dock import field, row
from napari_sem_sr.widgets.viewer.layers import is_ours
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

NAMES = {"bicubic": tr("bicubic"), "twin": tr("twin")}
MEANING = {
    "bicubic": tr("LR, interpolated to the pixels of SR: what the others are compared with."),
    "twin": tr("What the generator made before the adversarial stage."),
    "SR": tr("The super-resolved stack."),
    "HR": tr("The truth, where there is one."),
}
OTSU, THREE, TYPED, HYSTERESIS, LABELS = (
    tr("Otsu"),
    tr("Otsu, 3 phases"),
    tr("thresholds"),
    tr("hysteresis"),
    tr("labels: "),
)
HINTS = {TYPED: tr("128, or 80, 160 for three phases"), HYSTERESIS: tr("LOW:HIGH, as 100:140")}


class MeasureForm(QWidget):
    """Ticks for volumes, and how their phases are found.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    changed = Signal()

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self._viewer = viewer
        self.boxes = {name: QCheckBox(NAMES.get(name, name)) for name in VOLUMES}
        for name, box in self.boxes.items():
            box.setToolTip(MEANING[name])
            box.setEnabled(False)
            box.toggled.connect(self.changed)
        self.method = QComboBox()
        self.method.setToolTip(
            tr(
                "How grey values become phases: Otsu's threshold of each whole volume, thresholds of your own, hysteresis, or a Labels layer from anywhere."
            )
        )
        self.values = QLineEdit()
        self.values.setToolTip(tr("Grey values between the phases."))
        self.values_row = field(tr("Grey"), self.values)
        self.sizes = QCheckBox(tr("sizes"))
        self.sizes.setToolTip(tr("Separate the phases into objects and measure their diameters."))
        self.tortuosity = QCheckBox(tr("tortuosity"))
        self.tortuosity.setToolTip(tr("Find the shortest ways through each phase; takes longest."))
        for box in (self.sizes, self.tortuosity):
            box.setChecked(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(row(list(self.boxes.values())))
        column.addWidget(field(tr("Phases"), self.method))
        column.addWidget(self.values_row)
        column.addWidget(field(tr("Also"), self.sizes, self.tortuosity))
        self.method.currentTextChanged.connect(self._method_changed)
        self.values.editingFinished.connect(self.changed)
        viewer.layers.events.inserted.connect(self.offer_labels)
        viewer.layers.events.removed.connect(self.offer_labels)
        self.offer_labels()
        self._method_changed(self.method.currentText())

    def disconnect_viewer(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.inserted.disconnect(self.offer_labels)
        self._viewer.layers.events.removed.disconnect(self.offer_labels)

    def offer_labels(self) -> None:
        """Follow which Labels layers there are."""
        names = [
            f"{LABELS}{layer.name}"
            for layer in self._viewer.layers
            if isinstance(layer, Labels) and not is_ours(layer)
        ]
        wanted = [OTSU, THREE, TYPED, HYSTERESIS, *names]
        if wanted != [self.method.itemText(i) for i in range(self.method.count())]:
            before = self.method.currentText()
            self.method.blockSignals(True)
            self.method.clear()
            self.method.addItems(wanted)
            self.method.setCurrentText(before if before in wanted else OTSU)
            self.method.blockSignals(False)
            self._method_changed(self.method.currentText())

    def offer_volumes(self, names: Sequence[str]) -> None:
        """Enable the volumes that there are; new ones are ticked.

        Parameters
        ----------
        names
            Of the volumes that there are.
        """
        for name, box in self.boxes.items():
            there = name in names
            if there and not box.isEnabled():
                box.setChecked(True)
            box.setEnabled(there)
            if not there:
                box.setChecked(False)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Volumes that are ticked."""
        return tuple(name for name, box in self.boxes.items() if box.isChecked())

    @property
    def threshold(self) -> str:
        """As `measure` takes it.

        Raises
        ------
        InputError
            If what was typed is no threshold.
        """
        chosen = str(self.method.currentText())
        text = {OTSU: "otsu", THREE: "otsu:3"}.get(chosen, str(self.values.text()))
        if self.labels_layer() is not None:
            return "otsu"
        if not text.strip():
            raise InputError(
                tr("Give the grey value between the phases: {value}.", value=HINTS[chosen])
            )
        Threshold.parse(text)
        return text

    def labels_layer(self) -> Labels | None:
        """The Labels layer that says what the phases are."""
        text = self.method.currentText()
        if not text.startswith(LABELS):
            return None
        layer = self._viewer.layers[text.removeprefix(LABELS)]
        return layer if isinstance(layer, Labels) else None

    def labels(self) -> SemStack | None:
        """The phases of that layer."""
        layer = self.labels_layer()
        return None if layer is None else SemStack.from_array(layer.data, layer.name)

    def _method_changed(self, text: str) -> None:
        self.values_row.setVisible(text in HINTS)
        self.values.setPlaceholderText(HINTS.get(text, ""))
        self.changed.emit()
