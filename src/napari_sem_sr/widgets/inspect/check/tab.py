"""The tab Answer check: the verdict, its lights, and the suspect places one after the other."""

import time
from collections.abc import Callable
from pathlib import Path

from napari.layers import Image
from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QProgressBar, QPushButton

from napari_sem_sr.checking.report.document import PAGE
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.check.options import CheckOptionsForm
from napari_sem_sr.widgets.inspect.check.suspects import Suspects
from napari_sem_sr.widgets.inspect.check.tasks import (
    FinishedCheck,
    default_folder,
    is_finished,
    iter_evidence,
    iter_saved,
    steps_of,
)
from napari_sem_sr.widgets.inspect.check.verdict_view import VerdictView
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.qt.dock import (
    Dock,
    Line,
    PathLabel,
    Tone,
    field,
    link,
    primary,
    row,
    tool,
)
from napari_sem_sr.widgets.qt.eta import Steps
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layer_stack
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

INTRO = tr(
    "Does SR agree with the LR it was made of? Is the stack like what the model was taught on? Is enough known to say where it may be trusted? And which places should a person look at first? With HR, also: how close is it?"
)


class AnswerCheckTab(Dock):
    """Check SR, and look at the places where it is least supported.

    Parameters
    ----------
    compare
        Lays out the panes; called before the first place is shown.
    """

    taken_up = Signal(object)
    """The evidence that is shown; None when it no longer is."""

    def __init__(
        self, comparison: Comparison, roles: RoleForm, compare: Callable[[], None]
    ) -> None:
        super().__init__(comparison.viewer)
        self.role_form = roles
        self.evidence: FinishedCheck | None = None
        self._folder: Path | None = None
        self._sr: Image | None = None
        self._steps = Steps()
        self.work = Work(self)
        self.folder_label = PathLabel()
        self.folder_button = tool("…", tr("Choose the folder of the report."))
        self.options = CheckOptionsForm()
        self.intro = Line(INTRO, small=True)
        self.verdict = VerdictView()
        self.suspects = Suspects(comparison, roles, compare, keys_in=self)
        for part in (
            field(tr("Report"), self.folder_label, self.folder_button),
            self.options,
            self.intro,
            self.verdict,
            self.suspects,
        ):
            self.body.addWidget(part)
        self.body.setStretchFactor(self.suspects, 1)
        self.body.addStretch(0)
        self.message = Line()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.stop_button = QPushButton(tr("Stop"))
        self.stop_button.setToolTip(
            tr("Stop; what is checked is kept, and Check continues from there.")
        )
        self.progress = row([self.bar, self.stop_button])
        self.report_button = QPushButton(tr("Report…"))
        self.load_button = QPushButton(tr("Load…"))
        self.load_button.setToolTip(tr("Open an earlier check by its folder."))
        self.start_button = primary(tr("Check"))
        for part in (self.suspects.below, self.message, self.progress):
            self.footer.addWidget(part)
        self.footer.addWidget(row([self.report_button, self.load_button, self.start_button]))
        self._connect()
        self._roles_changed()

    def _connect(self) -> None:
        self.role_form.changed.connect(self._roles_changed)
        self.start_button.clicked.connect(self.check)
        self.stop_button.clicked.connect(self.work.cancel)
        self.load_button.clicked.connect(self._load)
        self.report_button.clicked.connect(self._export)
        self.folder_button.clicked.connect(self._choose_folder)
        self.message.linkActivated.connect(self._open_report)
        self.work.reported.connect(self._report)
        self.work.finished.connect(self._show_evidence)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self.work.cancelled.connect(
            lambda: self.message.say(tr("Stopped; Check continues from where it was."))
        )
        self.work.ended.connect(self._show_buttons)
        self.options.changed.connect(self._show_buttons)
        places = self.suspects.places
        places.picked.connect(lambda _: self.show_part(places.list))

    def give_room(self, dock_px: int) -> None:
        """Let the places have half of a dock that is so high."""
        self.suspects.places.list.setMinimumHeight(dock_px // 2)

    def _roles_changed(self) -> None:
        sr = self.role_form.roles.get("SR")
        if sr is not self._sr:
            self._sr = sr
            self._forget()
            self.set_folder(None if sr is None else default_folder(sr))
        self._show_buttons()

    def set_folder(self, folder: Path | None) -> None:
        """Write the report to, or find it in, ``folder``."""
        self._folder = folder
        self.folder_label.setText("" if folder is None else str(folder))
        self.folder_label.setToolTip(
            "" if folder is None else tr("Report, maps and judgements: {folder}", folder=folder)
        )
        self._show_buttons()

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of the report"))
        if path:
            self.set_folder(Path(path))

    def check(self) -> None:
        """Check, go on with what was stopped, or take up what is finished."""
        folder, stacks = self._folder, self._stacks()
        if folder is not None and stacks is not None and not self.work.running:
            options = self.options.options(self.role_form.without)
            further = self._may_look_further
            self.work.start(
                f"checking {stacks['SR'].name}",
                lambda: iter_evidence(stacks, folder, options, further=further),
            )
            self._show_buttons()

    def load(self, folder: Path) -> None:
        """Take up the check in ``folder``."""
        stacks = self._stacks()
        if stacks is not None and not self.work.running:
            self.set_folder(folder)
            self.work.start("reading a check", lambda: iter_saved(stacks, folder))
            self._show_buttons()

    def _load(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Folder of a check"))
        if path:
            self.load(Path(path))

    def _stacks(self) -> dict[Role, SemStack] | None:
        self.message.say("")
        try:
            return {
                role: layer_stack.stack_of(layer)
                for role, layer in self.role_form.roles.items()
                if role in ("LR", "SR", "HR")
            }
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return None

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.message.say(self._steps.spoken(time.monotonic(), event))
            self.bar.setRange(0, max(1, event.total) if event.total > 1 else 0)
            self.bar.setValue(event.done)

    # ---- what was found

    def _forget(self) -> None:
        if self.evidence is not None:
            self.evidence = None
            self.taken_up.emit(None)
        self.verdict.show_report(None)
        self.intro.show()
        self.suspects.forget()

    def _show_evidence(self, evidence: FinishedCheck) -> None:
        self._forget()
        self.evidence = evidence
        self.intro.hide()
        self.options.collapse(animate=False)
        self.verdict.show_report(evidence.report)
        try:
            self.suspects.show_places(evidence)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.message.say(
            tr(
                "{link} in '{name}'.",
                link=link("open", tr("Open the report")),
                name=evidence.folder.name,
            ),
            Tone.GOOD,
        )
        self.show_part(self.verdict)
        self.taken_up.emit(evidence)

    # ---- the report

    def _open_report(self, _: str) -> None:
        if self.evidence is not None:
            page = self.evidence.folder / PAGE
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.absolute())))

    def _export(self) -> None:
        if self.evidence is None:
            return
        name = tr("{value} report.html", value=self.evidence.report.sr["name"])
        path, _ = QFileDialog.getSaveFileName(self, tr("Export the report"), name, "HTML (*.html)")
        if path:
            self.export(Path(path))

    def export(self, path: Path) -> None:
        """Write the report, judgements included, as one page that can be sent to a colleague."""
        if self.evidence is None:
            return
        page = (self.evidence.folder / PAGE).read_bytes()
        try:
            with translate_os_errors(path), atomic_write(path) as unfinished:
                unfinished.write_bytes(page)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.message.say(tr("Report written to '{name}'.", name=path.name), Tone.GOOD)

    # ---- buttons

    @property
    def _may_look_further(self) -> bool:
        """Whether a quick look is shown, and more slices are asked for."""
        every = self.options.every_box.value()
        return self.evidence is not None and every < steps_of(self.evidence.report)

    def _show_buttons(self) -> None:
        roles, running = self.role_form.roles, self.work.running
        reason = ""
        if running:
            reason = tr("A check is running; wait for it or stop it.")
        elif "LR" not in roles or "SR" not in roles:
            reason = tr("Choose LR and SR above: SR is checked against the LR it was made of.")
        there = self._folder is not None and is_finished(self._folder)
        further = there and self._may_look_further
        offer = tr("Check further") if further else tr("Take up the check")
        self.start_button.setText(offer if there else tr("Check"))
        self.start_button.setEnabled(not reason)
        self.start_button.setToolTip(
            reason
            or (
                tr("The report of this SR is there; show it.")
                if there and not further
                else tr(
                    "Look through all slices for what LR, the twin and the neighbours do not support."
                )
            )
        )
        self.load_button.setEnabled(not reason)
        self.options.offer(hr="HR" in roles)
        self.report_button.setEnabled(self.evidence is not None)
        self.report_button.setToolTip(
            tr("Write the report, with your judgements, as one page to send to a colleague.")
            if self.evidence is not None
            else tr("There is no report yet: check first.")
        )
        self.progress.setVisible(running)

    def tear_down(self) -> None:
        """Stop the check (what is done stays) and let go of the viewer."""
        self.work.close()
        self.suspects.forget()
        self._sr = self.evidence = None
