"""The report as one HTML page that needs nothing but itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from markupsafe import Markup

from napari_sem_sr.measure.measurement import FRACTION, Measurement, Measurements, words
from napari_sem_sr.measure.phase import AXES, PhaseNumbers
from napari_sem_sr.measure.phases.label import Phases
from napari_sem_sr.measure.report import figures
from napari_sem_sr.stack import SemStack
from napari_sem_sr.templates import environment

TEMPLATE = "measure.html.j2"
Curve = tuple[str, Any, Any]


@dataclass(frozen=True, eq=False)
class DrawnVolume:
    """What is drawn of one volume.

    Parameters
    ----------
    name
        Of the volume.
    slice
        Number of the slice that is shown.
    grey, coloured
        A slice without and with its phases, as data URIs.
    sizes
        Cumulative volume of objects over diameter in nm, by phase.
    histogram
        Grey values and their share, with the thresholds; None for given labels.
    """

    name: str
    slice: int
    grey: str
    coloured: str
    sizes: dict[int, tuple[Any, Any]]
    histogram: tuple[Any, Any, tuple[float, ...]] | None


def shown_slice(stack: SemStack, phases: Phases, found: Sequence[PhaseNumbers]) -> DrawnVolume:
    """Draw the middle slice, and keep the curves.

    Parameters
    ----------
    stack
        The volume.
    phases
        Its phases.
    found
        Numbers of each phase.
    """
    index = stack.shape[0] // 2
    grey, coloured = figures.picture(stack.slice(index), phases.file.read(index))
    sizes = {}
    for label, numbers in zip(phases.values, found, strict=True):
        objects = numbers.objects
        if objects is not None and objects.whole.any():
            order = np.argsort(objects.diameter)
            share = np.cumsum((objects.weights * objects.volume)[order])
            sizes[label] = (objects.diameter[order], 100 * share / share[-1])
    histogram = None
    if phases.histogram is not None:
        counts = phases.histogram.counts.reshape(-1, 4).sum(1)
        middles = phases.histogram.middles.reshape(-1, 4).mean(1)
        histogram = (middles, 100 * counts / counts.sum(), phases.levels)
    return DrawnVolume(stack.name, index, grey, coloured, sizes, histogram)


def render(found: Measurements, shown: Sequence[DrawnVolume]) -> str:
    """Make ``report.html``.

    Parameters
    ----------
    found
        What was measured.
    shown
        What is drawn of each volume.
    """
    rows = [
        (label, words(name), [_cell(name, n) for n in numbers])
        for label, name, numbers in found.rows()
    ]
    trust = any(c.share for _, _, cells in rows for c in cells)
    return (
        environment("napari_sem_sr.measure")
        .get_template(TEMPLATE)
        .render(
            found=found,
            rows=rows,
            shown=shown,
            trust=trust,
            plots=_plots(found, shown),
            now=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            version=version("napari-sem-sr"),
        )
    )


@dataclass(frozen=True)
class Cell:
    """A number in the table: itself, its interval, what of it is untrusted, and what it could be.

    Parameters
    ----------
    value
        With its unit.
    interval
        Empty where there is none.
    share
        Empty where nothing is known of trust.
    reach
        Empty where nothing is known of trust.
    """

    value: str
    interval: str = ""
    share: str = ""
    reach: str = ""


def _cell(name: str, number: Measurement | None) -> Cell:
    if number is None:
        return Cell("–")
    percent = name == FRACTION or name.startswith("connected")
    scale, unit = (100, " %") if percent else (1, "")

    def told(value: float | None) -> str:
        return "" if value is None else f"{scale * value:.4g}"

    interval = "" if number.low is None else f"{told(number.low)} to {told(number.high)}"
    share = "" if number.untrusted_share is None else f"{number.untrusted_share:.0%}"
    reach = (
        "" if number.range_low is None else f"{told(number.range_low)} to {told(number.range_high)}"
    )
    return Cell(told(number.value) + unit, interval, share, reach)


def _plots(found: Measurements, shown: Sequence[DrawnVolume]) -> list[tuple[str, str, Markup]]:
    plots = []
    labels = list(dict.fromkeys(p.label for v in found.volumes for p in v.phases))
    for label in labels:
        sizes = [(s.name, *s.sizes[label]) for s in shown if label in s.sizes]
        if sizes:
            drawn = figures.plot(sizes, "diameter (nm)", "volume of smaller objects (%)", log=True)
            plots.append((f"Sizes in phase {label}", "Diameter of the sphere of equal volume; objects cut by the border are left out and stood in for by those that are whole.", drawn))  # fmt: skip
        # two complementary phases have one correlation
        if label == labels[0] or len(labels) > 2:
            curves = [
                (f"{volume.name}, {axis}", curve["lag_nm"], curve["s2"])
                for volume in found.volumes
                for phase in volume.phases
                if phase.label == label
                for axis in AXES
                if (curve := phase.curves.get(f"two_point.{axis}")) is not None
            ]
            drawn = figures.plot(curves, "distance (nm)", "two-point probability")
            plots.append((f"Two-point correlation of phase {label}", "Probability that both ends of a segment lie in the phase.", drawn))  # fmt: skip
    grey = [(s.name, s.histogram[0], s.histogram[1]) for s in shown if s.histogram is not None]
    if grey:

        def thresholds(axes: Any) -> None:
            for number, volume in enumerate(s for s in shown if s.histogram is not None):
                assert volume.histogram is not None
                for level in volume.histogram[2]:
                    axes.axvline(
                        level, color=figures.COLOURS[number % 8], linewidth=0.9, linestyle=":"
                    )

        drawn = figures.plot(grey, "grey value", "share of voxels (%)", also=thresholds)
        plots.append(("Grey values and thresholds", "All voxels of each volume, after the blur; dotted: thresholds.", drawn))  # fmt: skip
    return plots
