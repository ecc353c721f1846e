"""The queue of the dock Upscale: a line for each run."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QPushButton

from napari_sem_sr.widgets.qt.dock import FoldedSection
from napari_sem_sr.widgets.qt.eta import spoken_time
from napari_sem_sr.widgets.qt.words import in_dock
from napari_sem_sr.widgets.upscale.queue.runs import Runs, StackRun
from napari_sem_sr.widgets.words import tr

LINE_PX = 22
MOST_LINES = 6


class QueueView(FoldedSection):
    """Folded away until there is more than one run to show.

    Parameters
    ----------
    runs
        Of the dock.
    """

    start_asked = Signal()
    """A person wants what waits to be done."""
    changed = Signal()

    def __init__(self, runs: Runs) -> None:
        super().__init__(
            tr("Queue"),
            tr("Stacks that are upscaled one after the other; a failure does not stop the others."),
        )
        self._runs = runs
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setToolTip(tr("What is upscaled, what waits, and what has ended."))
        self.start_button = QPushButton(tr("Start the queue"))
        self.start_button.clicked.connect(self.start_asked)
        self.remove_button = QPushButton(tr("Take off the queue"))
        self.remove_button.clicked.connect(self._remove)
        for widget in (self.list, self.start_button, self.remove_button):
            self.addWidget(widget)
        self._selected: list[StackRun] = []
        self.hide()

    def show_runs(self, *, running: bool) -> None:
        """Show what ended, goes on and waits, with the time left.

        Parameters
        ----------
        running
            Whether the queue is being worked on.
        """
        runs = self._runs
        self._selected = self._chosen()
        self.list.clear()
        for run, told in runs.ended:
            error = in_dock(told)
            sign = f"✕ {run.name}: {error}" if error else f"✓ {run.name}"
            self._line(sign, run, error or tr("Written to {output}", output=run.output))
        if runs.current is not None:
            self._line(f"▸ {runs.current.name} · {runs.eta.spoken()}", runs.current)
        for run in runs.waiting:
            self._line(f"… {run.name}", run)
        lines = min(MOST_LINES, max(1, self.list.count()))
        self.list.setFixedHeight(LINE_PX * lines + 4)
        going = len(runs.waiting) + (runs.current is not None)
        left = runs.seconds_left()
        parts = [tr("1 stack") if going == 1 else tr("{going} stacks", going=going)]
        if left is not None:
            parts.append(tr("{size} left", size=spoken_time(left)))
        self.setText(tr("Queue ({value})", value=", ".join(parts)) if going else tr("Queue"))
        self.start_button.setVisible(bool(runs.waiting) and not running)
        self.start_button.setToolTip(tr("Upscale what waits, one stack after the other."))
        self.remove_button.setEnabled(bool(runs.waiting) or bool(runs.ended))
        self.remove_button.setToolTip(
            tr("Take selected lines off the list, or all that do not go on; files stay.")
            if self.remove_button.isEnabled()
            else tr("Nothing waits.")
        )
        several = going > 1 or len(runs.ended) > 1 or (bool(runs.waiting) and not running)
        if several and self.isHidden():
            self.show()
            self.expand(animate=False)
        elif not several:
            self.hide()

    def _line(self, text: str, run: StackRun, tip: str = "") -> None:
        item = QListWidgetItem(text)
        item.setToolTip(
            tip
            or tr("{name}, {model}, to {output}", name=run.name, model=run.model, output=run.output)
        )
        item.setData(Qt.ItemDataRole.UserRole, run)
        self.list.addItem(item)
        item.setSelected(run in self._selected)

    def _chosen(self) -> list[StackRun]:
        return [item.data(Qt.ItemDataRole.UserRole) for item in self.list.selectedItems()]

    def _remove(self) -> None:
        chosen, runs = self._chosen(), self._runs
        for run in [r for r in runs.waiting if not chosen or r in chosen]:
            runs.waiting.remove(run)
        runs.ended = [e for e in runs.ended if chosen and e[0] not in chosen]
        self.changed.emit()
