"""Grey values along a line, and how wide an edge is.

Source: the 20 %–80 % edge width is the usual measure of lateral resolution on a straight edge (ISO 18516).

What it can and cannot tell: a narrow edge in SR only says that the network draws narrow edges. Whether the edge is
as narrow in the specimen, HR alone can tell.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

Point = tuple[float, float]
Values = npt.NDArray[np.float64]
# part of the line at each end that is taken as the plateau beside the edge
PLATEAU = 0.2
# an edge has to stand out of what varies on its plateaus by this many standard deviations
CLEAR = 3.0
# samples per pixel along the line
DENSITY = 2


@dataclass(frozen=True, eq=False)
class Profile:
    """Grey values along a line.

    Parameters
    ----------
    distance
        From the start of the line, in the unit of the world (nm where it is known).
    grey
        Interpolated linearly between pixels; NaN outside of the image.
    """

    distance: Values
    grey: Values

    def edge_width(self) -> float | None:
        """Distance over which grey rises (or falls) from 20 % to 80 % between its two plateaus.

        None where there is no clear edge: the plateaus (the first and last fifth of the line) differ by less
        than three standard deviations of what varies on them, or the line leaves the image.
        """
        if not np.isfinite(self.grey).all() or len(self.grey) < 2 / PLATEAU:
            return None
        count = max(2, round(PLATEAU * len(self.grey)))
        start, end = self.grey[:count], self.grey[-count:]
        step = float(end.mean() - start.mean())
        spread = float(np.sqrt((start.var() + end.var()) / 2))
        if step == 0 or abs(step) < CLEAR * spread:
            return None
        share = (self.grey - start.mean()) / step
        # outwards from the middle of the edge, so that noise on the plateaus does not matter
        middle = int(np.argmax(share >= 0.5))
        below = np.flatnonzero(share[:middle] <= 0.2)
        above = np.flatnonzero(share[middle:] >= 0.8)
        if below.size == 0 or above.size == 0:
            return None
        return self._crossing(share, middle + int(above[0]), 0.8) - self._crossing(
            share, int(below[-1]) + 1, 0.2
        )

    def _crossing(self, share: Values, after: int, level: float) -> float:
        """Where ``share`` passes ``level`` between the sample before ``after`` and ``after``."""
        a, b = share[after - 1], share[after]
        part = 1.0 if b == a else (level - a) / (b - a)
        return float(
            self.distance[after - 1] + part * (self.distance[after] - self.distance[after - 1])
        )


def line_profile(stack: SemStack, z: float, start: Point, end: Point) -> Profile:
    """Grey values of the slice nearest to ``z`` along a line.

    Parameters
    ----------
    stack
        Of which one slice is read.
    z
        In the stack's world.
    start, end
        (y, x) in the stack's world.

    Raises
    ------
    InputError
        If the line has no length or ``z`` lies outside of the stack.
    """
    world = stack.world
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if length == 0:
        raise InputError("The line has no length; draw it from one point to another.")
    index = round((z - world.translate[0]) / world.scale[0])
    if not 0 <= index < stack.shape[0]:
        raise InputError(f"'{stack.name}' has no slice there.")
    count = int(np.ceil(DENSITY * length / min(world.scale[1:]))) + 1
    along = np.linspace(0, 1, count)
    places: list[Any] = [
        (a + along * (b - a) - t) / s
        for a, b, t, s in zip(start, end, world.translate[1:], world.scale[1:], strict=True)
    ]
    grey = map_coordinates(
        stack.slice(index).astype(np.float64), places, order=1, mode="constant", cval=np.nan
    )
    return Profile(along * length, grey)
