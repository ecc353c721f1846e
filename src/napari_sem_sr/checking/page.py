"""The report as one HTML page that needs nothing but itself: no network, no scripts, no other files."""

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from napari_sem_sr.checking import pictures
from napari_sem_sr.checking.difference import difference
from napari_sem_sr.checking.frc import THRESHOLD
from napari_sem_sr.checking.inspection import Inspector
from napari_sem_sr.checking.markup import environment
from napari_sem_sr.checking.pictures import Panel
from napari_sem_sr.checking.places import look_around
from napari_sem_sr.checking.report import Report
from napari_sem_sr.checking.verdict import lights
from napari_sem_sr.intensity import range_of
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

TEMPLATE = "report.html.j2"
# SR pixels along a side: what a panel shows sharply on a screen and on paper.
SHOWN_PX = 320
SHOWN_PLACES = 10
PACKAGES = ("napari-sem-sr", "torch", "numpy", "scipy", "scikit-image")

Image = npt.NDArray[Any]


def render_page(report: Report, inspector: Inspector, model: Model | None) -> str:
    """Make ``report.html``.

    Parameters
    ----------
    report
        What it says.
    inspector
        Gives the pictures.
    model
        Gives what its card says.
    """
    index = _shown_slice(report)
    panels, place = _panels(inspector, index)
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            report=report,
            panels=panels,
            place=place,
            stops=pictures.diverging_stops(),
            plots=_plots(report),
            lights=lights(report),
            places=_places(report, inspector),
            card=None if model is None else model.card,
            versions={name: version(name) for name in PACKAGES}
            | {"Python": platform.python_version()},
            now=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )


def _shown_slice(report: Report) -> int:
    """Slice of the field that stands for all: of median PSNR, or the middle one."""
    first, end = report.sr["checked"]["slices"]
    if report.scores is None:
        return int(end - first) // 2
    values = [np.inf if v is None else v for v in report.scores["psnr_per_slice"]]
    return int(np.argsort(values, kind="stable")[len(values) // 2])


def _panels(inspector: Inspector, index: int) -> tuple[list[Panel], str]:
    """LR, bicubic, twin, SR, HR and difference of one place, and where that is."""
    field, f = inspector.field, inspector.field.factor
    sr = field.sr.slice(index)
    hr = None if field.hr is None else field.hr.slice(index)
    bicubic, twin = inspector.bicubic(index), inspector.twin(index)
    changed = difference(sr, bicubic if hr is None else hr)
    (top, bottom), (left, right) = _window(changed, f)
    here = np.s_[top:bottom, left:right]
    there = np.s_[top // f : bottom // f, left // f : right // f]
    lr = field.lr_part.slice(index)
    # one window for all, from what was measured
    shown = range_of(lr if hr is None else np.concatenate([lr.ravel(), hr.ravel()]))
    height, width = bottom - top, right - left
    bar = pictures.scale_bar(field.sr, width)

    def grey(title: str, note: str, image: Image, synthetic: bool = False) -> Panel:
        uri = pictures.grey_uri(image, shown)
        return Panel(title, note, uri, width, height, synthetic, bar)

    panels = [
        grey("LR", f"as measured, {_pixel(field.lr.voxel_nm[2])}", lr[there]),
        grey("bicubic", "interpolated, adds nothing", bicubic[here]),
    ]
    if twin is not None:
        panels.append(grey("twin", "the generator before the adversarial stage", twin[here], True))
    panels.append(grey("SR", f"what is checked, {_pixel(field.sr.voxel_nm[2])}", sr[here], True))
    if hr is not None:
        panels.append(grey("HR", "the truth it is compared with", hr[here]))
    limit = pictures.shown_limit(changed[here])
    name = "SR − bicubic" if hr is None else "SR − HR"
    note = "what the model added" if hr is None else "red: SR too bright, blue: too dark"
    uri = pictures.diverging_uri(changed[here], limit)
    panels.append(Panel(name, note, uri, width, height, bar=bar, limit=limit))
    (y0, _), (x0, _) = field.region
    place = (
        f"slice {field.slices[0] + index} of LR, SR pixels y {f * y0 + top} to {f * y0 + bottom}, "
        f"x {f * x0 + left} to {f * x0 + right}"
    )
    return panels, place


def _window(changed: Image, factor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Place of at most SHOWN_PX, on the LR grid, where most has changed."""
    size = [min(n, SHOWN_PX - SHOWN_PX % factor) for n in changed.shape]
    energy = np.pad(np.nan_to_num(changed.astype(np.float64)) ** 2, ((1, 0), (1, 0)))
    total = energy.cumsum(axis=0).cumsum(axis=1)
    h, w = size
    inside = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    inside = inside[::factor, ::factor]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    top, left = int(row) * factor, int(column) * factor
    return (top, top + h), (left, left + w)


def _plots(report: Report) -> list[tuple[str, Markup]]:
    """PSNR along the stack, where there is more than one slice, and the ring correlation."""
    if report.scores is None:
        return []
    scores: Any = report.scores
    first = report.sr["checked"]["slices"][0]
    along, rings = {}, {}
    for name, prefix in (("SR", ""), ("twin", "twin_"), ("bicubic", "bicubic_")):
        if f"{prefix}psnr_per_slice" not in scores:
            continue
        values = _nan(scores[f"{prefix}psnr_per_slice"])
        along[name] = (list(range(first, first + len(values))), values)
        rings[name] = (scores["frc_cycles_per_px"], _nan(scores[f"{prefix}frc_curve"]))
    label, per = "frequency (cycles per SR pixel)", report.sr["voxel_nm"][2]
    if per is not None:
        label = "frequency (cycles per µm)"
        rings = {k: ([1000 * f / per for f in x], y) for k, (x, y) in rings.items()}
    # made by matplotlib of numbers and our own words, nothing of a file's is in them
    plots = [
        (
            "Fourier ring correlation with HR",
            Markup(pictures.line_plot(rings, label, "FRC with HR", (THRESHOLD, "threshold"))),
        )
    ]
    if len(scores["psnr_per_slice"]) > 1:
        plot = pictures.line_plot(along, "slice of LR", "PSNR (dB)")
        plots.append(("PSNR by slice", Markup(plot)))
    return plots


def _nan(values: list[float | None]) -> list[float]:
    return [np.nan if v is None else v for v in values]


@dataclass(frozen=True)
class Place:
    """One suspect region with pictures of LR and SR around it."""

    region: Any
    where: str
    lr: str
    sr: str
    box: tuple[float, float, float, float]


def _places(report: Report, inspector: Inspector) -> list[Place]:
    """Pictures of the worst places, each with its surroundings."""
    field = inspector.field
    z0, y0, x0 = field.sr_start
    places = []
    for region in report.regions[:SHOWN_PLACES]:
        seen = look_around(field, region)
        index, y, x = region["slice"] - z0, region["y"] - y0, region["x"] - x0
        shown = range_of(field.lr_part.slice(index))
        top, left, height, width = (100 * v / seen.sr.shape[0] for v in seen.box)
        places.append(
            Place(
                region=region,
                where=_world(field.sr, index, y + region["height"] / 2, x + region["width"] / 2),
                lr=pictures.grey_uri(seen.lr, shown),
                sr=pictures.grey_uri(seen.sr, shown),
                box=(left, top, width, height),
            )
        )
    return places


def _world(stack: SemStack, z: int, y: float, x: float) -> str:
    world = stack.world
    parts = []
    for name, i, t, s, unit in zip(
        "zyx", (z, y - 0.5, x - 0.5), world.translate, world.scale, world.units, strict=True
    ):
        value = t + i * s
        parts.append(
            f"{name} {value / 1000:.3f} µm" if unit == "nanometer" else f"{name} {value:.1f} px"
        )
    return ", ".join(parts)


def _pixel(size: float | None) -> str:
    return "pixel size unknown" if size is None else f"{size:g} nm pixels"
