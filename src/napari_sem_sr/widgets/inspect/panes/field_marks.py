"""What is drawn over the panes and depends on what is on screen: LR's pixels, the cursor, the smallest trusted detail."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_sem_sr.stack import World
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.overlay import Mark
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    import numpy.typing as npt

GRID, CROSS, RING = tr("LR pixels"), "cursor", tr("trusted detail")
GRID_COLOUR, RING_COLOUR = "#56b4e9", "#00d0a0"
# finer than this a grid hides what it lies over
LEAST_GRID_PX = 8.0
CROSS_PX = 14.0
MARGIN_PX = 70.0
DELAY_MS = 40
Box = tuple[tuple[float, float], tuple[float, float]]


class FieldMarks(QObject):
    """Keeps the marks in step with camera and cursor.

    Drawn a little after the last movement, so that panning stays smooth.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    parent
        Whose end is its end.
    """

    def __init__(self, comparison: Comparison, parent: QObject) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self._viewer = comparison.viewer
        self.grid = False
        """Whether the edges of LR's pixels are drawn."""
        self.cross = False
        """Whether the point under the cursor is shown in every pane."""
        self.trusted_nm: float | None = None
        """Diameter of the smallest trusted detail; None draws none."""
        self._cursor: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.draw)
        camera = self._viewer.scene.camera.events
        self._events = (camera.center, camera.zoom)
        for event in self._events:
            event.connect(self.soon)
        self._viewer.mouse_move_callbacks.append(self._moved)

    def disconnect_viewer(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        for event in self._events:
            event.disconnect(self.soon)
        self._viewer.mouse_move_callbacks.remove(self._moved)

    def soon(self) -> None:
        """Draw when the present movement is over."""
        if self._comparison.active and not self._timer.isActive():
            self._timer.start()

    def draw(self) -> None:
        """Draw what is wanted where it belongs now."""
        if not self._comparison.active or not self._comparison.panes:
            return
        box = self._visible()
        lr = self._comparison.seats.get("LR")
        wanted: dict[str, Mark | None] = {GRID: None, CROSS: None, RING: None}
        zoom = self._viewer.scene.camera.zoom
        if self.grid and lr is not None and lr.world.scale[-1] * zoom >= LEAST_GRID_PX:
            wanted[GRID] = grid_mark(lr.world, lr.shape, box)
        if self.cross and self._cursor is not None and self._comparison.mode == "side by side":
            wanted[CROSS] = cross_mark(self._cursor, CROSS_PX / zoom)
        if self.trusted_nm is not None:
            diameter = self.trusted_nm / self._nm_per_unit()
            wanted[RING] = ring_mark(box, diameter, MARGIN_PX / zoom)
        for name, mark in wanted.items():
            self._comparison.set_mark(name, mark)

    def _moved(self, _: Any, event: Any) -> None:
        if self.cross and self._comparison.active:
            self.point_at(event.position)

    def point_at(self, position: Sequence[float]) -> None:
        """Show a point (..., y, x) of the world in every pane.

        Parameters
        ----------
        position
            (..., y, x) in the world.
        """
        self._cursor = (float(position[-2]), float(position[-1]))
        self.soon()

    def _visible(self) -> Box:
        """((y0, y1), (x0, x1)) of the world in one pane."""
        camera = self._viewer.scene.camera
        half = [px / 2 / camera.zoom for px in self._comparison.camera.pane_px()]
        y, x = camera.center[-2:]
        return (y - half[0], y + half[0]), (x - half[1], x + half[1])

    def _nm_per_unit(self) -> float:
        first = next(iter(self._comparison.panes.values()))
        return float((1 * layers.three_units(first)[-1]).to("nanometer").magnitude)


def grid_mark(world: World, shape: Sequence[int], box: Box) -> Mark | None:
    """Edges of the pixels of a stack inside ``box``, as one path; None where none is inside.

    Parameters
    ----------
    world
        Where pixels lie.
    shape
        (..., y, x) of the stack.
    """
    edges = [
        _edges(world.translate[axis], world.scale[axis], shape[axis], box[axis - 1])
        for axis in (1, 2)
    ]
    if min(map(len, edges)) < 2:
        return None
    rows, columns = edges
    down = [(y, x) for i, x in enumerate(columns) for y in _to_and_fro(rows, i)]
    # from the corner where the columns end, so that no line runs across
    across = rows if down[-1][0] == rows[0] else rows[::-1]
    along = [(y, x) for i, y in enumerate(across) for x in _to_and_fro(columns, i + 1)]
    return Mark("path", np.array(down + along), GRID_COLOUR, width_px=1)


def _to_and_fro(ends: "npt.NDArray[Any]", count: int) -> tuple[float, float]:
    first, last = float(ends[0]), float(ends[-1])
    return (last, first) if count % 2 else (first, last)


def _edges(begin: float, step: float, count: int, span: tuple[float, float]) -> "npt.NDArray[Any]":
    first = max(0, int(np.floor((span[0] - begin) / step + 0.5)))
    last = min(count, int(np.ceil((span[1] - begin) / step + 0.5)))
    return begin + (np.arange(first, last + 1) - 0.5) * step


def cross_mark(point: tuple[float, float], arm: float) -> Mark:
    """A cross at a point, as one path.

    Parameters
    ----------
    point
        (y, x) in the world.
    arm
        Half its width, in the unit of the world.
    """
    y, x = point
    ends = [(y, x - arm), (y, x + arm), (y, x), (y - arm, x), (y + arm, x)]
    return Mark("path", np.array(ends), width_px=1.5)


def ring_mark(box: Box, diameter: float, margin: float) -> Mark:
    """A ring in the lower left corner of ``box``, above the scale bar.

    Parameters
    ----------
    diameter
        In the unit of the world.
    margin
        From the corner, in the unit of the world.
    """
    (_, bottom), (left, _) = box
    y0, x0 = bottom - margin - diameter, left + 0.2 * margin
    y1, x1 = y0 + diameter, x0 + diameter
    corners = np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
    return Mark("ellipse", corners, RING_COLOUR, width_px=1.5)
