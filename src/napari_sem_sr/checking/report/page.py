"""The report as one HTML page that needs nothing but itself: no network, no scripts, no other files."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import zarr

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.protocol import Shown
from napari_sem_sr.checking.report import images
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.html import report_environment
from napari_sem_sr.checking.report.images import RowPicture
from napari_sem_sr.checking.report.plots import (
    plot_of_resolving,
    plots_against_hr,
    plots_of_reference,
)
from napari_sem_sr.checking.report.verdict import lights
from napari_sem_sr.checking.suspects.places import look_around
from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.intensity import range_of
from napari_sem_sr.metrics.difference import difference
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

TEMPLATE = "report.html.j2"
# SR pixels along a side: what a panel shows sharply on a screen and on paper.
SHOWN_PX = 320
SHOWN_PLACES = 10
# Map pixels along a side.
MAP_PX = 480
PACKAGES = ("napari-sem-sr", "torch", "numpy", "scipy", "scikit-image")

Image = npt.NDArray[Any]


class Pictures(Protocol):
    """Where the pictures of the page come from: a field, and what else may be drawn of its slices."""

    @property
    def field(self) -> Field:
        """Where stacks lie."""

    def bicubic(self, index: int) -> Image:
        """Bicubic picture of the field's slice ``index``, in the dtype of LR."""

    def twin(self, index: int) -> Image | None:
        """What the model's twin makes of slice ``index``, in the dtype of LR; None without a model."""


def render_page(
    report: Report,
    source: Pictures,
    model: Model | None,
    maps: tuple[Path, Mapping[str, Shown]] | None = None,
) -> str:
    """Make ``report.html``.

    Parameters
    ----------
    report
        What it says.
    source
        Gives the pictures.
    model
        Gives what its card says.
    maps
        Folder of the maps, and which of them are shown how, by name.
    """
    index = report.looked_at[_shown_slice(report)] - source.field.slices[0]
    panels, place = _panels(source, index)
    card = None if model is None else model.card
    lr_pixel = source.field.lr.voxel_nm[2]
    return (
        report_environment()
        .get_template(TEMPLATE)
        .render(
            report=report,
            panels=panels,
            place=place,
            maps=[] if maps is None else _maps(*maps, index),
            stops={
                "diverging": images.stops(),
                "sequential": images.stops(images.SEQUENTIAL),
            },
            plots=plots_against_hr(report, source.field.factor),
            beside=plots_of_reference(report),
            resolving=None if card is None else plot_of_resolving(card, lr_pixel),
            lr_pixel=lr_pixel,
            lights=lights(report),
            places=_places(report, source),
            card=card,
            versions={name: version(name) for name in PACKAGES}
            | {"Python": platform.python_version()},
            now=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )


def _shown_slice(report: Report) -> int:
    """Which of the slices that were looked at stands for all: of median PSNR, or the middle one."""
    if report.scores is None:
        return len(report.looked_at) // 2
    values = [np.inf if v is None else v for v in report.scores["psnr_per_slice"]]
    return int(np.argsort(values, kind="stable")[len(values) // 2])


def _panels(source: Pictures, index: int) -> tuple[list[RowPicture], str]:
    """LR, bicubic, twin, SR, HR and difference of one place, and where that is."""
    field, f = source.field, source.field.factor
    sr = field.sr.slice(index)
    hr = None if field.hr is None else field.hr.slice(index)
    bicubic, twin = source.bicubic(index), source.twin(index)
    changed = difference(sr, bicubic if hr is None else hr)
    (top, bottom), (left, right) = _window(changed, f)
    here = np.s_[top:bottom, left:right]
    there = np.s_[top // f : bottom // f, left // f : right // f]
    lr = field.lr_part.slice(index)
    # one window for all, from what was measured
    shown = range_of(lr if hr is None else np.concatenate([lr.ravel(), hr.ravel()]))
    height, width = bottom - top, right - left
    bar = images.scale_bar(field.sr, width)

    def grey(title: str, note: str, image: Image, synthetic: bool = False) -> RowPicture:
        uri = images.grey_uri(image, shown)
        return RowPicture(title, note, uri, width, height, synthetic, bar)

    panels = [
        grey("LR", f"as measured, {_pixel(field.lr.voxel_nm[2])}", lr[there]),
        grey("bicubic", "interpolated, adds nothing", bicubic[here]),
    ]
    if twin is not None:
        panels.append(grey("twin", "the generator before the adversarial stage", twin[here], True))
    panels.append(grey("SR", f"what is checked, {_pixel(field.sr.voxel_nm[2])}", sr[here], True))
    if hr is not None:
        panels.append(grey("HR", "the truth it is compared with", hr[here]))
    limit = images.shown_limit(changed[here])
    name = "SR − bicubic" if hr is None else "SR − HR"
    note = "what the model added" if hr is None else "red: SR too bright, blue: too dark"
    uri = images.diverging_uri(changed[here], limit)
    panels.append(RowPicture(name, note, uri, width, height, bar=bar, limit=limit))
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


@dataclass(frozen=True)
class MapPanel:
    """A map of evidence over the whole slice, with what its darkest and lightest colours mean.

    Parameters
    ----------
    title
        For a person.
    note
        How to read it.
    uri
        The picture.
    width
        In pixels.
    height
        In pixels.
    low
        What the darkest colour means.
    high
        What the lightest colour means.
    colours
        As CSS.
    """

    title: str
    note: str
    uri: str
    width: int
    height: int
    low: str
    high: str
    colours: str


def _maps(folder: Path, drawn: Mapping[str, Shown], index: int) -> list[MapPanel]:
    """Maps of one slice, whole, in the order in which they are best read."""
    panels = []
    for name, shown in drawn.items():
        if not (folder / name).exists():
            continue
        image = np.asarray(zarr.open_array(folder / name / "0", mode="r")[index], np.float32)
        if not np.isfinite(image).any():
            continue
        image = image[tuple(slice(None, None, -(-n // MAP_PX)) for n in image.shape)]
        low, high = shown.low, shown.high
        uri = (
            images.diverging_uri(image, high) if shown.signed else images.map_uri(image, low, high)
        )
        ends = [f"{v:g}".replace("-", "−") for v in (low, high)]
        height, width = image.shape
        panels.append(
            MapPanel(
                shown.title,
                shown.note,
                uri,
                width,
                height,
                ends[0],
                f"{ends[1]} {shown.unit}".strip(),
                "diverging" if shown.signed else "sequential",
            )
        )
    return panels


@dataclass(frozen=True)
class ShownRegion:
    """One suspect region with pictures of LR and SR around it.

    Parameters
    ----------
    region
        As in ``report.json``.
    where
        Slice and place, for a person.
    lr
        The picture.
    sr
        The picture.
    box
        Of the region within the pictures, in percent.
    """

    region: Any
    where: str
    lr: str
    sr: str
    box: tuple[float, float, float, float]


def _places(report: Report, source: Pictures) -> list[ShownRegion]:
    """Pictures of the worst places, each with its surroundings."""
    field = source.field
    z0, y0, x0 = field.sr_start
    places = []
    for region in report.regions[:SHOWN_PLACES]:
        seen = look_around(field, region)
        index, y, x = region["slice"] - z0, region["y"] - y0, region["x"] - x0
        shown = range_of(field.lr_part.slice(index))
        top, left, height, width = (100 * v / seen.sr.shape[0] for v in seen.box)
        places.append(
            ShownRegion(
                region=region,
                where=_world(field.sr, index, y + region["height"] / 2, x + region["width"] / 2),
                lr=images.grey_uri(seen.lr, shown),
                sr=images.grey_uri(seen.sr, shown),
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
    return "pixel size unknown" if size is None else f"{spoken_length(size)} pixels"
