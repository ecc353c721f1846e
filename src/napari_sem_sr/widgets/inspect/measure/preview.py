"""The segmentation on the slice that is on screen, and its histogram."""

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.measure.phases.preview import preview
from napari_sem_sr.measure.phases.segmentation import Threshold
from napari_sem_sr.widgets.inspect.measure.form import MeasureForm
from napari_sem_sr.widgets.qt import plots
from napari_sem_sr.widgets.qt.dock import Line, Tone
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

NAME = tr("phases (preview)")
OPACITY = 0.35


class PhasePreview(QWidget):
    """Shows the phases of the shown slice as a Labels layer, and where the threshold lies in its histogram.

    Parameters
    ----------
    viewer
        napari's viewer.
    form
        Says how phases are found.
    """

    def __init__(self, viewer: "ViewerModel", form: MeasureForm) -> None:
        super().__init__()
        self._viewer, self._form = viewer, form
        self.layer: Labels | None = None
        self._image: Image | None = None
        self._plot: Any = None
        self.box = QCheckBox(tr("show segmentation on this slice"))
        self.box.setToolTip(
            tr(
                "Otsu's threshold is that of this slice alone here; the measurement takes it of the whole volume."
            )
        )
        self.message = Line(small=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.box)
        self._column.addWidget(self.message)
        self.box.toggled.connect(self.refresh)
        form.changed.connect(self.refresh)
        viewer.dims.events.current_step.connect(self.refresh)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._plot is not None:
            plots.paint(self._plot, self._viewer.theme)

    def show_of(self, image: "Image | None") -> None:
        """Segment this layer from now on.

        Parameters
        ----------
        image
            Layer of the volume; None for none.
        """
        self._image = image
        self.box.setEnabled(image is not None)
        self.refresh()

    def refresh(self) -> None:
        """Segment the slice that is on screen."""
        if not self.box.isChecked() or self._image is None or self._form.labels_layer() is not None:
            self._remove()
            return
        try:
            stack = layers.on_screen(self._image)
            index = layers.shown_slice(self._viewer, self._image)
            found = preview(stack, index, Threshold.parse(self._form.threshold))
        except SemSrError as error:
            self._remove()
            self.message.say(str(error), Tone.CARE)
            return
        self.message.say("")
        if self.layer is None or self.layer not in self._viewer.layers:
            place = layers.placing(self._image, stack)
            self.layer = self._viewer.add_labels(
                found.labels,
                name=NAME,
                opacity=OPACITY,
                metadata={layers.KEY: {"added_by_dock": True}},
                **{k: v[-2:] for k, v in place.items()},
            )
        else:
            self.layer.data = found.labels
        self._draw(found.grey, found.share, found.levels)

    def _draw(self, grey: Any, share: Any, levels: tuple[float, ...]) -> None:
        if self._plot is None:
            self._plot = plots.make_plot(
                self._viewer.theme,
                tr("grey value"),
                tr("pixels / %"),
                tr("Grey values of this slice after the blur, and the thresholds."),
            )
            self._column.addWidget(self._plot)
        self._plot.show()
        plots.draw(self._plot, {"SR": (grey, share)})
        self._plot.getPlotItem().legend.clear()
        for level in levels:
            plots.mark(self._plot, level, f"{level:.4g}")

    def _remove(self) -> None:
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)
        self.layer = None
        self.message.say("")
        if self._plot is not None:
            self._plot.hide()

    def disconnect_viewer(self) -> None:
        """Remove the layer and let go of the viewer."""
        self._remove()
        self._viewer.dims.events.current_step.disconnect(self.refresh)
