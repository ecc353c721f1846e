"""Figures for papers and slides: panels with scale bars, the mark of what is synthetic, and a caption beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import OutputError
from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors
from napari_sem_sr.io.write.png import MARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = {".png": "png", ".tif": "tiff", ".tiff": "tiff", ".pdf": "pdf"}
MM_PER_INCH = 25.4
# Sizes in points, as they will be printed; journals ask for 5 to 7 at least.
_TEXT_PT, _BAR_PT = 7.0, 2.0
# In inches.
_TITLE, _GAP, _COLOUR_BAR = 0.17, 0.04, 0.34
# A scale bar takes up to this part of a panel's width.
_BAR_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class ColourBar:
    """Colours (n, 3), uint8, of the values from ``low`` to ``high``, and what these are.

    Parameters
    ----------
    colours
        ``(n, 3)`` from low to high.
    label
        Quantity and unit.
    """

    colours: npt.NDArray[np.uint8]
    low: float
    high: float
    label: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a figure.

    Parameters
    ----------
    pixels
        (y, x, 3), uint8.
    title
        What it shows.
    pixel
        Size of one of its pixels, in ``unit``.
    unit
        ``"nanometer"``, or ``"pixel"`` of LR where the voxel size is unknown.
    synthetic
        Whether it was not measured.
    colour_bar
        What the colours mean; None for grey.
    """

    pixels: npt.NDArray[np.uint8]
    title: str
    pixel: float
    unit: str
    synthetic: bool = False
    colour_bar: ColourBar | None = None


def write_figure(
    panels: Sequence[Panel],
    path: str | Path,
    caption: str,
    *,
    columns: int,
    width_mm: float = 180.0,
    dpi: int = 300,
    mark: bool = True,
) -> Path:
    """Write panels of one size as PNG, TIFF or PDF, and a caption as text beside it; existing files are replaced.

    Parameters
    ----------
    panels
        From left to right, then down.
    path
        Its suffix says the format.
    caption
        What is to be known about the figure.
    columns
        Panels in a row.
    width_mm, dpi
        Width on paper, and dots per inch of what is not drawn as lines and letters.
    mark
        Draw "super-resolved (synthetic)" into panels that were not measured.

    Returns
    -------
    Path
        The file of the caption.

    Raises
    ------
    OutputError
        If the suffix is of another format, or the disk refuses.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"'{path.name}' does not say how to write; give a name ending in .png, .tif or .pdf."
        )
    # matplotlib cuts off parts of a pixel
    width = (round(width_mm / MM_PER_INCH * dpi) + 0.01) / dpi
    drawn = _drawn(panels, columns, width, mark=mark)
    beside = path.with_suffix(".txt")
    kind = SUFFIXES[path.suffix.lower()]
    more: dict[str, Any] = {"pil_kwargs": {"compression": "tiff_lzw"}} if kind == "tiff" else {}
    with translate_os_errors(path):
        make_folder(path.parent.absolute())
        with atomic_write(path) as unfinished:
            drawn.savefig(unfinished, format=kind, dpi=dpi, **more)
        with atomic_write(beside) as unfinished:
            unfinished.write_text(caption, encoding="utf-8")
    return beside


def _drawn(panels: Sequence[Panel], columns: int, width: float, *, mark: bool) -> "Figure":
    # matplotlib takes long to import, and napari need not wait for it
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = math.ceil(len(panels) / columns)
    across = (width - (columns - 1) * _GAP) / columns
    high, wide = panels[0].pixels.shape[:2]
    down = across * high / wide
    bars = [any(p.colour_bar for p in panels[r * columns : (r + 1) * columns]) for r in range(rows)]
    heights = [_TITLE + down + (_COLOUR_BAR if bar else 0.0) for bar in bars]
    height = sum(heights) + (rows - 1) * _GAP
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        left = column * (across + _GAP)
        top = height - sum(heights[:row]) - row * _GAP
        axes = figure.add_axes(
            (left / width, (top - _TITLE - down) / height, across / width, down / height)
        )
        _draw_panel(axes, panel, across, mark=mark)
        figure.text(
            left / width, (top - 0.04) / height, panel.title, size=_TEXT_PT, va="top", ha="left"
        )
        if panel.colour_bar is not None:
            bar = figure.add_axes(
                (
                    (left + 0.15 * across) / width,
                    (top - _TITLE - down - 0.12) / height,
                    0.7 * across / width,
                    0.07 / height,
                )
            )
            _draw_colour_bar(bar, panel.colour_bar)
    return figure


def _draw_panel(axes: "Axes", panel: Panel, across: float, *, mark: bool) -> None:
    high, wide = panel.pixels.shape[:2]
    axes.imshow(panel.pixels, interpolation="none", aspect="auto")
    axes.set_axis_off()
    length, label = _scale_bar(panel.pixel * wide, panel.unit)
    right, low = 0.96 * wide, 0.95 * high
    left = right - length / panel.pixel
    ground = {"facecolor": "black", "alpha": 0.65, "pad": 1.5, "edgecolor": "none"}
    axes.plot([left, right], [low, low], color="black", linewidth=2 * _BAR_PT)
    axes.plot([left, right], [low, low], color="white", linewidth=_BAR_PT, solid_capstyle="butt")
    axes.annotate(
        label, ((left + right) / 2, low), (0, 4), textcoords="offset points", size=_TEXT_PT,
        color="white", ha="center", va="bottom", bbox=ground,
    )  # fmt: skip
    axes.set_xlim(-0.5, wide - 0.5)
    axes.set_ylim(high - 0.5, -0.5)
    if panel.synthetic and mark:
        # 26 letters of half their height, as one line or as two
        narrow = across * 72 < 0.62 * _TEXT_PT * len(MARK)
        axes.annotate(
            MARK.replace(" (", "\n(") if narrow else MARK, (0, 1), (3, -3), xycoords="axes fraction",
            textcoords="offset points", size=_TEXT_PT, color="white", ha="left", va="top", bbox=ground,
        )  # fmt: skip


def _draw_colour_bar(axes: "Axes", bar: ColourBar) -> None:
    axes.imshow(bar.colours[np.newaxis], aspect="auto", extent=(bar.low, bar.high, 0.0, 1.0))
    axes.set_yticks([])
    axes.tick_params(labelsize=_TEXT_PT - 1, length=2, pad=1)
    axes.set_xticks([bar.low, (bar.low + bar.high) / 2, bar.high])
    axes.set_xlabel(bar.label, size=_TEXT_PT - 1, labelpad=1)


def _scale_bar(width: float, unit: str) -> tuple[float, str]:
    """Length of a scale bar of 1, 2 or 5 times a power of ten for a panel ``width`` wide, and its label."""
    wanted = width * _BAR_SHARE
    magnitude = 10.0 ** math.floor(math.log10(wanted))
    length = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= wanted)
    return length, spoken_length(length) if unit == "nanometer" else f"{length:g} LR px"
