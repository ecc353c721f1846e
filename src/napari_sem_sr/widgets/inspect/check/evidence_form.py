"""A map of the check as a pane beside the pictures."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_sem_sr.checking.pipeline.kinds import MAPS, MAPS_FOLDER
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.differences import DIVERGING, MAGNITUDE
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.qt.dock import Line, Tone, field
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

NAME = "evidence"
NONE = tr("none")
NO_EVIDENCE = tr("Maps of an answer check: open one in the tab Answer check first.")
# limits and colours of maps whose values have a meaning of their own; the others are measured
FIXED: dict[str, tuple[tuple[float, float], str]] = {
    "consistency": ((-3.0, 3.0), DIVERGING),
    "agreement": ((-1.0, 1.0), "viridis"),
    "persistence": ((-1.0, 1.0), "viridis"),
    "trust": ((0.0, 1.0), "viridis"),
}


class EvidenceForm(QWidget):
    """Chooses one of the maps and shows it.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    shown = Signal()
    """The panes have changed."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self._evidence: FinishedCheck | None = None
        self.work = Work(self)
        self.box = QComboBox()
        self.message = Line(small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(field(tr("Evidence"), self.box))
        column.addWidget(self.message)
        self.box.activated.connect(lambda _: self.show_map())
        self.work.finished.connect(self._made)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.CARE))
        self.offer(None)

    def offer(self, evidence: FinishedCheck | None) -> None:
        """Offer the maps of a check.

        Parameters
        ----------
        evidence
            A finished check; None for none.
        """
        self._evidence = evidence
        self.box.clear()
        self.box.addItem(NONE)
        if evidence is not None:
            folder = evidence.folder / MAPS_FOLDER
            self.box.addItems([name for name in MAPS if (folder / name).exists()])
        self.box.setEnabled(evidence is not None)
        self.box.setToolTip(
            NO_EVIDENCE if evidence is None else tr("Show where the check found what, as a pane.")
        )
        self.show_map()

    def show_map(self) -> None:
        """Show the chosen map."""
        name, evidence = self.box.currentText(), self._evidence
        self.message.say("")
        if not self._comparison.active or self.work.running:
            return
        self._comparison.remove_pane(NAME)
        if evidence is None or name == NONE:
            self.shown.emit()
            return
        self.message.say(MAPS[name].meaning)
        seats = dict(self._comparison.seats)
        self.work.start(f"map of {name}", lambda: iter_map(evidence, name, seats))

    def _made(self, computed: Computed) -> None:
        if self._comparison.active:
            self._comparison.add(NAME, computed)
            self.shown.emit()


def iter_map(
    evidence: FinishedCheck, name: str, seats: Mapping[Role, SemStack]
) -> Generator[Event, None, Computed]:
    """Lay a map over the stacks on screen, with limits that are the same for all slices.

    Parameters
    ----------
    evidence
        A finished check; None for none.
    name
        Of the map.
    seats
        Stacks by role, where they lie on screen.
    """
    yield Progress(tr("reading {name}", name=name), 0, 1, "map")
    found = read_stack(evidence.folder / MAPS_FOLDER / name)
    stack = seated(evidence, MAPS[name].grid, found, seats)
    if name in FIXED:
        limits, colormap = FIXED[name]
    else:
        grey = stack_range(found)
        limits, colormap = (grey.low, grey.high), MAGNITUDE
        if name in ("difference", "difference_low"):
            worst = max(abs(grey.low), abs(grey.high)) or 1.0
            limits, colormap = (-worst, worst), DIVERGING
    return Computed(stack, name.replace("_", " "), limits, colormap)


def seated(
    evidence: FinishedCheck, grid: Any, found: SemStack, seats: Mapping[Role, SemStack]
) -> SemStack:
    """A map where the part of LR or SR that it is about lies on screen.

    Parameters
    ----------
    evidence
        A finished check; None for none.
    grid
        Whether the map lies on LR's or on SR's pixels.
    found
        The map.
    seats
        Stacks by role, where they lie on screen.
    """
    field_ = evidence.field
    if grid == "LR":
        seat = seats["LR"].cropped(field_.slices, field_.region)
    else:
        z, y, x = field_.sr_start
        depth, height, width = field_.sr.shape
        seat = seats["SR"].cropped((z, z + depth), ((y, y + height), (x, x + width)))
    return replace(seat, data=found.data, name=found.name)
