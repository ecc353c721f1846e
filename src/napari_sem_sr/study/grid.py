"""Pictures of a study side by side, in one contrast and at one scale."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from napari_sem_sr.intensity import range_of
from napari_sem_sr.study.picture import mark_synthetic, scale_bar

INCHES = 2.5
MARKED = "#ffb000"


@dataclass(frozen=True, eq=False)
class GridPicture:
    """One picture of a grid.

    Parameters
    ----------
    title
        Above it.
    image
        (y, x); all tiles of a grid cover one extent, whatever their pixel size.
    synthetic
        Whether it gets the mark of a picture that was not measured.
    circles
        Places to mark: (y, x, diameter) in nm, or in HR pixels where no pixel size is known.
    """

    title: str
    image: npt.NDArray[Any]
    synthetic: bool = False
    circles: Sequence[tuple[float, float, float]] = field(default=())


def write_grid(
    path: Path,
    rows: Sequence[Sequence[GridPicture]],
    pixel_nm: float | None,
    shown_px: int | None = None,
) -> None:
    """Draw rows of tiles as a PNG with a scale bar.

    Parameters
    ----------
    path
        PNG to write.
    rows
        Each row has a contrast of its own, that of its last tile (HR).
    pixel_nm
        Size of the HR pixels; None if unknown.
    shown_px
        Side of the part around the centre that is shown, in HR pixels; all of it by default.
    """
    size = pixel_nm or 1.0
    columns = max(len(row) for row in rows)
    figure = Figure((INCHES * columns, (INCHES + 0.3) * len(rows)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for drawn, row in zip(axes, rows, strict=True):
        shown = range_of(row[-1].image)
        height, width = (n * size for n in row[-1].image.shape)
        side = min(height, width, (shown_px or np.inf) * size)
        top, left = (height - side) / 2, (width - side) / 2
        for axis, tile in zip(drawn, row, strict=False):
            axis.imshow(
                tile.image,
                cmap="gray",
                vmin=shown.low,
                vmax=shown.high,
                extent=(-left, width - left, height - top, -top),
                interpolation="nearest",
            )
            axis.set(xlim=(0, side), ylim=(side, 0))
            axis.set_title(tile.title, fontsize=10)
            if tile.synthetic:
                mark_synthetic(axis)
            for y, x, diameter in tile.circles:
                # centres are told from the centre of the first pixel, the extent begins at its edge
                centre = (x + size / 2 - left, y + size / 2 - top)
                axis.add_patch(
                    Circle(
                        centre,
                        0.5 * diameter + 0.015 * side,
                        fill=False,
                        edgecolor=MARKED,
                        linewidth=1.0,
                    )
                )
        scale_bar(drawn[0], side, side, "pixel" if pixel_nm is None else "nanometer")
        for axis in drawn:
            axis.set_axis_off()
    figure.savefig(path)
