"""LR | SR | HR | difference of one slice as a picture."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_sem_sr.intensity import range_of
from napari_sem_sr.stack import SemStack

SYNTHETIC_MARK = "super-resolved (synthetic)"
BAR_SHARE = 0.25


def write_comparison(lr: SemStack, sr: SemStack, hr: SemStack, z: int, path: Path) -> None:
    """Draw slice ``z`` of three stacks of one extent, and SR - HR, with scale bar and marks.

    Parameters
    ----------
    lr, sr, hr
        Stacks of one field; SR and HR of one shape.
    z
        Index of the slice in all three.
    path
        PNG to write.
    """
    figure = Figure(figsize=(15, 4.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 4)
    planes = {"LR": lr.slice(z), "SR": sr.slice(z), "HR": hr.slice(z)}
    shown = range_of(planes["HR"])
    world = hr.world
    height, width = (n * s for n, s in zip(hr.shape[1:], world.scale[1:], strict=True))
    extent = (0.0, width, height, 0.0)
    for axis, (role, plane), stack in zip(axes, planes.items(), (lr, sr, hr), strict=False):
        axis.imshow(
            plane,
            cmap="gray",
            vmin=shown.low,
            vmax=shown.high,
            extent=extent,
            interpolation="nearest",
        )
        axis.set_title(f"{role}   {_pixel(stack)}")
    scale_bar(axes[0], width, height, world.units[2])
    mark_synthetic(axes[1])
    difference = _difference(planes["SR"], planes["HR"])
    limit = float(np.nanpercentile(np.abs(difference), 99.5)) or 1.0
    drawn = axes[3].imshow(difference, cmap="RdBu_r", vmin=-limit, vmax=limit, extent=extent)
    axes[3].set_title("difference SR - HR")
    figure.colorbar(drawn, ax=axes[3], label="grey levels", shrink=0.85)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path)


def write_depth(slices: SemStack, volume: SemStack, truth: SemStack, y: int, path: Path) -> None:
    """Draw the xz plane at row ``y`` of a stack of slices, of the isotropic volume made of it, and of the truth.

    Parameters
    ----------
    slices
        As measured; each is drawn as deep as it is.
    volume, truth
        Of one shape, with cubic voxels.
    y
        Row in all three.
    path
        PNG to write.
    """
    planes = [
        np.stack([stack.slice(z)[y] for z in range(stack.shape[0])])
        for stack in (slices, volume, truth)
    ]
    depth, width = planes[2].shape
    figure = Figure(
        figsize=(10, 0.6 + 3 * (0.35 + 9.6 * depth / width)), dpi=110, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 1)
    shown = range_of(planes[2])
    # half a slice spacing before the first slice and after the last
    half = depth / (2 * (len(planes[0]) - 1))
    for axis, plane, title, margin in zip(
        axes,
        planes,
        ("slices as measured", "isotropic volume", "truth"),
        (half, 0.5, 0.5),
        strict=True,
    ):
        axis.imshow(
            plane, cmap="gray", vmin=shown.low, vmax=shown.high, interpolation="nearest",
            extent=(0, width, depth - 1 + margin, -margin), aspect="equal",
        )  # fmt: skip
        axis.set(title=f"xz, {title}", xticks=[], yticks=[], ylim=(depth - 0.5, -0.5))
    mark_synthetic(axes[1])
    size = truth.voxel_nm[2]
    axes[0].set_xlabel(
        "" if size is None else f"{width * size:g} nm wide, {depth * size:g} nm deep"
    )
    figure.savefig(path)


def _difference(sr: npt.NDArray[Any], hr: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return sr.astype(np.float64) - hr.astype(np.float64)


def _pixel(stack: SemStack) -> str:
    size = stack.voxel_nm[2]
    return f"{stack.shape[2]} px wide" if size is None else f"{size:g} nm pixels"


def mark_synthetic(axis: Axes) -> None:
    """Say on a picture that it was not measured.

    Parameters
    ----------
    axis
        Which shows SR.
    """
    axis.text(
        0.02, 0.98, SYNTHETIC_MARK, transform=axis.transAxes, va="top", fontsize=8, color="white",
        bbox={"facecolor": "black", "alpha": 0.6, "pad": 2, "edgecolor": "none"},
    )  # fmt: skip


def scale_bar(axis: Axes, width: float, height: float, unit: str) -> None:
    """Draw a scale bar into a picture of ``width`` by ``height`` ``unit``.

    Parameters
    ----------
    axis
        Which shows the picture.
    """
    magnitude = 10 ** np.floor(np.log10(width * BAR_SHARE))
    length = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= width * BAR_SHARE)
    left, y = 0.05 * width, 0.94 * height
    axis.plot([left, left + length], [y, y], color="white", linewidth=4, solid_capstyle="butt")
    label = f"{length:g} nm" if unit == "nanometer" else f"{length:g} px"
    axis.text(left + length / 2, y - 0.02 * height, label, color="white", ha="center", va="bottom")
