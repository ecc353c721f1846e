"""A line on the canvas that keeps its width on screen."""

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sem_sr.widgets import layers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

WIDTH_PX = 3


class ScreenLine:
    """A layer with one straight line, on all slices.

    Parameters
    ----------
    beside
        The layer over which it lies; gives the units.
    points
        ``((y0, x0), (y1, x1))`` in the world.
    """

    def __init__(
        self, viewer: "ViewerModel", beside: "Layer", points: Any, *, name: str, colour: str
    ) -> None:
        self._viewer = viewer
        chosen = viewer.layers.selection.active
        self.layer = viewer.add_shapes(
            [np.asarray(points, float)],
            shape_type="line",
            edge_width=self._width(),
            edge_color=colour,
            units=beside.units[-2:],
            name=name + layers.PANE_SIGN,
            metadata={layers.KEY: {"added_by_dock": True, "group": layers.COMPARISON}},
        )
        viewer.layers.selection.active = chosen
        viewer.scene.camera.events.zoom.connect(self._keep_width)

    def move(self, points: Any) -> None:
        """Draw the line elsewhere."""
        self.layer.data = [np.asarray(points, float)]

    def remove(self) -> None:
        """Remove the layer."""
        self._viewer.scene.camera.events.zoom.disconnect(self._keep_width)
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def _keep_width(self) -> None:
        self.layer.edge_width = [self._width()]

    def _width(self) -> float:
        return float(WIDTH_PX / self._viewer.scene.camera.zoom)
