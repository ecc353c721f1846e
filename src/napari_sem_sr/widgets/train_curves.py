"""How a training goes: PSNR over bicubic on images it never learned from, and on those it did."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sem_sr.widgets import plots

if TYPE_CHECKING:
    from napari.components import ViewerModel

UNSEEN, KNOWN, BICUBIC = "unseen", "learned", "bicubic"
# dB that the plot shows at least: less is no difference to be looked at
LEAST_DB = 0.5
# distinguishable by colour-blind people (Okabe and Ito) and by their dashes
PENS = {
    UNSEEN: ("#e69f00", Qt.PenStyle.SolidLine),
    KNOWN: ("#56b4e9", Qt.PenStyle.DashLine),
    BICUBIC: ("#999999", Qt.PenStyle.DotLine),
}


@dataclass
class _Curve:
    """Points by epoch, counted through all stages."""

    epochs: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)


class TrainCurves(QWidget):
    """The curves of one training; hidden until there is something to show."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self._viewer = viewer
        self._plot: Any = None
        self._curve = _Curve()
        self._began: dict[str, float] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        viewer.events.theme.connect(self._follow_theme)
        self.hide()

    def begin(self) -> None:
        """A training, or one of its parts, begins."""
        self._curve, self._began = _Curve(), {}

    def begin_stage(self, stage: str, first: float) -> None:
        """Stage ``stage`` begins after ``first`` epochs."""
        self._began[stage] = first
        self._draw()

    def add(self, epoch: float, unseen: float, known: float) -> None:
        """Add scores after ``epoch`` epochs of all stages, in dB over bicubic."""
        self._curve.epochs.append(epoch)
        self._curve.unseen.append(unseen)
        self._curve.known.append(known)
        self._draw()

    def points(self, stage: str) -> int:
        """How many points there are since ``stage`` began; 0 where it has not."""
        if stage not in self._began:
            return 0
        return sum(epoch > self._began[stage] for epoch in self._curve.epochs)

    def disconnect_viewer(self) -> None:
        """Stop listening; called when the dock closes."""
        self._viewer.events.theme.disconnect(self._follow_theme)

    def _follow_theme(self) -> None:
        if self._plot is not None:
            self._plot.deleteLater()
            self._plot = None
            self._draw()

    def _draw(self) -> None:
        curve = self._curve
        if not curve.epochs:
            return
        if self._plot is None:
            self._plot = plots.make_plot(
                self._viewer.theme,
                "epochs",
                "PSNR over bicubic / dB",
                "The higher the better. Overfitting shows where the images it learned from go on rising while "
                "those it never saw fall.",
            )
            self._column.addWidget(self._plot)
        last = curve.epochs[-1]
        plots.set_least_height(self._plot, LEAST_DB)
        plots.draw(
            self._plot,
            {
                BICUBIC: ([0.0, last], [0.0, 0.0]),
                KNOWN: (curve.epochs, curve.known),
                UNSEEN: (curve.epochs, curve.unseen),
            },
            PENS,
        )
        if "gan" in self._began:
            plots.mark(self._plot, self._began["gan"], "SRGAN")
        self.show()
