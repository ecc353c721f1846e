"""What is drawn over the panes on request: the cursor, LR's pixels, the smallest trusted detail to scale."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.model.zoo import entry_of
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.field_marks import FieldMarks
from napari_sem_sr.widgets.qt.dock import row
from napari_sem_sr.widgets.qt.preferences import recall, remember
from napari_sem_sr.widgets.viewer import layer_stack
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.layers import Image

NO_SIZE = tr(
    "Known after an answer check against HR, or where the model that made SR is installed and the size of LR's pixels is known."
)


class OnScreen(QWidget):
    """Three ticks, and the marks they switch.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.marks = FieldMarks(comparison, self)
        self._measured_nm: float | None = None
        self._usual_nm: float | None = None
        self.cross_box, self.grid_box = QCheckBox(tr("cursor")), QCheckBox(tr("LR pixels"))
        self.ring_box = QCheckBox(tr("trusted ○"))
        self.cross_box.setToolTip(tr("Show the point under the cursor in every pane."))
        self.grid_box.setToolTip(
            tr("Draw the edges of LR's pixels, once they are large enough to be seen.")
        )
        self.cross_box.setChecked(recall("cross_cursor", default=True))
        self.grid_box.setChecked(recall("lr_grid", default=False))
        for box, name in ((self.cross_box, "cross_cursor"), (self.grid_box, "lr_grid")):
            box.toggled.connect(partial(remember, name))
            box.toggled.connect(lambda _: self.refresh())
        self.ring_box.toggled.connect(lambda _: self.refresh())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row([self.cross_box, self.grid_box, self.ring_box]))
        self.trust(None)

    def trust(self, evidence: FinishedCheck | None) -> None:
        """Take the smallest trusted detail from a check, where it was measured.

        Parameters
        ----------
        evidence
            A finished check; None for none.
        """
        scores = None if evidence is None else evidence.report.scores
        self._measured_nm = None if scores is None else scores["frc_nm"]
        self._offer()

    def know(self, roles: "Mapping[Role, Image]") -> None:
        """Take from the card of the model that made SR what it usually resolves.

        Parameters
        ----------
        roles
            Layers by role.
        """
        self._usual_nm = usual_detail_nm(roles)
        self._offer()

    @property
    def trusted_nm(self) -> float | None:
        """The smallest trusted detail: as measured against HR, or else as the model's card says."""
        return self._usual_nm if self._measured_nm is None else self._measured_nm

    def _offer(self) -> None:
        size = self.trusted_nm
        self.ring_box.setEnabled(size is not None)
        if size is None:
            self.ring_box.setText(tr("trusted ○"))
            self.ring_box.setToolTip(NO_SIZE)
        elif self._measured_nm is not None:
            self.ring_box.setText(f"○ {spoken_length(size, 3)}")
            self.ring_box.setToolTip(
                tr(
                    "The smallest detail in which SR follows HR is {size} (Fourier ring correlation); the ring shows it to scale.",
                    size=spoken_length(size, 3),
                )
            )
        else:
            self.ring_box.setText(tr("○ {size}, card", size=spoken_length(size, 3)))
            self.ring_box.setToolTip(
                tr(
                    "By the model's card, discs, pores and lines are drawn in at least 90 % of trials from {size} on; the ring shows it to scale. Not measured on this stack: check against HR for that.",
                    size=spoken_length(size, 3),
                )
            )
        self.refresh()

    def refresh(self) -> None:
        """Draw what is ticked."""
        self.marks.cross = self.cross_box.isChecked()
        self.marks.grid = self.grid_box.isChecked()
        self.marks.trusted_nm = self.trusted_nm if self.ring_box.isChecked() else None
        self.marks.draw()


def usual_detail_nm(roles: "Mapping[Role, Image]") -> float | None:
    """Size from which the model that made SR draws what is there, by its card; None where that is not known.

    Parameters
    ----------
    roles
        Layers by role.
    """
    if "SR" not in roles or "LR" not in roles:
        return None
    try:
        made, pixel = (
            layer_stack.stack_of(roles["SR"]).provenance,
            layer_stack.stack_of(roles["LR"]).voxel_nm[2],
        )
    except SemSrError:
        return None
    entry = entry_of(made)
    power = None if entry is None else entry.card.resolving_power
    if power is None or pixel is None or made is None:
        return None
    size = power.smallest("twin" if made.get("sharpness") == 0 else "gan")
    return None if size is None else size * pixel
