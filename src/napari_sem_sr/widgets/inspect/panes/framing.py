"""What of the panes is looked at: the field that all of them cover, and how it is laid out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes.roles import ROLES

if TYPE_CHECKING:
    from napari.components import ViewerModel

# panes that are computed, in the order in which they follow the roles
COMPUTED = ("difference", "evidence")
# so many panes are laid out without an empty cell
NO_GAP = 4
# panes have to gain so much by another row
MUCH_LARGER = 1.2
# around the whole field, as napari leaves it
MARGIN = 1.05
Span = tuple[float, float]


@dataclass(frozen=True)
class Viewpoint:
    """Where someone looks along z: slice, centre and how much of the field is seen, in the world.

    Parameters
    ----------
    z
        The slice.
    centre
        (y, x).
    extent
        Over the smaller side of a pane.
    """

    z: float
    centre: tuple[float, float]
    extent: float


@dataclass(frozen=True)
class Box:
    """A field of the world, by the edges of its outermost voxels.

    Parameters
    ----------
    z
        From and to, in the world.
    y
        From and to, in the world.
    x
        From and to, in the world.
    """

    z: Span
    y: Span
    x: Span

    @classmethod
    def common(cls, seats: Iterable[SemStack]) -> "Box | None":
        """What all of these cover; None where there is no such field.

        Parameters
        ----------
        seats
            Stacks where they lie on screen.
        """
        spans = []
        for seat in seats:
            scale, begin = np.asarray(seat.world.scale), np.asarray(seat.world.translate)
            first = begin - scale / 2
            spans.append((first, first + scale * seat.shape))
        if not spans:
            return None
        low = np.max([first for first, _ in spans], axis=0)
        high = np.min([last for _, last in spans], axis=0)
        if (low >= high).any():
            return None
        z, y, x = ((float(a), float(b)) for a, b in zip(low, high, strict=True))
        return cls(z, y, x)

    @property
    def sizes(self) -> tuple[float, float, float]:
        """Along z, y, x."""
        return self.z[1] - self.z[0], self.y[1] - self.y[0], self.x[1] - self.x[0]

    @property
    def centre(self) -> tuple[float, float]:
        """(y, x)."""
        return sum(self.y) / 2, sum(self.x) / 2

    def holds(self, centre: tuple[float, float]) -> bool:
        """Whether a point (y, x) lies inside.

        Parameters
        ----------
        centre
            (y, x) in the world.
        """
        return self.y[0] <= centre[0] <= self.y[1] and self.x[0] <= centre[1] <= self.x[1]

    def nearest(self, z: float, step: float) -> float:
        """The place nearest to ``z`` that is on one of the slices, ``step`` apart."""
        return float(np.clip(z, self.z[0] + step / 2, self.z[1] - step / 2))


@dataclass
class PaneCamera:
    """The one camera of all panes.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    viewer: "ViewerModel"
    volumes: bool = False
    """Whether volumes are shown, which are turned rather than fitted."""
    _box: Box | None = None
    _step: float = 1.0

    def show(self, seats: Iterable[SemStack]) -> None:
        """Look at what these have in common from now on.

        Parameters
        ----------
        seats
            Stacks where they lie on screen.
        """
        seats = list(seats)
        self._box = Box.common(seats)
        self._step = min((float(seat.world.scale[0]) for seat in seats), default=1.0)

    def pane_px(self) -> tuple[int, int]:
        """Height and width of one pane in screen pixels."""
        height, width = self.viewer.canvas.viewbox_size(self.viewer.layers)
        return int(height), int(width)

    def _field(self) -> tuple[float, float]:
        """Height and width of what all panes cover, in the world, as it is looked at."""
        if self.volumes or self._box is None:
            return 1.0, 1.0
        lead = self.viewer.dims.ndim - len(self._box.sizes)
        down, right = (axis - lead for axis in self.viewer.dims.displayed[-2:])
        return self._box.sizes[down], self._box.sizes[right]

    def fit(self) -> float:
        """Screen pixels per world unit at which one pane holds the whole field."""
        return min(px / size for px, size in zip(self.pane_px(), self._field(), strict=True))

    def share(self, count: int, before: float) -> None:
        """Divide the canvas so that ``count`` panes are largest; ``before`` is `fit` when the zoom was right."""
        height, width = self.viewer.canvas.size
        self.viewer.canvas.grid.shape = grid_shape(count, (height, width), self._field())
        # the same field in a larger or smaller pane
        self.viewer.scene.camera.zoom *= self.fit() / before

    def look(self) -> Viewpoint:
        """Where someone looks now."""
        camera, dims = self.viewer.scene.camera, self.viewer.dims
        y, x = camera.center[-2:]
        z = dims.point[dims.ndim - 3] if dims.ndim >= 3 else 0.0
        return Viewpoint(float(z), (float(y), float(x)), min(self.pane_px()) / camera.zoom)

    def frame(self, look: Viewpoint | None) -> None:
        """Go on looking where someone looked, as far as all panes have something to show there.

        Parameters
        ----------
        look
            Where someone looked; None for the whole field.
        """
        box = self._box
        if box is None or look is None:
            self.viewer.reset_view()
            return
        whole = min(self.pane_px()) / self.fit()
        z = box.nearest(look.z, self._step)
        if look.extent >= whole or not box.holds(look.centre):
            self.viewer.reset_view()
            self.look_at(z, box.centre, MARGIN * whole)
        else:
            self.look_at(z, look.centre, look.extent)

    def look_at(self, z: float, centre: tuple[float, float], extent: float) -> None:
        """Go to a place of the world: its slice, its centre (y, x), ``extent`` over the smaller side of a pane.

        Of a place as large as the field the whole field is shown, not what lies around it.

        Parameters
        ----------
        z
            Place of the slice in the world.
        centre
            (y, x) in the world.
        """
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3, z)
        camera = self.viewer.scene.camera
        camera.center = (*camera.center[:-2], *centre)
        zoom = min(self.pane_px()) / extent
        camera.zoom = zoom if self.volumes else max(zoom, self.fit() / MARGIN)


def rank(name: str) -> int:
    """Place of a pane beside the others; what is not known comes last.

    Parameters
    ----------
    name
        Of the pane.
    """
    order = (*ROLES, *COMPUTED)
    return order.index(name) if name in order else len(order)


def grid_shape(
    count: int, canvas: tuple[float, float], field: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns in which ``count`` panes show ``field`` largest on ``canvas``, both (height, width).

    Up to `NO_GAP` panes leave no cell empty.
    """

    def scale(rows: int) -> float:
        columns = -(-count // rows)
        return min(canvas[0] / rows / field[0], canvas[1] / columns / field[1])

    whole = [
        rows
        for rows in range(1, max(1, count) + 1)
        if (-(-count // rows) * rows == count or count > NO_GAP)
        and (rows - 1) * -(-count // rows) < count
    ]
    best = whole[0]
    for rows in whole[1:]:
        if scale(rows) > MUCH_LARGER * scale(best):
            best = rows
    return best, -(-count // best)
