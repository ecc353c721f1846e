"""Which difference is shown beside the roles, and the work of making it."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.metrics.difference import Band
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.differences import (
    Difference,
    Subject,
    iter_difference,
    slices_there,
)
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.qt.dock import Line, Tone, field
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.words import tr

NO_DIFFERENCE = tr("none")
NAME = "difference"
SUBJECTS: tuple[Subject, ...] = ("SR − HR", "SR − bicubic", "averaged SR − LR")
SUBJECT_NAMES = ("SR − HR", tr("SR − bicubic"), tr("averaged SR − LR"))
BANDS: tuple[Band, ...] = ("all", "low", "high")
BAND_NAMES = (tr("all"), tr("low"), tr("high"))


class DifferenceForm(QWidget):
    """Chooses a difference, makes it beside the user interface and shows it as a pane.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    roles
        Which layer plays which role.
    """

    shown = Signal()
    """The panes have changed."""

    def __init__(self, comparison: Comparison, roles: RoleForm) -> None:
        super().__init__()
        self._comparison = comparison
        self._roles = roles
        self.work = Work(self)
        self._outdated = False
        self.subject_box = QComboBox()
        self.subject_box.addItems([*SUBJECT_NAMES, NO_DIFFERENCE])
        self.subject_box.setToolTip(
            tr(
                "SR − HR: where SR is wrong. SR − bicubic: what the model added. Averaged SR − LR: where SR contradicts what was measured."
            )
        )
        self.sign_box = QComboBox()
        self.sign_box.addItems([tr("signed"), tr("absolute")])
        self.sign_box.setToolTip(tr("Signed: blue where SR is darker, red where it is brighter."))
        self.band_box = QComboBox()
        self.band_box.addItems(list(BAND_NAMES))
        for box in (self.subject_box, self.sign_box, self.band_box):
            # they have to fit a narrow dock
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.activated.connect(lambda _: self.show_difference())
        self.message = Line(small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(field(tr("Difference"), self.subject_box))
        column.addWidget(field("", self.sign_box, self.band_box))
        column.addWidget(self.message)
        self.work.finished.connect(self._made)
        self.work.ended.connect(self._ended)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.CARE))
        self.work.reported.connect(self._report)
        self._show_boxes()

    @property
    def wanted(self) -> Difference | None:
        """What is chosen; without HR, the difference to bicubic instead of that to HR."""
        subject = self.subject_box.currentText()
        if subject == NO_DIFFERENCE:
            return None
        known: Subject = SUBJECTS[SUBJECT_NAMES.index(subject)]
        if known == "SR − HR" and "HR" not in self._comparison.seats:
            known = "SR − bicubic"
        band: Band = BANDS[self.band_box.currentIndex()] if self.band_box.isEnabled() else "all"
        return Difference(known, band, self.sign_box.currentIndex() == 0)

    def show_difference(self) -> None:
        """Show what is chosen, as soon as it is made."""
        self._show_boxes()
        self._outdated = self.work.running
        if not self._comparison.active or self.work.running:
            return
        self._comparison.remove_pane(NAME)
        self.message.say("")
        wanted = self.wanted
        if wanted is None:
            self.shown.emit()
            return
        seats, excluded = dict(self._comparison.seats), self._roles.without
        sr = self._roles.roles.get("SR")
        done = None if sr is None else slices_there(sr)
        self.work.start("difference", lambda: iter_difference(seats, wanted, done, excluded))

    def _show_boxes(self) -> None:
        subject = self.subject_box.currentText()
        self.sign_box.setEnabled(subject != NO_DIFFERENCE)
        divided = subject not in (NO_DIFFERENCE, SUBJECT_NAMES[-1])
        self.band_box.setEnabled(divided)
        self.band_box.setToolTip(
            tr(
                "Low: spatial frequencies that LR could measure. High: those that the model had to invent."
            )
            if divided
            else tr("At LR's pixel size there is no high band to tell apart.")
        )

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.message.say(event.what)

    def _made(self, computed: Computed) -> None:
        self.message.say("")
        # the comparison may have ended, or something else been chosen, in the meantime
        if self._comparison.active and not self._outdated:
            self._comparison.add(NAME, computed)
            self.shown.emit()

    def _ended(self) -> None:
        if self._outdated:
            self.show_difference()
