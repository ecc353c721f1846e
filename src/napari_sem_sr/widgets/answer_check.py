"""The tab Answer check: the verdict, its lights, and the suspect places one after the other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari.layers import Image
from qtpy.QtCore import Qt, QUrl, Signal
from qtpy.QtGui import QDesktopServices, QKeySequence
from qtpy.QtWidgets import QFileDialog, QProgressBar, QPushButton, QShortcut

from napari_sem_sr.checking.places import centre_of, corners_of
from napari_sem_sr.checking.report import PAGE
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io.durable import replacing, told_plainly
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.comparison import Comparison
from napari_sem_sr.widgets.dock import Dock, Line, PathLabel, Tone, field, link, primary, row, tool
from napari_sem_sr.widgets.evidence import (
    Evidence,
    PlaceSeen,
    default_folder,
    is_finished,
    iter_evidence,
    iter_places,
    iter_saved,
)
from napari_sem_sr.widgets.ink import Mark
from napari_sem_sr.widgets.judging import KEYS, Judging
from napari_sem_sr.widgets.layers import Role
from napari_sem_sr.widgets.place_list import PlaceList
from napari_sem_sr.widgets.role_form import RoleForm
from napari_sem_sr.widgets.roles import seats_of
from napari_sem_sr.widgets.verdict_view import VerdictView
from napari_sem_sr.widgets.work import Work

MARK = "place"
# a place is shown with this much around it, and never larger than so many SR pixels fill a pane
SURROUNDINGS, LEAST_PX = 6.0, 80
INTRO = (
    "Does SR agree with the LR it was made of? Is the stack like what the model was taught on? Is enough known to say "
    "where it may be trusted? And which places should a person look at first? With HR, also: how close is it?"
)
BACK_KEY, ON_KEY = "P", "N"


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
        self.comparison = comparison
        self.role_form = roles
        self._compare = compare
        self.evidence: Evidence | None = None
        self._folder: Path | None = None
        self._sr: Image | None = None
        self.work, self._pictures = Work(self), Work(self)
        self.folder_label = PathLabel()
        self.folder_button = tool("…", "Choose the folder of the report.")
        self.intro = Line(INTRO, small=True)
        self.verdict = VerdictView()
        self.places = PlaceList()
        self.about = Line(small=True)
        self.judging = Judging()
        for part in (
            field("Report", self.folder_label, self.folder_button),
            self.intro,
            self.verdict,
            self.places,
        ):
            self.body.addWidget(part)
        self.body.setStretchFactor(self.places, 1)
        self.body.addStretch(0)
        self.message = Line()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop; what is checked is kept, and Check goes on from there.")
        self.progress = row([self.bar, self.stop_button])
        self.report_button = QPushButton("Report…")
        self.load_button = QPushButton("Load…")
        self.load_button.setToolTip("Take up a check that was made before, by its folder.")
        self.start_button = primary("Check")
        for part in (self.about, self.judging, self.message, self.progress):
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
        self.places.picked.connect(self.go_to)
        self.judging.judged.connect(self.places.next_open)
        self.judging.changed.connect(lambda: self.places.show_judgements(self.judging.said))
        self.judging.undo_button.clicked.disconnect()
        self.judging.undo_button.clicked.connect(self.undo)
        self.work.reported.connect(self._report)
        self.work.finished.connect(self._show_evidence)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self.work.cancelled.connect(
            lambda: self.message.say("Stopped; Check goes on from where it was.")
        )
        self.work.ended.connect(self._show_buttons)
        self._pictures.reported.connect(self._show_picture)
        self._pictures.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        actions: dict[str, Callable[[], object]] = {
            **{key: partial(self.judging.say, opinion) for key, opinion in KEYS.items()},
            ON_KEY: lambda: self.places.step(1),
            BACK_KEY: lambda: self.places.step(-1),
            "Ctrl+Z": self.undo,
        }
        for key, action in actions.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        self._canvas_keys = {k.lower(): a for k, a in actions.items() if len(k) == 1}

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
            "" if folder is None else f"Report, maps and judgements: {folder}"
        )
        self._show_buttons()

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder of the report")
        if path:
            self.set_folder(Path(path))

    def check(self) -> None:
        """Check, go on with what was stopped, or take up what is finished."""
        folder = self._folder
        stacks = self._stacks()
        if folder is not None and stacks is not None and not self.work.running:
            without = self.role_form.without
            self.work.start(
                f"checking {stacks['SR'].name}", lambda: iter_evidence(stacks, folder, without)
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
        path = QFileDialog.getExistingDirectory(self, "Folder of a check")
        if path:
            self.load(Path(path))

    def _stacks(self) -> dict[Role, SemStack] | None:
        self.message.say("")
        try:
            return {
                role: layers.stack_of(layer)
                for role, layer in self.role_form.roles.items()
                if role != "twin"
            }
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return None

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.message.say(
                f"{event.what}, {event.done} of {event.total} {event.unit}"
                if event.total > 1
                else event.what
            )
            self.bar.setRange(0, max(1, event.total) if event.total > 1 else 0)
            self.bar.setValue(event.done)

    # ---- what was found

    def _forget(self) -> None:
        self._pictures.close()
        if self.evidence is not None:
            self.evidence = None
            self.taken_up.emit(None)
        self.verdict.show_report(None)
        self.intro.show()
        self.places.hide()
        self.judging.hide()
        self.judging.begin(None, ())
        self.about.say("")
        self.comparison.set_mark(MARK, None)
        self._bind_keys(on=False)

    def _show_evidence(self, evidence: Evidence) -> None:
        self._forget()
        self.evidence = evidence
        report = evidence.report
        self.intro.hide()
        self.verdict.show_report(report)
        regions = list(report.regions)
        self.judging.begin(evidence.folder, regions)
        try:
            seats, units = seats_of(self.role_form.roles)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self._seat = seats["SR"]
        self.places.show_places(
            regions, self._seat, f"{units[-1]:~P}", self.judging.said, hr=report.hr is not None
        )
        self.places.setVisible(bool(regions))
        self.judging.setVisible(bool(regions))
        self.message.say(
            f"{link('open', 'Open the report')} in '{evidence.folder.name}'.", Tone.GOOD
        )
        self.taken_up.emit(evidence)
        if regions:
            self.about.say("Go to the worst places with ↓ or a click, and judge each.")
            self._pictures.start("looking at places", lambda: iter_places(evidence))
            self._bind_keys(on=True)
        else:
            self.about.say("No place of the stack stands out from the rest.")

    def _show_picture(self, event: Event) -> None:
        sr = self.role_form.roles.get("SR")
        if isinstance(event, PlaceSeen) and sr is not None:
            low, high = sr.contrast_limits
            self.places.show_picture(
                event.index, event.seen, IntensityRange(float(low), float(high))
            )

    def go_to(self, index: int) -> None:
        """Show a place in all panes, outlined."""
        if self.evidence is None:
            return
        if not self.comparison.active:
            self._compare()
        region = self.evidence.report.regions[index]
        self.judging.look_at(index)
        z, y, x = centre_of(region, self._seat)
        corners = corners_of(region, self._seat)
        self.comparison.set_mark(MARK, Mark("rectangle", corners, width_px=2))
        extent = max(
            SURROUNDINGS * float((corners.max(axis=0) - corners.min(axis=0)).max()),
            LEAST_PX * self._seat.world.scale[-1],
        )
        self.comparison.look_at(z, (y, x), extent)
        self.about.say(
            f"#{index + 1} · slice {region['slice']} · {self.places.where(index)} · {region['score']:.1f} × the limit: "
            f"{', '.join(region['reasons'])}"
        )

    def undo(self) -> None:
        """Take back what was said last, and go there."""
        index = self.judging.undo()
        if index is not None:
            self.places.go_to(index)
            self.judging.look_at(index)

    def _bind_keys(self, *, on: bool) -> None:
        for key, action in self._canvas_keys.items():
            self.viewer.bind_key(key, _for_key(action) if on else None, overwrite=True)

    # ---- the report

    def _open_report(self, _: str) -> None:
        if self.evidence is not None:
            page = self.evidence.folder / PAGE
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.absolute())))

    def _export(self) -> None:
        if self.evidence is None:
            return
        name = f"{self.evidence.report.sr['name']} report.html"
        path, _ = QFileDialog.getSaveFileName(self, "Export the report", name, "HTML (*.html)")
        if path:
            self.export(Path(path))

    def export(self, path: Path) -> None:
        """Write the report, judgements included, as one page that can be sent to a colleague."""
        if self.evidence is None:
            return
        page = (self.evidence.folder / PAGE).read_bytes()
        try:
            with told_plainly(path), replacing(path) as unfinished:
                unfinished.write_bytes(page)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.message.say(f"Report written to '{path.name}'.", Tone.GOOD)

    # ---- buttons

    def _show_buttons(self) -> None:
        roles, running = self.role_form.roles, self.work.running
        reason = ""
        if running:
            reason = "A check is running; wait for it or stop it."
        elif "LR" not in roles or "SR" not in roles:
            reason = "Choose LR and SR above: SR is checked against the LR it was made of."
        there = self._folder is not None and is_finished(self._folder)
        self.start_button.setText("Take up the check" if there else "Check")
        self.start_button.setEnabled(not reason)
        self.start_button.setToolTip(
            reason
            or (
                "The report of this SR is there; show it."
                if there
                else "Look through all slices for what LR, the twin and the neighbours do not support."
            )
        )
        self.load_button.setEnabled(not reason)
        self.report_button.setEnabled(self.evidence is not None)
        self.report_button.setToolTip(
            "Write the report, with your judgements, as one page to send to a colleague."
            if self.evidence is not None
            else "There is no report yet: check first."
        )
        self.progress.setVisible(running)

    def tear_down(self) -> None:
        """Stop the check (what is done stays) and let go of the viewer."""
        self.work.close()
        self._pictures.close()
        self._bind_keys(on=False)
        self.comparison.set_mark(MARK, None)
        self._sr = self.evidence = None


def _for_key(action: Callable[[], object]) -> Callable[[object], None]:
    """What napari can bind to a key; it wants a function with a name."""

    def press(_: object) -> None:
        action()

    return press
