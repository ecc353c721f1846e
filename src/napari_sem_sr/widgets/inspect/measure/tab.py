"""The tab Measure: numbers of bicubic, twin, SR and HR side by side."""

from pathlib import Path

from napari.layers import Image
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QProgressBar, QPushButton

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.doubt import has_trust
from napari_sem_sr.measure.measurement import PAGE, Measurements
from napari_sem_sr.widgets.inspect.check import tasks as check_tasks
from napari_sem_sr.widgets.inspect.measure.form import MeasureForm
from napari_sem_sr.widgets.inspect.measure.objects_layer import add_objects
from napari_sem_sr.widgets.inspect.measure.preview import PhasePreview
from napari_sem_sr.widgets.inspect.measure.table import NumbersTable
from napari_sem_sr.widgets.inspect.measure.tasks import (
    MeasureRequest,
    default_folder,
    iter_measured,
    possible,
)
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.qt.dock import Dock, Line, PathLabel, Tone, field, primary, row, tool
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer.layer_stack import stack_of
from napari_sem_sr.widgets.words import spoken, tr

INTRO = tr(
    "How much of each phase is there, with how much surface, in which sizes, and does it reach through? The same numbers of bicubic, twin, SR and HR, with what of them rests on detail that is not supported."
)


class MeasureTab(Dock):
    """Measure the volumes that play the roles above."""

    def __init__(self, comparison: Comparison, roles: RoleForm) -> None:
        super().__init__(comparison.viewer)
        self.role_form = roles
        self._folder: Path | None = None
        self._main: Image | None = None
        self.work = Work(self)
        self.folder_label = PathLabel()
        self.folder_button = tool("…", tr("Choose the folder of the report."))
        self.form = MeasureForm(comparison.viewer)
        self.preview = PhasePreview(comparison.viewer, self.form)
        self.intro = Line(INTRO, small=True)
        self.verdict = Line()
        self.numbers = NumbersTable()
        for part in (
            field(tr("Report"), self.folder_label, self.folder_button),
            self.form,
            self.preview,
            self.intro,
            self.verdict,
            self.numbers,
        ):
            self.body.addWidget(part)
        self.body.setStretchFactor(self.numbers, 1)
        self.body.addStretch(0)
        self.message = Line()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.stop_button = QPushButton(tr("Stop"))
        self.stop_button.setToolTip(tr("Stop; nothing is kept, an earlier measurement stays."))
        self.progress = row([self.bar, self.stop_button])
        self.report_button = QPushButton(tr("Report…"))
        self.objects_button = QPushButton(tr("Objects"))
        self.solid_button = QPushButton("3D")
        self.solid_button.setCheckable(True)
        self.start_button = primary(tr("Measure"))
        for part in (self.message, self.progress):
            self.footer.addWidget(part)
        buttons = [self.report_button, self.objects_button, self.solid_button, self.start_button]
        self.footer.addWidget(row(buttons))
        self._connect()
        self.numbers.show_numbers(None)
        self._roles_changed()

    def _connect(self) -> None:
        self.role_form.changed.connect(self._roles_changed)
        self.form.changed.connect(self._show_buttons)
        self.start_button.clicked.connect(self.measure)
        self.stop_button.clicked.connect(self.work.cancel)
        self.report_button.clicked.connect(self._open_report)
        self.objects_button.clicked.connect(self.show_objects)
        self.solid_button.toggled.connect(self._show_solid)
        self.folder_button.clicked.connect(self._choose_folder)
        self.work.reported.connect(self._report)
        self.work.finished.connect(self._show_numbers)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self.work.cancelled.connect(lambda: self.message.say(tr("Stopped; nothing was kept.")))
        self.work.ended.connect(self._show_buttons)

    def _roles_changed(self) -> None:
        roles = self.role_form.roles
        self.form.offer_volumes(possible(roles))
        main = next((roles[r] for r in ("SR", "HR", "twin", "LR") if r in roles), None)
        if main is not self._main:
            self._main = main
            self.numbers.show_numbers(None)
            self.verdict.say("")
            self.intro.show()
            self.set_folder(None if main is None else default_folder(main))
            self.preview.show_of(main)
        self._show_buttons()

    def set_folder(self, folder: Path | None) -> None:
        """Write the report to ``folder``."""
        self._folder = folder
        self.folder_label.setText("" if folder is None else str(folder))
        self.folder_label.setToolTip(
            "" if folder is None else tr("Report, table and labels: {folder}", folder=folder)
        )
        self._show_buttons()

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of the report"))
        if path:
            self.set_folder(Path(path))

    def request(self) -> MeasureRequest | None:
        """What is chosen; None, with the reason on screen, where it cannot be measured."""
        if self._folder is None:
            return None
        self.message.say("")
        try:
            stacks = {role: stack_of(layer) for role, layer in self.role_form.roles.items()}
            sr = self.role_form.roles.get("SR")
            check = None if sr is None else check_tasks.default_folder(sr)
            known = check is not None and "SR" in self.form.wanted and has_trust(check)
            return MeasureRequest(
                stacks,
                self.form.wanted,
                self.form.threshold,
                self.form.labels(),
                self._folder,
                check if known else None,
                self.form.sizes.isChecked(),
                self.form.tortuosity.isChecked(),
            )
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return None

    def measure(self) -> None:
        """Measure what is chosen."""
        request = self.request()
        if request is not None and not self.work.running:
            self.work.start("measuring", lambda: iter_measured(request))
            self._show_buttons()

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            of = (
                tr(
                    ", {done} of {total} {unit}",
                    done=event.done,
                    total=event.total,
                    unit=event.unit,
                )
                if event.total > 1
                else ""
            )
            self.message.say(f"{spoken(event.what)}{of}")
            self.bar.setRange(0, event.total if event.total > 1 else 0)
            self.bar.setValue(event.done)

    def _show_numbers(self, found: Measurements) -> None:
        self.intro.hide()
        self.message.say("")
        doubtful = "not supported" in found.verdict
        self.verdict.say(found.verdict, Tone.CARE if doubtful else Tone.PLAIN)
        self.numbers.show_numbers(found)

    def show_objects(self) -> None:
        """Add the objects of the shown phase, coloured by size."""
        found, label = self.numbers.found, self.numbers.label
        if found is None or label is None or self._folder is None or self._main is None:
            return
        try:
            add_objects(self.viewer, self._folder, found.volumes[-1].name, label, self._main)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)

    def _show_solid(self, solid: bool) -> None:
        self.viewer.dims.ndisplay = 3 if solid else 2

    def _open_report(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str((self._folder / PAGE).absolute())))

    def _show_buttons(self) -> None:
        running, there = self.work.running, self.numbers.found is not None
        reason = ""
        if running:
            reason = tr("A measurement is running; wait for it or stop it.")
        elif not self.form.wanted:
            reason = tr("Choose SR or HR above and tick what to measure.")
        self.start_button.setEnabled(not reason)
        self.start_button.setToolTip(reason or tr("Measure the ticked volumes slice by slice."))
        nothing = tr("Nothing is measured yet.")
        for button, tip in (
            (
                self.report_button,
                tr("Open the report: all numbers, pictures and curves on one page."),
            ),
            (
                self.objects_button,
                tr("Add the objects of this phase as a Labels layer, coloured by size."),
            ),
        ):
            button.setEnabled(there and not running)
            button.setToolTip(tip if there else nothing)
        self.solid_button.setEnabled(self._main is not None)
        self.solid_button.setToolTip(
            tr("Look at the volume, or at the objects, in three dimensions.")
        )
        self.progress.setVisible(running)

    def tear_down(self) -> None:
        """Stop measuring and let go of the viewer."""
        self.work.close()
        self.preview.disconnect_viewer()
        self.form.disconnect_viewer()
        self._main = None
