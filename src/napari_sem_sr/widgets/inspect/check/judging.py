"""Real, artifact or unsure: the buttons, the note, the way back, and how far one is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_sem_sr.checking.review.judgements import (
    Judgement,
    Opinion,
    forget,
    judge,
    place_of,
    read_judgements,
)
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.widgets.qt.dock import Line, Tone, row
from napari_sem_sr.widgets.words import tr

CHOICES: dict[Opinion, tuple[str, str]] = {
    "real": (tr("✓ Real"), tr("The specimen looks like this.")),
    "artifact": (tr("✕ Artifact"), tr("The model made this up, or left something out.")),
    "unsure": (tr("? Unsure"), tr("Cannot be decided from what is there.")),
}
KEYS: dict[str, Opinion] = {"R": "real", "A": "artifact", "U": "unsure"}
NO_PLACE = tr("Go to a place first.")


class Judging(QWidget):
    """Keeps what a person says of the places in a check's folder, each at once."""

    judged = Signal()
    """A place was judged; time to move on."""
    changed = Signal()
    """What was said has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._folder: Path | None = None
        self._regions: Sequence[Mapping[str, Any]] = ()
        self._index: int | None = None
        self._undo: list[tuple[int, Judgement | None]] = []
        self.said: tuple[Judgement, ...] = ()
        self.buttons: dict[Opinion, QPushButton] = {}
        keys = {opinion: key for key, opinion in KEYS.items()}
        for opinion, (text, _) in CHOICES.items():
            button = QPushButton(f"{text} ({keys[opinion]})")
            button.setStyleSheet("QPushButton { padding: 4px 0px; }")
            button.clicked.connect(lambda _, opinion=opinion: self.say(opinion))
            self.buttons[opinion] = button
        self.note = QLineEdit()
        self.note.setPlaceholderText(tr("note, kept with the judgement"))
        self.note.setToolTip(tr("In your own words; written down with the next R, A or U."))
        self.undo_button = QPushButton(tr("Undo"))
        self.progress = QLabel()
        self.message = Line(small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(row(list(self.buttons.values())))
        column.addWidget(self.note)
        column.addWidget(row([self.progress, self.undo_button]))
        column.addWidget(self.message)
        self._show()

    def begin(self, folder: Path | None, regions: Sequence[Mapping[str, Any]]) -> None:
        """Judge the places of a check; None for none.

        Parameters
        ----------
        folder
            Of the check.
        regions
            As in ``report.json``.
        """
        self._folder, self._regions, self._index = folder, regions, None
        self._undo.clear()
        self.said = ()
        self.message.say("")
        if folder is not None:
            try:
                self.said = read_judgements(folder)
            except SemSrError as error:
                self.message.say(str(error), Tone.BAD)
        self._show()

    def look_at(self, index: int | None) -> None:
        """The place that is judged next.

        Parameters
        ----------
        index
            Number of the place; None for none.
        """
        self._index = index
        said = self._judgement(index)
        self.note.setText("" if said is None else said.note)
        self._show()

    def say(self, opinion: Opinion) -> None:
        """Keep an opinion on the place that is looked at.

        Parameters
        ----------
        opinion
            Real, artifact or unsure.
        """
        if self._folder is None or self._index is None:
            return
        before = self._judgement(self._index)
        region = self._regions[self._index]
        if self._keep(lambda folder: judge(folder, region, opinion, self.note.text())):
            self._undo.append((self._index, before))
            self._show()
            self.changed.emit()
            self.judged.emit()

    def undo(self) -> int | None:
        """Take back what was said last; the index of its place."""
        if not self._undo:
            return None
        index, before = self._undo[-1]
        region = self._regions[index]
        done = self._keep(
            lambda folder: (
                forget(folder, region)
                if before is None
                else judge(folder, region, before.opinion, before.note)
            )
        )
        if not done:
            return None
        self._undo.pop()
        self._show()
        self.changed.emit()
        return index

    def _keep(self, what: Any) -> bool:
        self.message.say("")
        try:
            what(self._folder)
            self.said = read_judgements(self._folder or Path())
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return False
        return True

    def _judgement(self, index: int | None) -> Judgement | None:
        if index is None:
            return None
        place = place_of(self._regions[index])
        return next((j for j in self.said if j.place == place), None)

    def _show(self) -> None:
        places = {place_of(region) for region in self._regions}
        done = sum(judgement.place in places for judgement in self.said)
        self.progress.setText(
            tr("{done} of {count} judged", done=done, count=len(places)) if places else ""
        )
        for opinion, button in self.buttons.items():
            button.setEnabled(self._index is not None)
            button.setToolTip(CHOICES[opinion][1] if self._index is not None else NO_PLACE)
        self.note.setEnabled(self._index is not None)
        self.undo_button.setEnabled(bool(self._undo))
        self.undo_button.setToolTip(
            tr("Take back what was said last (Ctrl+Z).")
            if self._undo
            else tr("Nothing was said yet.")
        )
