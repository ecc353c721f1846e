"""The line profile: drag a line over any pane and see all roles over distance."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_sem_sr.errors import OutputError, SemSrError
from napari_sem_sr.io.atomic_write import translate_os_errors
from napari_sem_sr.metrics.line_profile import Profile, line_profile
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.qt import plots
from napari_sem_sr.widgets.qt.dock import Line, Tone, row
from napari_sem_sr.widgets.viewer.overlay import Mark
from napari_sem_sr.widgets.words import tr

# a click is no line
SHORTEST_PX = 4


class ProfileView(QWidget):
    """Draw, plot and export a line profile of the panes of a comparison.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self.profiles: dict[str, Profile] = {}
        self.line: tuple[tuple[float, float], tuple[float, float]] | None = None
        """((y, x), (y, x)) in the world."""
        self._plot: Any = None
        self.draw_button = QPushButton(tr("Draw line profile"))
        self.draw_button.setCheckable(True)
        self.export_button = QPushButton(tr("Export…"))
        self.export_button.setToolTip(
            tr("Write the profile as a table (CSV) or as a picture (PNG).")
        )
        self.widths = Line(small=True)
        self.widths.setToolTip(
            tr(
                "Distance over which grey rises from 20 % to 80 % between both ends of the line; only for a line across one edge. A narrow edge in SR is not proof of a narrow edge in the specimen."
            )
        )
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(row([self.draw_button, self.export_button]))
        self.column.addWidget(self.widths)
        self.draw_button.toggled.connect(self._set_drawing)
        self.export_button.clicked.connect(self._export)
        comparison.viewer.dims.events.current_step.connect(self.update_profiles)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._plot is not None:
            plots.paint(self._plot, self._comparison.viewer.theme)

    def refresh(self) -> None:
        """Follow the comparison: enabled while one is shown, empty when it ends."""
        active = self._comparison.active
        self.draw_button.setEnabled(active)
        self.draw_button.setToolTip(
            tr("Then drag from one point to another over any pane.")
            if active
            else tr("Compare first; then drag a line over any pane.")
        )
        if not active:
            self.draw_button.setChecked(False)
            self.line = None
        elif self.line is not None:
            self._comparison.set_mark("line", Mark("line", self.line))
        self.update_profiles()

    def disconnect_viewer(self) -> None:
        """Let go of the viewer."""
        self._set_drawing(False)
        self._comparison.viewer.dims.events.current_step.disconnect(self.update_profiles)

    def update_profiles(self) -> None:
        """Measure along the line again, on the slice on screen."""
        self.profiles = {}
        trouble = ""
        line = self.line
        if line is not None and self._comparison.active:
            z = self._comparison.viewer.dims.point[-3]
            for role, seat in self._comparison.seats.items():
                try:
                    self.profiles[role] = line_profile(seat, z, *line)
                except SemSrError as error:
                    trouble = str(error)
        self.export_button.setEnabled(bool(self.profiles))
        self._show(trouble)

    def _show(self, trouble: str) -> None:
        if self.profiles and self._plot is None:
            self._make_plot()
        if self._plot is not None:
            self._plot.setVisible(bool(self.profiles))
            plots.draw(self._plot, {r: (p.distance, p.grey) for r, p in self.profiles.items()})
        found = {role: profile.edge_width() for role, profile in self.profiles.items()}
        known = " · ".join(
            f"{r} {w:.3g} {self._comparison.unit}" for r, w in found.items() if w is not None
        )
        if trouble:
            self.widths.say(trouble, Tone.CARE)
        elif known:
            self.widths.say(tr("edge 20–80 %: {known}", known=known))
        else:
            self.widths.say(tr("no single clear edge along this line") if self.profiles else "")

    def _make_plot(self) -> None:
        self._plot = plots.make_plot(
            self._comparison.viewer.theme,
            tr("distance / {unit}", unit=self._comparison.unit),
            tr("grey level"),
            tr("Grey value along the line, from where you began to drag."),
        )
        self.column.insertWidget(1, self._plot)

    def _set_drawing(self, drawing: bool) -> None:
        callbacks = self._comparison.viewer.mouse_drag_callbacks
        if drawing and self._drag not in callbacks:
            # before all others, so that a curtain does not take the drag
            callbacks.insert(0, self._drag)
        elif not drawing and self._drag in callbacks:
            callbacks.remove(self._drag)

    def _drag(self, _: Any, event: Any) -> Iterator[None]:
        camera = self._comparison.viewer.scene.camera
        start = tuple(float(v) for v in event.position[-2:])
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                end = tuple(float(v) for v in event.position[-2:])
                if np.hypot(end[0] - start[0], end[1] - start[1]) * camera.zoom >= SHORTEST_PX:
                    self.set_line((start[0], start[1]), (end[0], end[1]))
                yield
        finally:
            camera.mouse_pan = panned
            self.draw_button.setChecked(False)

    def set_line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Lay the line from ``start`` to ``end``, (y, x) in the world."""
        self.line = (start, end)
        self._comparison.set_mark("line", Mark("line", self.line))
        self.update_profiles()

    def clear_line(self) -> None:
        """Remove the line and its profiles."""
        self.line = None
        self._comparison.set_mark("line", None)
        self.update_profiles()

    def _export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Write the profile"), "profile.csv", "CSV (*.csv);;PNG (*.png)"
        )
        if path:
            try:
                self.export(Path(path))
            except SemSrError as error:
                self.widths.say(str(error), Tone.BAD)

    def export(self, path: Path) -> None:
        """Write the plot (``*.png``), or distance and grey of each role as columns; SR is named as synthetic.

        Parameters
        ----------
        path
            File to write, ``*.png`` or ``*.csv``.
        """
        if path.suffix.lower() == ".png":
            if not self._plot.grab().save(str(path)):
                raise OutputError(
                    tr("'{path}' cannot be written; choose another place.", path=path)
                )
            return
        with translate_os_errors(path):
            self._write_table(path)

    def _write_table(self, path: Path) -> None:
        unit = self._comparison.unit
        columns: list[tuple[str, list[float]]] = []
        for role, profile in self.profiles.items():
            columns.append((f"{plots.titled(role)} distance {unit}", profile.distance.tolist()))
            columns.append((f"{plots.titled(role)} grey level", profile.grey.tolist()))
        longest = max(len(values) for _, values in columns)
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([title for title, _ in columns])
            for i in range(longest):
                writer.writerow([v[i] if i < len(v) else "" for _, v in columns])
