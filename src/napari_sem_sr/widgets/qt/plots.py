"""Curves of LR, SR and HR in napari's colours; pyqtgraph is loaded with the first plot."""

from collections.abc import Mapping
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import Qt

from napari_sem_sr.widgets.words import tr

# distinguishable by colour-blind people (Okabe and Ito) and by their dashes
PENS: dict[str, tuple[str, Qt.PenStyle]] = {
    "LR": ("#999999", Qt.PenStyle.DashLine),
    "SR": ("#e69f00", Qt.PenStyle.SolidLine),
    "SR 2": ("#009e73", Qt.PenStyle.DashDotDotLine),
    "HR": ("#56b4e9", Qt.PenStyle.DotLine),
    "twin": ("#cc79a7", Qt.PenStyle.DashDotLine),
}
HEIGHT = 184
# under the axis, whose label Qt would cut at the foot of its letters
FOOT = 6
# part of the height that the legend gets
HEADROOM = 0.35


def titled(role: str) -> str:
    """Role as it is named outside of napari, where nothing else says that SR was made up.

    Parameters
    ----------
    role
        LR, SR, HR or twin.
    """
    return tr("{role} (synthetic)", role=role) if role in ("SR", "SR 2", "twin") else role


def make_plot(theme_name: str, bottom: str, left: str, tip: str) -> Any:
    """Empty plot with labelled axes and a legend.

    Parameters
    ----------
    theme_name
        Name of napari's theme.
    bottom
        Quantity and unit along x.
    left
        Quantity and unit along y.
    tip
        Tooltip.
    """
    import pyqtgraph

    plot = pyqtgraph.PlotWidget()
    plot.setFixedHeight(HEIGHT)
    plot.setToolTip(tip)
    for side, label in (("bottom", bottom), ("left", left)):
        axis = plot.getAxis(side)
        axis.setLabel(label)
        axis.enableAutoSIPrefix(False)
    plot.getPlotItem().layout.setContentsMargins(1, 1, 1, FOOT)
    plot.addLegend(offset=(0, 1), horSpacing=8, colCount=4, labelTextSize="9pt")
    paint(plot, theme_name)
    return plot


def paint(plot: Any, theme_name: str) -> None:
    """Give a plot the colours of a theme; marks have them once they are drawn again.

    Parameters
    ----------
    plot
        As `make_plot` makes it.
    theme_name
        Name of napari's theme.
    """
    theme = get_theme(theme_name)
    text = theme.text.as_hex()
    plot.setBackground(theme.background.as_hex())
    for side in ("bottom", "left"):
        plot.getAxis(side).setPen(text)
        plot.getAxis(side).setTextPen(text)
    plot.getPlotItem().legend.setLabelTextColor(text)


def draw(
    plot: Any,
    curves: dict[str, tuple[Any, Any]],
    pens: Mapping[str, tuple[str, Qt.PenStyle]] = PENS,
) -> None:
    """Replace what the plot shows by ``curves``: (x, y) by role, or by any name that ``pens`` has.

    Parameters
    ----------
    plot
        As `make_plot` makes it.
    """
    import pyqtgraph

    plot.clear()
    for role, (x, y) in curves.items():
        colour, style = pens[role]
        plot.plot(x, y, pen=pyqtgraph.mkPen(colour, width=2, style=style), name=titled(role))
    box = plot.getViewBox()
    box.autoRange(padding=0.02)
    (x0, x1), (y0, y1) = box.viewRange()
    plot.setXRange(x0, x1, padding=0)
    plot.setYRange(y0, y1 + HEADROOM * (y1 - y0), padding=0)


def entitle(plot: Any, text: str) -> None:
    """Small title over the plot; none where ``text`` is empty.

    Parameters
    ----------
    plot
        As `make_plot` makes it.
    """
    plot.setTitle(text or None, size="8pt", color=plot.getAxis("bottom").textPen().color())


def set_least_height(plot: Any, height: float) -> None:
    """Never zoom in further than ``height`` along y.

    Parameters
    ----------
    plot
        As `make_plot` makes it.
    """
    plot.getViewBox().setLimits(minYRange=height)


def mark(plot: Any, x: float, label: str, height: float = 0.08) -> None:
    """Vertical line with a label.

    Parameters
    ----------
    plot
        As `make_plot` makes it.
    x
        In the unit of the axis.
    label
        For a person.
    height
        Where it stands, as a part of the plot's height.
    """
    import pyqtgraph

    pen = pyqtgraph.mkPen(plot.getAxis("bottom").textPen().color(), style=Qt.PenStyle.DashLine)
    options = {"position": height, "color": plot.getAxis("bottom").textPen().color()}
    plot.addItem(pyqtgraph.InfiniteLine(x, pen=pen, label=label, labelOpts=options))
