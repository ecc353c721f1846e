"""A result that is shown while it is being written."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from napari_sem_sr.io.zarr_layout import done_slices
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layers import belongs_to_comparison

if TYPE_CHECKING:
    from napari.components import ViewerModel

# drawing costs more than a small slice does, so not every slice is drawn when it arrives
REFRESH_MS = 400


class Growing(QObject):
    """Draws new slices of an output and hides its layer on slices that are still to come.

    A slice that is not there would be black; hidden, it lets LR be seen.

    Parameters
    ----------
    viewer
        napari's viewer.
    parent
        Whose end is its end.
    """

    def __init__(self, viewer: "ViewerModel", parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Image | None = None
        self._output = Path()
        self._first = 0
        self._there: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._draw)
        viewer.dims.events.current_step.connect(self._show_where_there)

    def follow(self, layer: Image, output: Path, first: int, total: int) -> None:
        """Follow ``layer``, which shows ``output``, whose slice 0 is slice ``first`` of the input.

        Parameters
        ----------
        total
            Slices of the finished output.
        """
        self._layer, self._output, self._first = layer, output, first
        self._there = set(done_slices(output, total))
        self._show_where_there()

    def arrived(self, index: int) -> None:
        """Slice ``index`` of the input is on disk."""
        self._there.add(index - self._first)
        if not self._timer.isActive():
            self._timer.start()

    def complete(self) -> None:
        """All slices are there, or the layer is gone."""
        self._timer.stop()
        layer = self._shown()
        if layer is not None:
            layers.refresh_output(self._viewer, self._output)
            if not self._is_compared():
                layer.visible = True
        self._layer = None

    def close(self) -> None:
        """Let go of the viewer."""
        self.complete()
        self._viewer.dims.events.current_step.disconnect(self._show_where_there)

    def _draw(self) -> None:
        if self._shown() is not None:
            layers.refresh_output(self._viewer, self._output)
            self._show_where_there()

    def _show_where_there(self) -> None:
        layer = self._shown()
        if layer is not None and not self._is_compared():
            layer.visible = layers.shown_slice(self._viewer, layer) in self._there

    def _shown(self) -> Image | None:
        return self._layer if self._layer in self._viewer.layers else None

    def _is_compared(self) -> bool:
        return any(belongs_to_comparison(layer) for layer in self._viewer.layers)
