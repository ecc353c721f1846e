"""What is drawn over the panes on request: the cursor, LR's pixels, the smallest trusted detail to scale."""

from functools import partial

from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_sem_sr.widgets.comparison import Comparison
from napari_sem_sr.widgets.dock import row
from napari_sem_sr.widgets.evidence import Evidence
from napari_sem_sr.widgets.field_marks import FieldMarks
from napari_sem_sr.widgets.preferences import recall, remember

NO_SIZE = (
    "Known after an answer check against HR: the smallest detail in which SR follows HR "
    "(Fourier ring correlation)."
)


class OnScreen(QWidget):
    """Three ticks, and the marks they switch."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.marks = FieldMarks(comparison, self)
        self._trusted_nm: float | None = None
        self.cross_box, self.grid_box = QCheckBox("cursor"), QCheckBox("LR pixels")
        self.ring_box = QCheckBox("trusted ○")
        self.cross_box.setToolTip("Show the point under the cursor in every pane.")
        self.grid_box.setToolTip(
            "Draw the edges of LR's pixels, once they are large enough to be seen."
        )
        self.cross_box.setChecked(recall("cross_cursor", default=True))
        self.grid_box.setChecked(recall("lr_grid", default=False))
        for box, name in ((self.cross_box, "cross_cursor"), (self.grid_box, "lr_grid")):
            box.toggled.connect(partial(remember, name))
            box.toggled.connect(lambda _: self.refresh())
        self.ring_box.toggled.connect(lambda _: self.refresh())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row([QLabel("Draw"), self.cross_box, self.grid_box, self.ring_box]))
        self.trust(None)

    def trust(self, evidence: Evidence | None) -> None:
        """Take the smallest trusted detail from a check, where it was measured."""
        scores = None if evidence is None else evidence.report.scores
        self._trusted_nm = None if scores is None else scores["frc_nm"]
        known = self._trusted_nm is not None
        self.ring_box.setEnabled(known)
        self.ring_box.setText(f"○ {self._trusted_nm:.0f} nm" if known else "trusted ○")
        self.ring_box.setToolTip(
            f"The smallest detail in which SR follows HR is {self._trusted_nm:.3g} nm; the ring shows it to scale."
            if known
            else NO_SIZE
        )
        self.refresh()

    def refresh(self) -> None:
        """Draw what is ticked."""
        self.marks.cross = self.cross_box.isChecked()
        self.marks.grid = self.grid_box.isChecked()
        self.marks.trusted_nm = self._trusted_nm if self.ring_box.isChecked() else None
        self.marks.draw()
