"""A degraded teacher beside real LR, with what their spectra, noise and greys have in common."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_sem_sr.degradation.image_statistics import Values
from napari_sem_sr.degradation.match import Match
from napari_sem_sr.degradation.trial import QUANTILES, PictureStatistics
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

# Told apart without colour, too.
STYLES = {
    "LR, measured": ("black", "-", 2.0),
    "teachers, degraded": ("#d55e00", "--", 1.8),
    "teachers, averaged only": ("#0072b2", ":", 1.5),
}
SHOWN_PX = 160


def match_figure(match: Match) -> Figure:
    """Pictures above, curves below.

    Parameters
    ----------
    match
        What was fitted, with its example pictures and curves.
    """
    figure = Figure(figsize=(11, 7.2), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    looks = dict(zip(STYLES, (match.measured, match.made, match.averaged), strict=True))
    axes = figure.subplots(2, 3, height_ratios=(1.15, 1))
    for axis, (name, look) in zip(axes[0], looks.items(), strict=True):
        _show(axis, look, name)
    _curves(axes[1, 0], {n: (k.rings.frequency, k.rings.power) for n, k in looks.items()})
    axes[1, 0].set(
        yscale="log",
        xlabel="frequency, cycles per LR pixel",
        ylabel="power",
        title="power spectrum",
    )
    axes[1, 0].axvline(0.5, color="0.7", lw=1)
    axes[1, 0].legend(fontsize=8, frameon=False)
    deviations = {n: (k.grey, np.sqrt(k.variance)) for n, k in looks.items()}
    _curves(axes[1, 1], deviations, marker="o")
    axes[1, 1].set(
        xlabel="grey (0 black, 1 white)",
        ylabel="standard deviation",
        title="pixel-to-pixel variation",
    )
    axes[1, 1].set_ylim(bottom=0)
    _curves(axes[1, 2], {n: (k.quantiles, QUANTILES) for n, k in looks.items()})
    axes[1, 2].set(xlabel="grey", ylabel="part of the pixels below", title="distribution of greys")
    figure.suptitle(_title(match), fontsize=10)
    return figure


def write_match_picture(match: Match, path: Path) -> None:
    """Write `match_figure` as PNG.

    Parameters
    ----------
    match
        What was fitted, with its example pictures and curves.
    path
        File to write; one that is there is replaced as a whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    figure = match_figure(match)
    with translate_os_errors(path), atomic_write(path) as temporary:
        figure.savefig(temporary, format="png")


def _title(match: Match) -> str:
    title = f"×{match.factor}: {match.degradation.describe()}"
    if match.apart is not None and match.apart_before is not None:
        title += (
            f"\ntold apart with AUROC {match.apart.auroc:.2f} (0.5: not at all; shuffled images reach "
            f"{match.apart.null_95:.2f}); by averaging alone {match.apart_before.auroc:.2f}"
        )
    return title


def _show(axis: Axes, look: PictureStatistics, name: str) -> None:
    image = look.example
    top, left = (max(0, (n - SHOWN_PX) // 2) for n in image.shape)
    axis.imshow(
        image[top : top + SHOWN_PX, left : left + SHOWN_PX],
        cmap="gray",
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    axis.set_title(name, fontsize=10)
    axis.set_axis_off()


def _curves(axis: Axes, curves: dict[str, tuple[Values, Values]], marker: str = "") -> None:
    for name, (x, y) in curves.items():
        color, line, width = STYLES[name]
        axis.plot(x, y, color=color, ls=line, lw=width, marker=marker, ms=3, label=name)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
