"""How large a figure is to be, and whether what is synthetic in it is marked."""

from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from napari_sem_sr.widgets.qt.preferences import recall, remember
from napari_sem_sr.widgets.words import tr


class FigureDialog(QDialog):
    """Width, resolution and mark of a figure; the format is chosen with its name.

    Parameters
    ----------
    parent
        Window over which it opens.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Picture"))
        self.width_box = QDoubleSpinBox()
        self.width_box.setRange(20, 1000)
        self.width_box.setDecimals(0)
        self.width_box.setSuffix(" mm")
        self.width_box.setValue(recall("figure_width_mm", 180.0))
        self.width_box.setToolTip(
            tr("Width on paper; a column of a journal has 80 to 90 mm, a page about 180 mm.")
        )
        self.dpi_box = QSpinBox()
        self.dpi_box.setRange(72, 1200)
        self.dpi_box.setSuffix(" dpi")
        self.dpi_box.setValue(recall("figure_dpi", 300))
        self.dpi_box.setToolTip(tr("Dots per inch; journals ask for 300 or more."))
        self.mark_box = QCheckBox(tr("mark what is synthetic"))
        self.mark_box.setChecked(recall("mark_pictures", default=True))
        self.mark_box.setToolTip(
            tr(
                'Write "super-resolved (synthetic)" into panels that were not measured. Leave it out only where the caption says so.'
            )
        )
        form = QFormLayout(self)
        self.width_box.setAccessibleName(tr("Width"))
        self.dpi_box.setAccessibleName(tr("Resolution"))
        form.addRow(tr("Width"), self.width_box)
        form.addRow(tr("Resolution"), self.dpi_box)
        form.addRow("", self.mark_box)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    def accept(self) -> None:
        """Remember the sizes for the next time."""
        remember("figure_width_mm", self.width_box.value())
        remember("figure_dpi", self.dpi_box.value())
        super().accept()
