"""Gatan Digital Micrograph, DM3 and DM4: the last image of the file; the first is its thumbnail."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata.form import VendorMetadata, positive, text
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.read.raw import RawSource, native
from napari_sem_sr.io.read.volumes.dm_tags import ArrayTag, DamagedError, Tree, read_tags
from napari_sem_sr.io.slice_source import Contents
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Triple

_TYPES = {
    1: "i2", 2: "f4", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 14: "b1",
}  # fmt: skip

# What the program writes where there is no calibration.
_PIXELS = {"px", "pixel", "pixels", "slice", "slices", "frame", "frames"}


def open_volume(
    path: Path, *, grey: bool, metadata: bool = True, part: str = "", elsewhere: bool = False
) -> Contents:
    """Read the tags; the pixels stay in the file.

    Parameters
    ----------
    path
        Of the file.
    grey
        Consent to converting colours.
    metadata
        Whether what the file says about itself is wanted too.
    part
        Has to be empty, as only the last image counts.
    elsewhere
        Of no effect: the pixels are in the file.

    Raises
    ------
    InputError
        If the tags are damaged or the image is no stack of grey values.
    """
    if part:
        raise InputError(f"'{path}' has no parts; leave '::{part}' out.")
    try:
        tags, order = read_tags(path)
    except DamagedError as error:
        raise InputError(
            f"'{path}' cannot be read as Digital Micrograph ({error}); the file is cut off or damaged: copy it again."
        ) from error
    images = _tree(tags, "ImageList")
    image = images[max(images, key=_as_number)] if images else {}
    data = _tree(image, "ImageData")
    pixels, sizes = data.get("Data"), [*_tree(data, "Dimensions").values()]
    kind = data.get("DataType")
    if not isinstance(pixels, ArrayTag) or kind not in _TYPES or not 2 <= len(sizes) <= 3:
        raise InputError(
            f"'{path}' holds no grey image or stack; save it from Digital Micrograph as one."
        )
    z, y, x = [*(int(n) for n in sizes), 1][:3][::-1]
    stored = np.dtype(order + _TYPES[kind])
    if min(z, y, x) < 1 or z * y * x * stored.itemsize > pixels.count * 8:
        raise InputError(
            f"'{path}' says it has {z} x {y} x {x} voxels; the file is damaged: copy it again."
        )
    planes = RawSource(path, (z, y, x), native(stored), grey, stored, pixels.offset)
    if not metadata:
        return Contents(planes=planes, lost=planes.lost())
    microscope = _tree(_tree(image, "ImageTags"), "Microscope Info")
    instrument = Instrument(
        model=text(_text(microscope.get("Microscope")) or _text(microscope.get("Name"))),
        kv=positive(microscope.get("Voltage"), 1e-3),
        raw=_tree(image, "ImageTags"),
    )
    said = merged(path, VendorMetadata(instrument), _voxel_nm(data, len(sizes)))
    notices = (*_other_axes(path, data, len(sizes)), *said.notices)
    return Contents(planes=planes, lost=planes.lost(), **{**vars(said), "notices": notices})


def _tree(tags: Any, name: str) -> Tree:
    # in a damaged file anything may stand where a group should
    found: Any = tags.get(name) if isinstance(tags, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value.text if isinstance(value, ArrayTag) else value if isinstance(value, str) else ""


def _as_number(name: str) -> int:
    return int(name) if name.isdecimal() else -1


def _axes(data: Tree, dimensions: int) -> list[Any]:
    return list(_tree(_tree(data, "Calibrations"), "Dimension").values())[:dimensions]


def _other_axes(path: Path, data: Tree, dimensions: int) -> tuple[str, ...]:
    """Say so where an axis is no length: energies of a spectrum image, seconds, a diffraction pattern."""
    said: list[str] = []
    for name, axis in zip("xyz", _axes(data, dimensions), strict=False):
        unit = _text(axis.get("Units")).strip("\0 ") if isinstance(axis, dict) else ""
        if unit and nm_per(unit) is None and unit.lower() not in _PIXELS:
            what = "its images are read as slices" if name == "z" else "it is read as an image"
            said.append(
                f"'{path.name}' counts along {name} in '{unit}', which is no length; {what}."
            )
    return tuple(said)


def _voxel_nm(data: Tree, dimensions: int) -> Triple[float | None]:
    sizes: list[float | None] = [None, None, None]
    for place, axis in enumerate(_axes(data, dimensions)):
        if isinstance(axis, dict):
            factor = nm_per(_text(axis.get("Units")))
            # kept in 32 bits
            size = positive(axis.get("Scale"), factor) if factor else None
            sizes[place] = None if size is None else float(f"{size:.7g}")
    x, y, z = sizes
    return z, y, x
