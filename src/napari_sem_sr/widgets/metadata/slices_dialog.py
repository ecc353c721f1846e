"""What is odd about the slices of a stack, and what a person may do about it: nothing is changed unasked."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io import read_stack
from napari_sem_sr.slices import Alignment, Examination, iter_examine
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import Line, Tone, row
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import spoken, tr

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

_SLICE = Qt.ItemDataRole.UserRole


class SlicesDialog(QDialog):
    """Examine a stack; go to odd slices; lay slices over each other or leave some out, as a new layer.

    Parameters
    ----------
    viewer
        Where new layers go.
    layer, stack
        The layer that is examined, and its stack.
    """

    def __init__(
        self,
        viewer: "ViewerModel",
        layer: "Image",
        stack: SemStack,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Slices of {name}", name=layer.name))
        self.setMinimumSize(460, 320)
        self._viewer, self._layer, self._stack = viewer, layer, stack
        self.found: Examination | None = None
        self.list = QListWidget()
        self.list.setToolTip(tr("Choose one to see its slice."))
        self.list.setWordWrap(True)
        self.bar = QProgressBar()
        self.crop = Line(small=True)
        self.steady = QCheckBox(tr("steady wander too"))
        self.steady.setToolTip(
            tr(
                "A steady drift cannot be told from structure that runs obliquely; undoing it straightens both."
            )
        )
        self.align = QPushButton(tr("Align"))
        self.shear = QPushButton(tr("Undo shear"))
        self.leave_out = QPushButton(tr("Leave out"))
        layout = QVBoxLayout(self)
        for widget in (
            self.list,
            self.bar,
            self.crop,
            row([self.align, self.steady]),
            row([self.shear, self.leave_out]),
        ):
            layout.addWidget(widget)
        self.list.currentItemChanged.connect(self._go_to)
        self.align.clicked.connect(lambda: self._add(self._alignment()))
        self.shear.clicked.connect(lambda: self._add(self._shear()))
        self.leave_out.clicked.connect(self._leave_out)
        self.steady.toggled.connect(self._show_crop)
        self._enable()
        self._work = Work(self)
        self._work.reported.connect(self._reported)
        self._work.finished.connect(self._examined)
        self._work.failed.connect(lambda said: self.crop.say(said, Tone.BAD))
        self._work.start(f"examining {layer.name}", lambda: iter_examine(stack))

    def done(self, result: int) -> None:
        """Stop and close."""
        self._work.close()
        super().done(result)

    def _reported(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.bar.setMaximum(event.total)
            self.bar.setValue(event.done)

    def _examined(self, found: Examination) -> None:
        self.found = found
        self.bar.hide()
        for finding in found.findings:
            item = QListWidgetItem(spoken(finding.sentence))
            item.setData(_SLICE, finding.slice)
            self.list.addItem(item)
        if not found.findings:
            self.list.addItem(tr("Nothing is odd about these slices."))
        self._enable()
        self._show_crop()

    def _enable(self) -> None:
        found = self.found
        out = found.left_out if found else ()
        self.align.setEnabled(found is not None and self._stack.shape[0] > 1)
        self.steady.setEnabled(self.align.isEnabled())
        self.shear.setEnabled(self._stack.tilt_deg is not None and self._stack.shape[0] > 1)
        self.shear.setToolTip(
            tr("Undo the shear of a stack that the beam did not follow; needs its tilt.")
        )
        self.leave_out.setEnabled(bool(out) and bool(self._stack.paths))
        self.leave_out.setToolTip(
            tr(
                "Adds the stack without the slices that are doubled, blank or cannot be read; needs a stack read from files."
            )
        )
        self.leave_out.setText(
            tr("Leave out {value}", value=", ".join(map(str, out[:6]))) if out else tr("Leave out")
        )

    def _alignment(self) -> Alignment | None:
        return self.found.alignment(steady_too=self.steady.isChecked()) if self.found else None

    def _shear(self) -> Alignment | None:
        # to the side to which the slices really move
        moved = sum(y for y, _ in self.found.steps) if self.found else 1.0
        try:
            return Alignment.of_shear(self._stack, 1 if moved >= 0 else -1)
        except SemSrError as error:
            self.crop.say(str(error), Tone.BAD)
            return None

    def _show_crop(self) -> None:
        alignment = self._alignment()
        if alignment is None or self._stack.shape[0] < 2:
            return
        try:
            (y0, y1), (x0, x1) = alignment.common(self._stack.shape)
        except SemSrError as error:
            self.crop.say(str(error), Tone.CARE)
            return
        _, height, width = self._stack.shape
        self.crop.say(
            tr(
                "Aligned, all slices share rows {y0} to {y1} of {height} and columns {x0} to {x1} of {width}.",
                y0=y0,
                y1=y1,
                height=height,
                x0=x0,
                x1=x1,
                width=width,
            )
        )

    def _add(self, alignment: Alignment | None) -> None:
        if alignment is None:
            return
        try:
            aligned = alignment.applied(self._stack)
        except SemSrError as error:
            self.crop.say(str(error), Tone.BAD)
            return
        layers.add(self._viewer, layers.image_data(aligned, aligned.name, None))

    def _leave_out(self) -> None:
        path = layers.path_of(self._layer)
        if self.found is None or path is None:
            return
        try:
            rest = read_stack(path, without=self.found.left_out)
        except SemSrError as error:
            self.crop.say(str(error), Tone.BAD)
            return
        layers.add(self._viewer, layers.image_data(rest, f"{rest.name}_rest", None))

    def _go_to(self, item: QListWidgetItem | None) -> None:
        number = item.data(_SLICE) if item else None
        if number is not None and self._layer.ndim > 2:
            point = self._layer.data_to_world((number,) + (0,) * (self._layer.ndim - 1))
            self._viewer.dims.set_point(0, point[0])
