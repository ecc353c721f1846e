"""What is drawn on top of a pane: lines, boxes and rings that keep their width on screen."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layer_list import leave_out_of_list

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

WIDTH_PX = 3.0
ORANGE = "#ffb000"


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing drawn on a pane.

    Parameters
    ----------
    shape
        As napari calls it.
    points
        ``(n, 2)``, (y, x) in the world.
    colour
        As CSS.
    width_px
        Of its line, in screen pixels.
    """

    shape: Literal["line", "path", "rectangle", "ellipse"]
    points: Any
    colour: str = ORANGE
    width_px: float = WIDTH_PX


class Overlay:
    """One layer over a pane, on all slices, that holds all of its marks.

    Parameters
    ----------
    viewer
        napari's viewer.
    beside
        The layer over which it lies; gives the units.
    marks
        By name.
    """

    def __init__(self, viewer: "ViewerModel", beside: "Layer", marks: dict[str, Mark]) -> None:
        self._viewer = viewer
        self._marks: tuple[Mark, ...] = ()
        chosen = viewer.layers.selection.active
        self.layer = viewer.add_shapes(
            ndim=2,
            units=beside.units[-2:],
            name=" ".join(marks) + layers.PANE_SIGN,
            metadata={layers.KEY: {"added_by_dock": True, "group": layers.COMPARISON}},
        )
        viewer.layers.selection.active = chosen
        # one for each pane: they would push the stacks out of sight
        leave_out_of_list(self.layer)
        viewer.scene.camera.events.zoom.connect(self._keep_width)
        self.draw(marks)

    def draw(self, marks: dict[str, Mark]) -> None:
        """Draw these marks and no others.

        Parameters
        ----------
        marks
            By name.
        """
        same = len(marks) == len(self._marks) and all(
            a.shape == b.shape and a.colour == b.colour
            for a, b in zip(marks.values(), self._marks, strict=True)
        )
        self._marks = tuple(marks.values())
        shapes = [(np.asarray(m.points, float), m.shape) for m in self._marks]
        if same:
            self.layer.data = shapes
            self._keep_width()
            return
        self.layer.name = " ".join(marks) + layers.PANE_SIGN
        self.layer.data = []
        if shapes:
            self.layer.add(
                shapes,
                edge_width=self._widths(),
                edge_color=[m.colour for m in self._marks],
                face_color="transparent",
            )
        self.layer.selected_data = set()

    def remove(self) -> None:
        """Remove the layer."""
        self._viewer.scene.camera.events.zoom.disconnect(self._keep_width)
        if self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def _keep_width(self) -> None:
        if self._marks:
            self.layer.edge_width = self._widths()

    def _widths(self) -> list[float]:
        zoom = self._viewer.scene.camera.zoom
        return [float(m.width_px / zoom) for m in self._marks]
