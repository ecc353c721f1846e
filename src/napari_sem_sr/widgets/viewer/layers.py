"""napari layers <-> SemStack.

The user's own layers are read, never changed. Every layer that a dock adds carries its role and what is known
about it under ``metadata["napari_sem_sr"]``, so that it can be recognised and removed again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import dask.array as da
import numpy as np
import zarr
from napari.layers import Image, Layer

from napari_sem_sr.errors import InputError
from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.io.zarr_layout import is_output
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

Role = Literal["LR", "SR", "SR 2", "HR", "twin"]
LayerData = tuple[Any, dict[str, Any], Literal["image"]]
KEY = "napari_sem_sr"
# What is known about a layer's file, where a person finds it; see `metadata`.
METADATA = "sem"
AXES = ("z", "y", "x")
LENGTHS = "[length]"
COMPARISON = "compare"
# on every pane's name, so that the panes stand out among the user's layers
PANE_SIGN = " ▥"


def mark_of(layer: Layer) -> Mapping[str, Any]:
    """What we wrote on a layer; empty for layers of others."""
    mark = layer.metadata.get(KEY, {})
    return mark if isinstance(mark, Mapping) else {}


def role_of(layer: Layer) -> Role | None:
    """Role that a layer was given or that the file it shows says."""
    mark = mark_of(layer)
    if mark.get("role") in get_args(Role):
        role: Role = mark["role"]
        return role
    # an output of ours that napari's own reader opened
    path = layer.source.path
    return "SR" if path is not None and is_output(Path(path)) else None


def belongs_to_comparison(layer: Layer) -> bool:
    """Whether a layer is a pane of a comparison."""
    return mark_of(layer).get("group") == COMPARISON


def words(name: str) -> set[str]:
    """Words of a name, in small letters: ``{"cathode", "lr"}`` of ``cathode_LR``."""
    return set("".join(c.lower() if c.isalnum() else " " for c in name).split())


def is_ours(layer: Layer) -> bool:
    """Whether a dock added the layer, so that a dock may remove it."""
    return bool(mark_of(layer).get("added_by_dock"))


def is_live(layer: Layer) -> bool:
    """Whether a layer only shows what is on screen at the moment, so that nothing can be made of it."""
    return bool(mark_of(layer).get("live"))


def is_result(layer: Layer) -> bool:
    """Whether a dock added the layer to show an SR file, which someone waited for; no preview and no pane."""
    mark = mark_of(layer)
    return is_ours(layer) and mark.get("role") == "SR" and "path" in mark and "group" not in mark


def remove_ours(viewer: "ViewerModel", *, results: bool) -> int:
    """Remove the layers that the docks added, with ``results`` those of SR files too; return how many.

    Files on disk stay.
    """
    ours = [
        layer for layer in viewer.layers if is_ours(layer) and (results or not is_result(layer))
    ]
    for layer in ours:
        viewer.layers.remove(layer)
    return len(ours)


def path_of(layer: Layer) -> Path | None:
    """File or folder that a layer shows, or None."""
    known = mark_of(layer).get("path") or layer.source.path
    return None if known is None else Path(known)


def on_screen(layer: Image) -> SemStack:
    """The layer's pixels where napari draws them: ``world`` is in the layer's own units.

    A stack that a file puts at nm may be shown by napari's own reader in pixels; what is laid beside it has
    to follow the layer.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    missing = max(0, 3 - layer.ndim)
    scale = (1.0,) * missing + tuple(float(v) for v in layer.scale[-3:])
    translate = (0.0,) * missing + tuple(float(v) for v in layer.translate[-3:])
    return SemStack(
        data=SemStack.from_array(_last_axes(data), name=layer.name).data,
        name=layer.name,
        pixel_step=(scale[0], scale[1], scale[2]),
        origin_nm=(translate[0], translate[1], translate[2]),
    )


def _last_axes(data: Any) -> Any:
    return data[(0,) * (data.ndim - 3)] if data.ndim > 3 else data


def full_shape(layer: Image) -> tuple[int, ...]:
    """Shape of the full-size pixels."""
    return tuple((layer.data[0] if layer.multiscale else layer.data).shape)


def three_axes(layer: Image) -> Any:
    """The layer's data, all levels, as (z, y, x); a view of the same pixels."""
    levels = list(layer.data) if layer.multiscale else [layer.data]
    levels = [data[np.newaxis] if data.ndim == 2 else _last_axes(data) for data in levels]
    return levels if layer.multiscale else levels[0]


def three_units(layer: Image) -> tuple[Any, ...]:
    """Units along z, y, x."""
    units = tuple(layer.units[-3:])
    return (*units[:1] * (3 - len(units)), *units)


def placing(layer: Image, seat: SemStack) -> dict[str, Any]:
    """Keywords that draw the pixels of ``seat`` where it lies beside ``layer``; see `on_screen`."""
    return {
        "scale": seat.world.scale,
        "translate": seat.world.translate,
        "units": three_units(layer),
        "axis_labels": AXES,
    }


def limits_of(stack: SemStack) -> tuple[float, float]:
    """Contrast limits of a whole stack, as recorded when it was made or from slices all along it."""
    recorded = (stack.provenance or {}).get("intensity_range")
    grey = IntensityRange(*recorded) if recorded else stack_range(stack)
    return grey.low, grey.high


def levels_of(stack: SemStack) -> list[da.Array]:
    """All levels of a stack, full size first; more than one only for our own OME-Zarr."""
    if len(stack.paths) == 1 and stack.provenance is not None and stack.paths[0].is_dir():
        group: Any = zarr.open_group(stack.paths[0], mode="r")
        scales = group.attrs["ome"]["multiscales"][0]["datasets"]
        return [da.from_zarr(group[scale["path"]]) for scale in scales]
    return [stack.data]


def given_path(stack: SemStack) -> Path | None:
    """File or folder that a person opened to get the stack; None for pixels made in memory."""
    if not stack.paths:
        return None
    return stack.paths[0] if len(stack.paths) == 1 else stack.paths[0].parent


def image_data(
    stack: SemStack,
    name: str,
    role: Role | None,
    *,
    seat: Mapping[str, Any] | None = None,
    limits: tuple[float, float] | None = None,
    added_by_dock: bool = False,
) -> LayerData:
    """Layer of a stack, with scale, units and contrast limits of the whole stack.

    Parameters
    ----------
    role
        LR, SR, HR or twin; None where it is not known.
    seat
        Keywords from `placing`; the stack's own world by default.
    limits
        Contrast limits in grey values; measured by default.
    added_by_dock
        Whether the docks may remove it again.
    """
    levels = levels_of(stack)
    world = stack.world
    place = seat or {
        "scale": world.scale,
        "translate": world.translate,
        "units": world.units,
        "axis_labels": AXES,
    }
    mark = {**(stack.provenance or {}), "role": role, "added_by_dock": added_by_dock}
    place_on_disk = given_path(stack)
    if place_on_disk is not None:
        mark["path"] = str(place_on_disk)
    keywords = {
        **place,
        "name": name,
        "contrast_limits": limits or limits_of(stack),
        "metadata": {KEY: mark},
        # slices of an output that still grows would be remembered as zeros
        "cache": not (stack.provenance or {}).get("synthetic", False),
    }
    return (levels if len(levels) > 1 else levels[0]), keywords, "image"


def built(layer: LayerData) -> Image:
    """Make the layer of a stack, which reads its first slice; unlike adding it, this may be done in a thread."""
    made = Layer.create(*layer)
    if not isinstance(made, Image):
        raise TypeError("image data make an image layer")
    return made


def add(viewer: "ViewerModel", layer: LayerData) -> Image:
    """Add one image layer to a viewer."""
    data, keywords, _ = layer
    added = viewer.add_image(data, multiscale=isinstance(data, list), **keywords)
    if not isinstance(added, Image):
        raise TypeError("one image makes one layer")
    return added


def visible_region(layer: Image) -> tuple[tuple[int, int], tuple[int, int]]:
    """Part of the layer that is on screen: ((y0, y1), (x0, x1)) in its full-size pixels.

    Raises
    ------
    InputError
        If nothing of it is.
    """
    factors = np.asarray(
        layer.downsample_factors[layer.data_level] if layer.multiscale else (1,) * layer.ndim
    )
    corners = np.asarray(layer.corner_pixels) * factors
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    bounds = [
        (max(0, int(low)), min(size, int(high) + 1))
        for low, high, size in zip(corners[0, -2:], corners[1, -2:], shape[-2:], strict=True)
    ]
    if any(low >= high for low, high in bounds):
        raise InputError(
            tr(
                "Nothing of '{name}' is on screen; pan back to it or choose the whole slice.",
                name=layer.name,
            )
        )
    return bounds[0], bounds[1]


def visible_box(layer: Image) -> tuple[tuple[float, float], tuple[float, float]]:
    """Part of the layer that is on screen: ((y0, y1), (x0, x1)), centres of its outermost pixels in the world."""
    (y0, y1), (x0, x1) = visible_region(layer)
    leading = (0,) * (layer.ndim - 2)
    first = layer.data_to_world((*leading, y0, x0))
    last = layer.data_to_world((*leading, y1 - 1, x1 - 1))
    return (float(first[-2]), float(last[-2])), (float(first[-1]), float(last[-1]))


def shown_slice(viewer: "ViewerModel", layer: Image) -> int:
    """Index of the layer's slice on screen, or of the nearest one."""
    if layer.ndim < 3:
        return 0
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])
    depth = (layer.data[0] if layer.multiscale else layer.data).shape[-3]
    return int(np.clip(np.rint(point[-3]), 0, depth - 1))


def slider_step(viewer: "ViewerModel", z: float) -> int:
    """What the slider of napari shows at a place along z of the world."""
    begin, _, step = viewer.dims.range[viewer.dims.ndim - 3]
    number: int = round((z - begin) / step)
    return number


def refresh_output(viewer: "ViewerModel", output: Path) -> None:
    """Draw again every layer that shows ``output``, whose slices arrive one by one."""
    for layer in viewer.layers:
        if mark_of(layer).get("path") == str(output):
            layer.refresh(extent=False)


def describe_pixel(layer: Image) -> str:
    """Pixel size of a layer for a person, ``10 nm``; nothing where it is shown in pixels."""
    unit, size = three_units(layer)[-1], float(layer.scale[-1])
    if unit.dimensionality != {LENGTHS: 1}:
        return ""
    return spoken_length(float((size * unit).to("nanometer").magnitude))
