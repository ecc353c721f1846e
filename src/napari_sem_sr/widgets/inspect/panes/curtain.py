"""A curtain over the image: what hangs on top is cut off at a line that can be dragged.

napari's clipping planes have no effect in two dimensions, so the layer on top shows a view of part of its columns;
no pixels are copied.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_sem_sr.widgets.viewer.overlay import Mark, Overlay

if TYPE_CHECKING:
    from napari.components import ViewerModel

# how near to the line a drag has to begin, in screen pixels
REACH_PX = 12


class Curtain:
    """Shows only what is right of a line.

    Parameters
    ----------
    viewer
        napari's viewer.
    layer
        What hangs on top, (z, y, x), all levels.
    """

    def __init__(self, viewer: "ViewerModel", layer: Image) -> None:
        self._viewer = viewer
        self._layer = layer
        self._levels = list(layer.data) if layer.multiscale else [layer.data]
        self._translate = tuple(float(v) for v in layer.translate)
        self._column = -1
        self.moved: Callable[[float], None] = lambda _: None
        """Called with the new place when a person drags the line."""
        height, width = self._levels[0].shape[-2:]
        self._width, size = width, layer.scale[-2:]
        # edges of the image, not centres of its pixels
        self._edge = self._translate[-1] - size[1] / 2
        top = self._translate[-2] - size[0] / 2
        self._span = (top, top + height * size[0])
        self._line = Overlay(viewer, layer, self._line_at(self._edge))
        viewer.layers.selection.active = layer
        viewer.mouse_drag_callbacks.append(self._drag)

    @property
    def x(self) -> float:
        """Where the line is, in the world."""
        return float(self._edge + max(0, self._column) * self._layer.scale[-1])

    def hang(self, part: float) -> None:
        """Put the line at ``part`` (0 to 1) of the width."""
        # levels halve, so a column that all of them share keeps them in step
        step = 2 ** (len(self._levels) - 1)
        column = int(np.clip(round(part * self._width / step) * step, 0, self._width))
        if column == self._column:
            return
        self._column = column
        self._layer.visible = column < self._width
        if column < self._width:
            cut = [level[..., column >> k :] for k, level in enumerate(self._levels)]
            self._layer.data = cut if self._layer.multiscale else cut[0]
            z, y, x = self._translate
            self._layer.translate = (z, y, x + column * float(self._layer.scale[-1]))
        self._line.draw(self._line_at(self.x))

    def take_down(self) -> None:
        """Show the whole layer again."""
        if self._drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._drag)
        self._line.remove()
        self._layer.data = self._levels if self._layer.multiscale else self._levels[0]
        self._layer.translate = self._translate
        self._layer.visible = True

    def _line_at(self, x: float) -> dict[str, Mark]:
        return {"curtain": Mark("line", [[self._span[0], x], [self._span[1], x]])}

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        camera = self._viewer.scene.camera
        if abs(event.position[-1] - self.x) * camera.zoom > REACH_PX:
            return
        panned, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield
            while event.type == "mouse_move":
                width = self._width * float(self._layer.scale[-1])
                part = float(np.clip((event.position[-1] - self._edge) / width, 0, 1))
                self.hang(part)
                self.moved(part)
                yield
        finally:
            camera.mouse_pan = panned
