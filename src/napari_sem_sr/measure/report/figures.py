"""Pictures and plots for the report, as text that needs no other file."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from napari_sem_sr.intensity import range_of

# Distinguishable by colour-blind people (Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
STYLES = ("-", "--", "-.", ":")
SHOWN_PX = 360


def picture(grey: npt.NDArray[Any], phases: npt.NDArray[np.uint8]) -> tuple[str, str]:
    """A slice, and the same with its phases in colour, as data URIs of PNGs; the middle of it where it is large.

    Parameters
    ----------
    grey
        ``(y, x)`` of any real dtype.
    phases
        ``(y, x)``, numbers of the phases.
    """
    from PIL import Image

    window = tuple(
        np.s_[max(0, (n - SHOWN_PX) // 2) : max(0, (n - SHOWN_PX) // 2) + SHOWN_PX]
        for n in grey.shape
    )
    part, labels = grey[window], phases[window]
    level = np.clip(np.nan_to_num(range_of(grey).normalise(part)), 0, 1)
    plain = np.repeat((255 * level)[..., None], 3, axis=-1)
    tints = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS], np.float64)
    tint = tints[np.minimum(labels, len(tints) - 1)]
    coloured = np.where((labels < len(tints))[..., None], 0.55 * plain + 0.45 * tint, plain)
    uris = []
    for image in (plain, coloured):
        stream = io.BytesIO()
        Image.fromarray(np.rint(image).astype(np.uint8), "RGB").save(stream, "PNG", optimize=True)
        uris.append("data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii"))
    return uris[0], uris[1]


def plot(
    curves: Sequence[tuple[str, npt.ArrayLike, npt.ArrayLike]],
    xlabel: str,
    ylabel: str,
    *,
    log: bool = False,
    also: Callable[[Any], None] | None = None,
) -> Markup:
    """SVG of named curves (name, x, y); ``also`` draws more into its axes.

    Parameters
    ----------
    curves
        Name, x and y, each ``(n,)``.
    xlabel
        With its unit.
    ylabel
        With its unit.
    log
        Whether x is logarithmic.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": xlabel, "font.size": 9.5}):
        figure = Figure(figsize=(5.2, 2.9), layout="constrained")
        figure.patch.set_alpha(0)
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        axes.grid(color="#88888855", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        if log:
            axes.set_xscale("log")
        for number, (name, x, y) in enumerate(curves):
            axes.plot(
                x,
                y,
                label=name,
                color=COLOURS[number % len(COLOURS)],
                linestyle=STYLES[number % len(STYLES)],
            )
        if also is not None:
            also(axes)
        axes.legend(frameon=False, fontsize=8.5)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue().replace("#000000", "currentColor")
    # made by matplotlib of numbers; the names of volumes in it are escaped by matplotlib
    return Markup(text[text.index("<svg") :])
