"""The plots of the report page: SVG of numbers in the report, in the colours of the page, light or dark."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.metrics.frc import THRESHOLD
from napari_sem_sr.model.card import Card

# Drawn in colours that stand for the page's own variables, which differ in the dark and on paper.
VARIABLES = {
    "#010203": "ink",
    "#010204": "soft",
    "#010205": "line",
    "#010206": "sr",
    "#010207": "twin",
    "#010208": "bicubic",
    "#010209": "hr",
    "#01020a": "lr",
}
INK, SOFT, LINE, SR, TWIN, BICUBIC, HR, LR = VARIABLES
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "SR": {"color": SR, "linewidth": 1.9, "zorder": 4},
    "twin": {"color": TWIN, "linewidth": 1.6, "linestyle": (0, (5, 1.5)), "zorder": 3},
    "bicubic": {"color": BICUBIC, "linewidth": 1.6, "linestyle": (0, (1.5, 1.5)), "zorder": 2},
    "LR": {"color": LR, "linewidth": 1.6, "linestyle": (0, (4, 1.5, 1, 1.5)), "zorder": 2},
    "teachers": {"color": HR, "linewidth": 1.6, "zorder": 3},
}
PREFIXES = (("SR", ""), ("twin", "twin_"), ("bicubic", "bicubic_"))
KEYS = (("SR", "sr"), ("twin", "twin"), ("bicubic", "bicubic"))
NM_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True)
class Plot:
    """One plot: what it shows, its SVG, and how to read it.

    Parameters
    ----------
    title, svg, note
        For a person; the picture; how to read it.
    """

    title: str
    svg: Markup
    note: str


def plots_against_hr(report: Report, factor: int) -> list[Plot]:
    """Ring correlation, scores along the stack, recall of particles and pores.

    Parameters
    ----------
    report
        With scores.
    factor
        SR pixels per LR pixel.
    """
    if report.scores is None:
        return []
    scores: Any = report.scores
    plots = [_rings(report, factor)]
    plots += [_recall(scores[name], name) for name in ("particles", "pores") if scores[name]]
    if len(scores["psnr_per_slice"]) > 1:
        plots.append(_along(report))
    return plots


def plots_of_reference(report: Report) -> list[Plot]:
    """Sizes, chords and spectrum beside the teachers'.

    Parameters
    ----------
    report
        With a reference.
    """
    found: Any = report.reference
    if found is None:
        return []
    unit = found["unit"]
    edges = np.array(found["sr"]["edges"])
    middles = np.sqrt(edges[1:] * edges[:-1])
    ends = np.array(found["sr"]["chord_edges"])
    chords = np.sqrt(ends[1:] * ends[:-1])
    per = 1e6 if unit == "nm" else 1.0
    area = "µm²" if unit == "nm" else "px²"
    plots = [
        _beside(found, "objects", middles, "Sizes", f"diameter ({unit})", f"objects per {area}", per),
        _beside(found, "chords", chords, "Chord lengths", f"chord ({unit})", "share of chords per octave", 1.0),
    ]  # fmt: skip
    n = len(found["sr"]["power"])
    frequency = (np.arange(n) + 0.5) / n * 0.5
    pixel = report.sr["voxel_nm"][2] if unit == "nm" else None
    label = "cycles per SR pixel" if pixel is None else "cycles per µm"
    scaled = frequency if pixel is None else 1000 * frequency / pixel
    spectrum = _beside(
        found,
        "power",
        scaled,
        "Spectrum",
        label,
        "share of power",
        1.0,
        period_nm=pixel is not None,
    )
    return [*plots, spectrum]


def plot_of_resolving(card: Card, lr_pixel_nm: float | None) -> Plot | None:
    """Recovery of planted features against size; None where the card does not know.

    Parameters
    ----------
    card
        Of the model.
    lr_pixel_nm
        Side of an LR pixel in nm; None where unknown.
    """
    if card.resolving_power is None:
        return None
    unit, scale = ("nm", lr_pixel_nm) if lr_pixel_nm is not None else ("LR pixels", 1.0)

    def draw(axes: Any) -> None:
        assert card.resolving_power is not None
        for recovery, marker in zip(card.resolving_power.planted, "os^", strict=True):
            x = [s * scale for s in recovery.size_lr_px]
            y = _percent(recovery.rate["gan"])
            axes.plot(x, y, marker=marker, markersize=4, label=f"{recovery.kind}s", **LOOKS["SR"])
        base = card.resolving_power.planted[0]
        x = [s * scale for s in base.size_lr_px]
        axes.plot(x, _percent(base.rate["bicubic"]), label="discs, bicubic", **LOOKS["bicubic"])
        axes.axvline(2 * scale, color=SOFT, linewidth=0.9, linestyle=":")
        axes.annotate("2 LR pixels", (2 * scale, 4), xytext=(4, 0), textcoords="offset points", fontsize=8, color=SOFT)  # fmt: skip
        axes.set_ylim(-3, 103)
        _log_sizes(axes, x[0], x[-1])

    return Plot(
        "What the model resolves",
        _svg(draw, f"size of the feature ({unit})", "recovered (%)"),
        "Known features planted into HR, degraded and upscaled. Isolated, sharp, without noise: a bound from above. From the model's card.",
    )


def _rings(report: Report, factor: int) -> Plot:
    scores: Any = report.scores
    pixel = report.sr["voxel_nm"][2]
    x = np.array(scores["frc_cycles_per_px"])
    nyquist = 0.5 / factor
    scale = 1.0 if pixel is None else 1000 / pixel

    def draw(axes: Any) -> None:
        for name, prefix in PREFIXES:
            if f"{prefix}frc_curve" in scores:
                axes.plot(x * scale, _nan(scores[f"{prefix}frc_curve"]), label=name, **LOOKS[name])
        axes.axhline(THRESHOLD, color=SOFT, linewidth=0.9, linestyle="--")
        axes.axvline(nyquist * scale, color=SOFT, linewidth=0.9, linestyle=":")
        axes.annotate("LR's Nyquist", (nyquist * scale, 0.98), xytext=(4, 0), textcoords="offset points", fontsize=8, color=SOFT, va="top")  # fmt: skip
        axes.set_ylim(min(-0.05, axes.get_ylim()[0]), 1.02)
        if pixel is not None:
            _periods(axes)

    label = "cycles per SR pixel" if pixel is None else "cycles per µm"
    return Plot(
        "Fourier ring correlation with HR",
        _svg(draw, label, "correlation"),
        f"How far each picture follows HR at each fineness. Where a curve falls below {THRESHOLD:g} (dashed) is its resolution; beyond LR's Nyquist frequency LR measured nothing, and what agrees there was inferred.",
    )


def _along(report: Report) -> Plot:
    scores: Any = report.scores

    def draw(axes: Any) -> None:
        for name, prefix in PREFIXES:
            if f"{prefix}psnr_per_slice" in scores:
                values = _nan(scores[f"{prefix}psnr_per_slice"])
                axes.plot(report.looked_at, values, label=name, **LOOKS[name])
        axes.xaxis.get_major_locator().set_params(integer=True)

    return Plot("PSNR along the stack", _svg(draw, "slice of LR", "PSNR (dB)"), "Raw; bicubic is what every model has to beat.")  # fmt: skip


def _recall(found: Mapping[str, Any], name: str) -> Plot:
    edges = np.array(found["sr"]["diameter_edges"])
    middles = np.sqrt(edges[1:] * edges[:-1])
    unit = found["sr"]["unit"]
    known = [i for i, v in enumerate(found["sr"]["recall"]) if v is not None]

    def draw(axes: Any) -> None:
        for label, key in KEYS:
            if key in found:
                y = _percent(found[key]["recall"])
                axes.plot(middles, y, marker="o", markersize=3.5, label=label, **LOOKS[label])
        y = _percent(found["sr"]["precision"])
        look = {**LOOKS["SR"], "linewidth": 1.1, "linestyle": ":"}
        axes.plot(middles, y, label="SR, precision", **look)
        axes.set_ylim(-3, 103)
        if known:
            _log_sizes(axes, middles[known[0]], middles[known[-1]])

    s = found["sr"]
    smallest = s["diameter_recall_90"]
    said = "no size reaches 90 %" if smallest is None else f"90 % from {smallest:.3g} {unit}"
    return Plot(
        f"{name.capitalize()} found again",
        _svg(draw, f"diameter ({unit})", f"{name} found (%)"),
        f"Of {s['n_true']} {name} of HR, SR lost {s['n_missed']}; {s['n_invented']} of its own are not in HR. Recall: {said}. Precision (dotted): share of SR's {name} that are in HR. Sizes with fewer than five are left out.",
    )


def _beside(
    found: Mapping[str, Any],
    key: str,
    x: Any,
    title: str,
    xlabel: str,
    ylabel: str,
    per: float,
    *,
    period_nm: bool = False,
) -> Plot:
    teachers = found["teachers"]
    # the first class of a spectrum holds the mean, which is left out
    part = slice(1 if key == "power" else 0, None)
    x = x[part]

    def values(of: Any) -> Any:
        return np.array(of)[part] * per

    def draw(axes: Any) -> None:
        low, high = teachers["low"][key], teachers["high"][key]
        if low is not None:
            axes.fill_between(x, values(low), values(high), color=HR, alpha=0.22, linewidth=0)  # fmt: skip
        if teachers[key] is not None:
            axes.plot(x, values(teachers[key]), label="teachers", **LOOKS["teachers"])
        for label, name in (("LR", "lr"), ("bicubic", "bicubic"), ("SR", "sr")):
            if key == "power" and label == "LR":
                continue  # enlarged pixels have a spectrum of their own
            axes.plot(x, values(found[name][key]), label=label, **LOOKS[label])
        if key == "power":
            axes.set_yscale("log")
            axes.set_xlim(0, x[-1])
            if period_nm:
                _periods(axes)
        else:
            shown = [np.array(found[n][key]) for n in ("lr", "sr", "bicubic")]
            shown += [] if teachers[key] is None else [np.array(teachers[key])]
            seen = np.flatnonzero(np.max(shown, axis=0) > 0)
            axes.set_ylim(bottom=0)
            if seen.size:
                _log_sizes(axes, x[seen[0]], x[seen[-1]])

    band = (
        f"Band: 95 % interval of the mean over {found['n_specimens']} specimens. "
        if teachers["low"][key] is not None
        else ""
    )
    return Plot(title, _svg(draw, xlabel, ylabel), f"{band}{NOTES[key]}")


NOTES = {
    "objects": "Objects of the phase by diameter.",
    "chords": "Straight runs inside the phase.",
    "power": "How much of the contrast lies at each fineness; noise of the right strength looks right here too.",
}


def _svg(draw: Callable[[Any], None], xlabel: str, ylabel: str) -> Markup:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    looks: Any = {
        # text stays text, and the same numbers give the same file
        "svg.fonttype": "none",
        "svg.hashsalt": ylabel + xlabel,
        "font.family": "sans-serif",
        "font.size": 9.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
    }
    with rc_context(looks):
        figure = Figure(figsize=(5.2, 2.9), layout="constrained")
        figure.patch.set_alpha(0)
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        axes.grid(color=LINE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        draw(axes)
        axes.legend(frameon=False, fontsize=8.5, handlelength=2.4, loc="best")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    # made by matplotlib of numbers and our own words; nothing of a file's is in it
    return Markup(text[text.index("<svg") :])


def _periods(axes: Any) -> None:
    """Second scale on top: the period in nm at each frequency in cycles per µm."""
    low, high = axes.get_xlim()
    ticks: list[int] = []
    for t in NM_TICKS:
        # their distances shrink towards long periods
        apart = (1000 / ticks[-1] - 1000 / t) if ticks else high
        if low < 1000 / t <= high and apart > 0.06 * (high - low):
            ticks.append(t)
    top = axes.twiny()
    top.set_xlim(low, high)
    top.set_xticks([1000 / t for t in ticks], [f"{t}" for t in ticks])
    top.set_xlabel("period (nm)", fontsize=8.5)
    top.tick_params(labelsize=8.5)
    top.spines[["right"]].set_visible(False)


def _log_sizes(axes: Any, low: float, high: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = low / 1.15, high * 1.15
    steps = [m * 10.0**e for e in range(-2, 6) for m in (1, 2, 5)]
    ticks = [s for s in steps if low <= s <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _percent(values: Sequence[float | None]) -> list[float]:
    return [np.nan if v is None else 100 * v for v in values]


def _nan(values: Sequence[float | None]) -> list[float]:
    return [np.nan if v is None else v for v in values]
