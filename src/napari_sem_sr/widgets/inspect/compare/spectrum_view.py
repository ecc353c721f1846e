"""The spectrum of what is on screen, of all roles, with both Nyquist frequencies."""

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.metrics.power_spectrum import Box, Spectrum, radial_power
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.qt import plots
from napari_sem_sr.widgets.qt.dock import Line, Tone
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

# whose frequencies are marked, and how high: over the curves, which fall, and not one over the other
NYQUIST = {"LR": 0.68, "SR": 0.55}


class SpectrumView(QWidget):
    """One button, and the plot that it makes.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self._plot: Any = None
        self.spectra: dict[str, Spectrum] = {}
        self._work = Work(self)
        self.button = QPushButton(tr("Spectrum of the visible part"))
        self.message = Line(small=True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(self.button)
        self.column.addWidget(self.message)
        self.button.clicked.connect(self.measure)
        self._work.finished.connect(self._show)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.CARE))
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._plot is not None:
            plots.paint(self._plot, self._comparison.viewer.theme)
            self._draw()

    def refresh(self) -> None:
        """Follow the comparison: enabled while one is shown, empty when it ends."""
        active = self._comparison.active
        self.button.setEnabled(active)
        self.button.setToolTip(
            tr("Power over detail size: how much of each size LR, SR and HR hold.")
            if active
            else tr("Compare first.")
        )
        if not active:
            self.spectra = {}
            self.message.say("")
            if self._plot is not None:
                self._plot.hide()

    def disconnect_viewer(self) -> None:
        """Stop measuring."""
        self._work.close()

    def measure(self) -> None:
        """Measure the spectra of the slice and the part on screen."""
        if self._work.running:
            return
        self._comparison.forget_deleted()
        panes = self._comparison.panes
        # napari keeps track of what is on screen only for layers that are
        shown = [panes[role] for role in self._comparison.seats if panes[role].visible]
        if not self._comparison.seats:
            return
        finest = min(shown or panes.values(), key=lambda pane: float(pane.scale[-1]))
        try:
            box = layers.visible_box(finest)
        except SemSrError as error:
            self.message.say(str(error), Tone.CARE)
            return
        z = float(self._comparison.viewer.dims.point[-3])
        seats = dict(self._comparison.seats)
        self.message.say("")
        self._work.start("spectrum", lambda: iter_spectra(seats, z, box))

    def _show(self, spectra: dict[str, Spectrum]) -> None:
        if not self._comparison.active:
            return
        self.spectra = spectra
        unit = self._comparison.unit
        if self._plot is None:
            self._plot = plots.make_plot(
                self._comparison.viewer.theme,
                tr("spatial frequency / (1/{unit})", unit=unit),
                tr("log₁₀ power"),
                tr(
                    "Right of LR's Nyquist frequency LR holds nothing: what SR has there, the model made up. The right power does not mean the right detail."
                ),
            )
            self.column.insertWidget(1, self._plot)
        self._plot.setVisible(True)
        self._draw()

    def _draw(self) -> None:
        plots.draw(
            self._plot,
            {role: (s.frequency, np.log10(s.power + 1e-12)) for role, s in self.spectra.items()},
        )
        for role, height in NYQUIST.items():
            if role in self.spectra:
                nyquist = self.spectra[role].nyquist
                plots.mark(self._plot, nyquist, tr("Nyquist {role}", role=role), height)


def iter_spectra(
    seats: Mapping[Any, SemStack], z: float, box: Box
) -> Generator[Event, None, dict[str, Spectrum]]:
    """Spectra by role, of the same part of the world.

    Parameters
    ----------
    seats
        Stacks by role, where they lie on screen.
    z
        Place of the slice in the world.
    box
        ((y0, y1), (x0, x1)) in the world.
    """
    found = {}
    for done, (role, seat) in enumerate(seats.items()):
        yield Progress(tr("spectrum of {role}", role=role), done, len(seats), "stacks")
        found[role] = radial_power(seat, z, box)
    return found
