"""Plots of a study, as SVG text for the page and as files."""

import io
from collections.abc import Callable

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Dark to light in print, distinct for colour-blind people (Okabe & Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
BICUBIC = "#878787"


def svg(draw: Callable[[Axes], None], size: tuple[float, float] = (5.4, 3.2)) -> str:
    """SVG of what ``draw`` puts on a pair of axes; the same numbers give the same text.

    Parameters
    ----------
    size
        Width and height in inches.
    """
    # text stays text, and the same numbers give the same file
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "study", "font.family": "sans-serif"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        draw(axes)
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
