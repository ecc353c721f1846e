"""What is on the canvas as the panels of a figure: without napari's own writing, with what a caption has to say."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sem_sr.geometry import spoken_voxel
from napari_sem_sr.io.write.figure import MM_PER_INCH, ColourBar, Panel
from napari_sem_sr.widgets.inspect.panes.comparison import GAP_PX, Comparison
from napari_sem_sr.widgets.inspect.panes.roles import SYNTHETIC
from napari_sem_sr.widgets.viewer import layers

# wider canvases are not drawn by every graphics card
_LARGEST_PX = 8192
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Cell:
    """What one cell of the grid shows: the panes in it, the lowest first."""

    names: tuple[str, ...]
    row: int
    column: int


def take_panels(comparison: Comparison, width_mm: float, dpi: int) -> tuple[list[Panel], int]:
    """Panels of what is on the canvas, as finely drawn as a figure of that size can show, and their columns.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    width_mm
        Of the figure.
    dpi
        Dots per inch.
    """
    viewer = comparison.viewer
    cells, columns = _cells(comparison)
    box = _field_box(comparison)
    wanted = width_mm / MM_PER_INCH * dpi / columns
    scale = min(wanted / max(1, box[3]), _LARGEST_PX / max(viewer.canvas.size))
    image = _drawn(comparison, scale)
    height, width = comparison.camera.pane_px()
    panels = []
    for cell in cells:
        # gaps between panes keep their width whatever the scale
        place = (
            round(cell.row * _scaled_step(height, viewer.canvas.size[0], scale)),
            round(cell.column * _scaled_step(width, viewer.canvas.size[1], scale)),
        )
        top, left, tall, wide = (round(v * scale) for v in box)
        pixels = image[place[0] + top : place[0] + top + tall, place[1] + left :][:, :wide]
        panels.append(_panel(comparison, cell, pixels, scale))
    return panels, columns


def caption(comparison: Comparison) -> str:
    """What has to be known about a figure: stacks, voxels, model and sharpness, slice, grey range.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """
    viewer = comparison.viewer
    lines = []
    for role, seat in comparison.seats.items():
        known = layers.mark_of(comparison.panes[role]) if role in comparison.panes else {}
        low, high = comparison.panes[role].contrast_limits if role in comparison.panes else (0, 0)
        made = ""
        if known.get("synthetic"):
            sharp = known.get("sharpness")
            made = (
                f" Super-resolved (synthetic, not measured) by the model {known.get('model', 'unknown')}"
                f"{'' if sharp is None else f', sharpness {sharp:g}'}"
                f"{', x' + str(known['factor']) if 'factor' in known else ''}."
            )
        lines.append(
            f"{role}: {seat.name}, voxel size {spoken_voxel(_voxel_nm(comparison, role))} (z, y, x); "
            f"grey values {low:g} to {high:g}.{made}"
        )
    for name in comparison.panes:
        if name not in comparison.seats:
            pane = comparison.panes[name]
            lines.append(
                f"{_title(pane)}: {pane.contrast_limits[0]:g} to {pane.contrast_limits[1]:g}."
            )
    first = next(iter(comparison.panes.values()))
    lines.append(
        f"View {comparison.view}, slice {layers.shown_slice(viewer, first)}, {comparison.mode}."
    )
    return "\n".join(lines) + "\n"


def _cells(comparison: Comparison) -> tuple[list[_Cell], int]:
    if comparison.mode != "side by side":
        names = tuple(name for name in comparison.pair if name in comparison.panes)
        if comparison.mode == "blink":
            names = tuple(name for name in names if comparison.panes[name].visible)
        return [_Cell(names, 0, 0)], 1
    _, columns = comparison.viewer.canvas.grid.shape
    return [
        _Cell((name,), *divmod(place, columns)) for place, name in enumerate(comparison.panes)
    ], columns


def _field_box(comparison: Comparison) -> Box:
    """Part (top, left, height, width) of a pane, in its pixels, that the data cover; all of it for volumes."""
    height, width = comparison.camera.pane_px()
    if comparison.view == "3D":
        return 0, 0, height, width
    viewer = comparison.viewer
    pane = next(iter(comparison.panes.values()))
    low, high = np.asarray(pane.extent.world)
    half = np.abs(np.asarray(pane.scale)) / 2
    axes = [axis - (viewer.dims.ndim - pane.ndim) for axis in viewer.dims.displayed[-2:]]
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center[-2:]
    edges = []
    for axis, middle, size in zip(axes, centre, (height, width), strict=True):
        first = (low[axis] - half[axis] - middle) * zoom + size / 2
        last = (high[axis] + half[axis] - middle) * zoom + size / 2
        edges.append((max(0, math.ceil(first)), min(size, math.floor(last))))
    (top, bottom), (left, right) = edges
    if bottom - top < 2 or right - left < 2:
        return 0, 0, height, width
    return top, left, bottom - top, right - left


def _drawn(comparison: Comparison, scale: float) -> Any:
    """Picture of the canvas (y, x, 3), ``scale`` times as large, without names, scale bars and colour bars."""
    viewer = comparison.viewer
    bar, camera = viewer.canvas.overlays.scale_bar, viewer.scene.camera
    writing = [bar, *(p.name_overlay for p in comparison.panes.values())]
    writing += [pane.colorbar for pane in comparison.panes.values()]
    before = [(part, part.visible) for part in writing]
    zoom = camera.zoom
    try:
        for part in writing:
            part.visible = False
        camera.zoom = zoom * scale
        return viewer.screenshot(canvas_only=True, flash=False, scale=scale)[..., :3]
    finally:
        camera.zoom = zoom
        for part, visible in before:
            part.visible = visible


def _scaled_step(pane: int, canvas: int, scale: float) -> float:
    """From one pane to the next on a canvas that was enlarged."""
    count = max(1, round((canvas + GAP_PX) / (pane + GAP_PX)))
    return (canvas * scale + GAP_PX) / count


def _panel(comparison: Comparison, cell: _Cell, pixels: Any, scale: float) -> Panel:
    pane = comparison.panes[cell.names[0]]
    unit = layers.three_units(pane)[-1]
    length = unit.dimensionality == {layers.LENGTHS: 1}
    world = 1 / (comparison.viewer.scene.camera.zoom * scale)
    title = " | ".join(_title(comparison.panes[name]) for name in cell.names)
    computed = cell.names[0] not in comparison.seats
    return Panel(
        pixels=np.ascontiguousarray(pixels),
        title=title,
        pixel=float((world * unit).to("nanometer").magnitude) if length else world,
        unit="nanometer" if length else "pixel",
        synthetic=any(name in SYNTHETIC for name in cell.names),
        colour_bar=_colour_bar(pane, title) if computed else None,
    )


def _colour_bar(pane: Any, title: str) -> ColourBar:
    values = np.linspace(0, 1, 256)
    colours = (255 * np.asarray(pane.colormap.map(values))[:, :3]).round().astype(np.uint8)
    low, high = (float(v) for v in pane.contrast_limits)
    return ColourBar(colours, low, high, title)


def _title(pane: Any) -> str:
    title: str = pane.name.removesuffix(layers.PANE_SIGN)
    return title


def _voxel_nm(comparison: Comparison, role: Any) -> tuple[float | None, float | None, float | None]:
    seat, pane = comparison.seats[role], comparison.panes.get(role)
    if pane is None:
        return seat.voxel_nm
    sizes = [
        float((scale * unit).to("nanometer").magnitude)
        if unit.dimensionality == {layers.LENGTHS: 1}
        else None
        for scale, unit in zip(pane.scale[-3:], layers.three_units(pane), strict=True)
    ]
    return sizes[0], sizes[1], sizes[2]
