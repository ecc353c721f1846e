"""The tab Blind test: pictures without a name, and what a person makes of them."""

import secrets

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QPixmap
from qtpy.QtWidgets import QLabel, QPushButton, QShortcut, QSpinBox, QVBoxLayout, QWidget

from napari_sem_sr.checking.review import blind_test
from napari_sem_sr.checking.review.blind_test import BlindTrial, Said
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.widgets.inspect.check.place_list import image_of
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.qt.dock import Dock, Line, Tone, field, primary, row
from napari_sem_sr.widgets.words import tr

SIDE_PX = 140
NOTHING = tr("Open an answer check first (tab Answer check).")
PAIR = tr("Which of the two was <b>measured</b>?")
SINGLE = tr("Would you <b>trust</b> this detail?")
CAUTION = tr(
    "Failing to tell SR from HR shows that SR looks real, not that it is true. Without HR, half of the pictures come from the list of suspect places."
)
ANSWERS: dict[Said, tuple[str, str]] = {
    "first": ("A (1)", tr("Do not trust (1)")),
    "second": ("B (2)", tr("Trust (2)")),
    "unsure": (tr("Unsure (3)"), tr("Unsure (3)")),
}


class BlindTestTab(Dock):
    """Shows one trial after the other, and the confusion matrix at the end.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison.viewer)
        self._evidence: FinishedCheck | None = None
        self._seed = 0
        self.trials: list[BlindTrial] = []
        self.said: list[Said] = []
        self.count_box = QSpinBox()
        self.count_box.setRange(4, 100)
        self.count_box.setValue(20)
        self.count_box.setToolTip(tr("How many pictures or pairs are shown."))
        self.question = Line()
        self.panels = [QLabel(), QLabel()]
        self.names = [QLabel("A"), QLabel("B")]
        self.buttons: dict[Said, QPushButton] = {}
        for number, answer in enumerate(ANSWERS, start=1):
            button = QPushButton()
            button.setStyleSheet("QPushButton { padding: 4px 0px; }")
            button.clicked.connect(lambda _, answer=answer: self.say(answer))
            shortcut = QShortcut(QKeySequence(str(number)), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(button.click)
            self.buttons[answer] = button
        self.trial_view = QWidget()
        column = QVBoxLayout(self.trial_view)
        column.setContentsMargins(0, 0, 0, 0)
        for widgets in (self.names, self.panels):
            for label in widgets:
                label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(row(list(widgets)))
        column.addWidget(row(list(self.buttons.values())))
        self.progress = Line(small=True)
        self.result = Line()
        self.result.setTextFormat(Qt.TextFormat.RichText)
        self.message = Line()
        self.start_button = primary(tr("Begin"))
        self.start_button.clicked.connect(self.begin)
        for part in (
            field(tr("Pictures"), self.count_box),
            self.question,
            self.trial_view,
            self.progress,
            self.result,
            Line(CAUTION, small=True),
        ):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.footer.addWidget(self.message)
        self.footer.addWidget(self.start_button)
        self.offer(None)

    @property
    def pairs(self) -> bool:
        """Whether SR is shown beside HR."""
        return self._evidence is not None and self._evidence.field.hr is not None

    def offer(self, evidence: FinishedCheck | None) -> None:
        """Use the stacks of a check.

        Parameters
        ----------
        evidence
            A finished check; None for none.
        """
        self._evidence = evidence
        self.trials, self.said = [], []
        self.result.say("")
        self.message.say("" if evidence else NOTHING)
        self.start_button.setEnabled(evidence is not None)
        self.start_button.setToolTip(tr("Show the first.") if evidence else NOTHING)
        self._show()

    def begin(self) -> None:
        """Draw new trials and show the first."""
        evidence = self._evidence
        if evidence is None:
            return
        self.message.say("")
        self.result.say("")
        self._seed = secrets.randbelow(2**31)
        count = self.count_box.value()
        try:
            self.trials = (
                blind_test.pair_trials(evidence.field, count, self._seed)
                if self.pairs
                else blind_test.single_trials(
                    evidence.field, evidence.report.regions, count, self._seed
                )
            )
        except SemSrError as error:
            self.message.say(str(error), Tone.CARE)
            self.trials = []
        self.said = []
        self._show()
        self.setFocus()

    def say(self, answer: Said) -> None:
        """Answer the trial that is shown; kept at once.

        Parameters
        ----------
        answer
            The first answer (A, or trusted), the second, or unsure.
        """
        if self._evidence is None or len(self.said) >= len(self.trials):
            return
        self.said.append(answer)
        try:
            found = blind_test.keep(
                self._evidence.folder, self._seed, self.trials, self.said, pairs=self.pairs
            )
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            self.said.pop()
            return
        if len(self.said) == len(self.trials):
            self.result.say(_as_table(found))
        self._show()

    def _show(self) -> None:
        running = len(self.said) < len(self.trials)
        self.trial_view.setVisible(running)
        self.question.say((PAIR if self.pairs else SINGLE) if running else "")
        done = tr("{count} of {count2} answered", count=len(self.said), count2=len(self.trials))
        self.progress.say(
            tr("{done}, kept in {name} beside the report", done=done, name=blind_test.NAME)
            if self.trials
            else ""
        )
        for answer, button in self.buttons.items():
            button.setText(ANSWERS[answer][0 if self.pairs else 1])
            button.setToolTip(tr("Kept at once; the next picture follows."))
        for label in (self.names[1], self.panels[1]):
            label.setVisible(self.pairs)
        self.names[0].setText("A" if self.pairs else "")
        if running and self._evidence is not None:
            images = blind_test.pictures(self._evidence.field, self.trials[len(self.said)])
            # each between its own percentiles, so that brightness gives nothing away
            for label, image in zip(self.panels, images, strict=False):
                label.setPixmap(_pixmap(image, range_of(image)))

    def tear_down(self) -> None:
        """Let go of the stacks."""
        self._evidence = None


def _pixmap(image: blind_test.Image, shown: IntensityRange) -> QPixmap:
    picture = image_of(image, shown).scaled(SIDE_PX, SIDE_PX, Qt.AspectRatioMode.KeepAspectRatio)
    return QPixmap.fromImage(picture)


def _as_table(found: blind_test.Result) -> str:
    columns = list(next(iter(found.matrix.values())))
    head = "".join(f"<th>{c}</th>" for c in columns)
    rows = "".join(
        f"<tr><td><b>{truth}</b></td>{''.join(f'<td align=center>{v}</td>' for v in said.values())}</tr>"
        for truth, said in found.matrix.items()
    )
    if found.share is None or found.interval is None:
        words = tr("Nothing was decided.")
    else:
        low, high = found.interval
        words = tr(
            "{right} of {decided} decided were right: {value:.0f} % (95 % interval {value2:.0f} to {value3:.0f} %; guessing gives 50 %).",
            right=found.right,
            decided=found.decided,
            value=100 * found.share,
            value2=100 * low,
            value3=100 * high,
        )
    return f"<table cellspacing=6><tr><th></th>{head}</tr>{rows}</table>{words}"
