"""How a training goes: PSNR over bicubic on images it never learned from, and on those it did."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sem_sr.widgets.qt import plots
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

UNSEEN, KNOWN, BICUBIC, OTHER = "unseen", "learned", "bicubic", "others"
# dB that the plot shows at least: less is no difference to be looked at
LEAST_DB = 0.5
# distinguishable by colour-blind people (Okabe and Ito) and by their dashes
PENS = {
    UNSEEN: ("#e69f00", Qt.PenStyle.SolidLine),
    KNOWN: ("#56b4e9", Qt.PenStyle.DashLine),
    BICUBIC: ("#999999", Qt.PenStyle.DotLine),
    OTHER: ("#8a6a2a", Qt.PenStyle.SolidLine),
}


@dataclass
class _CurvePart:
    """Points by epoch, counted through all stages of one part of a training, and where each stage began."""

    name: str
    epochs: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    began: dict[str, float] = field(default_factory=dict)


class TrainCurves(QWidget):
    """The curves of one training; hidden until there is something to show.

    Where a training has several parts, as when each specimen is left out once, the newest that has a score is shown, by
    name, with what earlier ones made of their unseen images behind it. A part in which nothing is held out has no
    scores, and leaves the plot as it was.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self._viewer = viewer
        self._plot: Any = None
        self._parts: list[_CurvePart] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        viewer.events.theme.connect(self._follow_theme)
        self.hide()

    def begin(self) -> None:
        """A training begins."""
        self._parts = []
        self.hide()

    def begin_stage(self, stage: str, first: float, part: str = "") -> None:
        """Stage ``stage`` begins after ``first`` epochs of ``part``."""
        if not self._parts or self._parts[-1].name != part:
            self._parts.append(_CurvePart(part))
        self._parts[-1].began[stage] = first
        self._draw()

    def add(self, epoch: float, unseen: float, known: float) -> None:
        """Add scores after ``epoch`` epochs of all stages of a part, in dB over bicubic.

        Parameters
        ----------
        unseen
            Of images never learned from.
        known
            Of images learned from.
        """
        part = self._parts[-1]
        part.epochs.append(epoch)
        part.unseen.append(unseen)
        part.known.append(known)
        self._draw()

    @property
    def shown(self) -> str | None:
        """Name of the part that is shown; None where there is no score yet."""
        part = self._shown()
        return None if part is None else part.name

    def points(self, stage: str) -> int:
        """How many points are shown since ``stage`` began; 0 where it has not."""
        part = self._shown()
        if part is None or stage not in part.began:
            return 0
        return sum(epoch > part.began[stage] for epoch in part.epochs)

    def disconnect_viewer(self) -> None:
        """Stop listening; called when the dock closes."""
        self._viewer.events.theme.disconnect(self._follow_theme)

    def _follow_theme(self) -> None:
        if self._plot is not None:
            self._plot.deleteLater()
            self._plot = None
            self._draw()

    def _shown(self) -> _CurvePart | None:
        return next((part for part in reversed(self._parts) if part.epochs), None)

    def _draw(self) -> None:
        part = self._shown()
        if part is None:
            return
        if self._plot is None:
            self._plot = plots.make_plot(
                self._viewer.theme,
                tr("epochs"),
                tr("PSNR over bicubic / dB"),
                tr(
                    "The higher the better. Overfitting shows where the images it learned from go on rising while those it never saw fall."
                ),
            )
            self._column.addWidget(self._plot)
        others = [p for p in self._parts if p is not part and p.epochs]
        last = max(p.epochs[-1] for p in (part, *others))
        plots.set_least_height(self._plot, LEAST_DB)
        plots.draw(
            self._plot,
            {
                BICUBIC: ([0.0, last], [0.0, 0.0]),
                **({OTHER: _joined(others)} if others else {}),
                KNOWN: (part.epochs, part.known),
                UNSEEN: (part.epochs, part.unseen),
            },
            PENS,
        )
        # the axis names it, and four names are wider than the dock
        self._plot.getPlotItem().legend.removeItem(BICUBIC)
        plots.entitle(self._plot, part.name)
        if "gan" in part.began:
            plots.mark(self._plot, part.began["gan"], "SRGAN")
        self.show()


def _joined(parts: list[_CurvePart]) -> tuple[list[float], list[float]]:
    """Curves of several parts as one that has gaps."""
    epochs, unseen = [], []
    for part in parts:
        epochs += [*part.epochs, math.nan]
        unseen += [*part.unseen, math.nan]
    return epochs, unseen
