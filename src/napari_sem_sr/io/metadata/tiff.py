"""Voxel size, instrument and provenance of a TIFF."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tifffile

from napari_sem_sr.io.metadata import ImageFile, find_metadata
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.slice_source import Contents, SliceSource
from napari_sem_sr.io.units import pixel_nm
from napari_sem_sr.stack import Triple

# Marks the annotation of an OME-TIFF in which our writer keeps what OME has no word for.
NAMESPACE = "napari-sem-sr"

_RESOLUTION_UNITS = {2: "inch", 3: "cm"}


def describe(
    tiff: tifffile.TiffFile, path: Path, planes: SliceSource, notices: tuple[str, ...]
) -> Contents:
    """Add what the file says about itself; each axis takes the first source that knows it.

    Parameters
    ----------
    tiff
        The open file.
    path
        Its path.
    planes
        Its slices.
    notices
        What was found out so far, for a person.
    """
    ours = _our_annotation(tiff)
    said = merged(
        path,
        find_metadata(ImageFile(path, planes.shape[1], planes.shape[2], tiff)),
        _ome(tiff),
        _imagej(tiff),
        _baseline(tiff),
        tilt_deg=ours.get("tilt"),
    )
    return Contents(
        planes=planes,
        origin_nm=_triple(ours.get("origin"), 0.0),
        pixel_step=_triple(ours.get("pixel_step"), 1.0),
        provenance=ours.get("provenance"),
        **{**vars(said), "notices": (*notices, *said.notices)},
    )


def _triple(values: Any, otherwise: float) -> Triple[float]:
    z, y, x = (float(v) for v in (values or (otherwise,) * 3))
    return z, y, x


def _ome(tiff: tifffile.TiffFile) -> Triple[float | None]:
    """Read OME-XML PhysicalSize; a missing unit means micrometres (OME schema 2016-06)."""
    pixels = None
    if (root := _ome_root(tiff)) is not None:
        pixels = next((e for e in root.iter() if _local(e.tag) == "Pixels"), None)
    if pixels is None:
        return None, None, None

    def size(axis: str) -> float | None:
        try:
            value = float(pixels.get(f"PhysicalSize{axis}", ""))
        except ValueError:
            return None
        return pixel_nm(value, pixels.get(f"PhysicalSize{axis}Unit", "µm"))

    return size("Z"), size("Y"), size("X")


def _imagej(tiff: tifffile.TiffFile) -> Triple[float | None]:
    """Read ImageJ's unit, spacing (z) and resolution tags (pixels per unit).

    tifffile's own JSON description borrows the first two words, so it is read in the same way.
    """
    words: Mapping[str, Any] = tiff.imagej_metadata or next(iter(tiff.shaped_metadata or ()), {})
    # where an axis has a unit of its own, ImageJ writes it as well
    x_unit = str(words.get("unit", ""))
    y_unit, z_unit = (str(words.get(f"{axis}unit", x_unit)) for axis in "yz")
    y, x = (
        None if r is None else pixel_nm(1 / r, unit)
        for r, unit in zip(_pixels_per_unit(tiff), (y_unit, x_unit), strict=True)
    )
    spacing = words.get("spacing")
    z = pixel_nm(abs(float(spacing)), z_unit) if isinstance(spacing, int | float) else None
    return z, y, x


def _baseline(tiff: tifffile.TiffFile) -> Triple[float | None]:
    tag = tiff.pages.first.tags.get(296)
    unit = _RESOLUTION_UNITS.get(int(tag.value) if tag is not None else 2)
    if tiff.is_imagej or unit is None:
        return None, None, None
    y, x = (None if r is None else pixel_nm(1 / r, unit) for r in _pixels_per_unit(tiff))
    return None, y, x


def _pixels_per_unit(tiff: tifffile.TiffFile) -> tuple[float | None, float | None]:
    """Return YResolution and XResolution; 1/1 is what writers put where nobody told them."""
    values: list[float | None] = []
    for code in (283, 282):
        tag = tiff.pages.first.tags.get(code)
        pair = tag.value if tag is not None else None
        usable = isinstance(pair, tuple) and len(pair) == 2 and min(pair) > 0 and pair != (1, 1)
        values.append(pair[0] / pair[1] if usable and isinstance(pair, tuple) else None)
    return values[0], values[1]


def _our_annotation(tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return what our writer left in the OME-XML, or nothing."""
    root = _ome_root(tiff)
    for element in root.iter() if root is not None else ():
        if _local(element.tag) == "CommentAnnotation" and element.get("Namespace") == NAMESPACE:
            value = next((e.text for e in element if _local(e.tag) == "Value"), None)
            ours = json.loads(value or "{}")
            return ours if isinstance(ours, dict) else {}
    return {}


def _ome_root(tiff: tifffile.TiffFile) -> ElementTree.Element | None:
    xml = tiff.ome_metadata
    try:
        return ElementTree.fromstring(xml) if xml else None
    except ElementTree.ParseError:
        return None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
