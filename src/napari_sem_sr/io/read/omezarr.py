"""OME-Zarr 0.4 and 0.5, our own output among them, and plain Zarr arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import zarr

from napari_sem_sr.errors import InputError
from napari_sem_sr.instrument import Sources
from napari_sem_sr.io.read import axes as axis_names
from napari_sem_sr.io.read.zarr_chunks import absent
from napari_sem_sr.io.slice_source import Contents, SliceSource, first_line
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.io.zarr_layout import (
    KEY,
    NOT_PROVENANCE,
    TILT,
    lost_slices,
    shortcoming,
)
from napari_sem_sr.stack import Triple

_MARKS = ("zarr.json", ".zgroup", ".zarray")
# Where xarray names the axes of a Zarr 2 array.
_XARRAY = "_ARRAY_DIMENSIONS"


@dataclass(frozen=True)
class ZarrSource(SliceSource):
    """Slices of a Zarr array, whatever the order of its axes; those of length 1 other than z, y, x are dropped.

    Parameters
    ----------
    path
        Folder of the array.
    axes
        "z", "y", "x" or "" for each axis of the array.
    lost
        Slices of a finished output of ours that went missing since, or are cut off.
    opened
        Sets this opening apart from any other.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    # one of "z", "y", "x" or "" for each axis of the array
    axes: tuple[str, ...]
    # of an output of ours that was finished: slices that went missing since, or are cut off
    lost: frozenset[int] = frozenset()
    # Chunks change while the metadata stay as they are, and are too many to look at. So no two arrays share a name, by which
    # a viewer would take pixels for the new one that it has kept of the old.
    opened: str = field(default_factory=lambda: uuid4().hex)

    @property
    def files(self) -> tuple[Path, ...]:
        """The array's metadata; its chunks are too many to look at."""
        return tuple(p for p in (self.path / "zarr.json", self.path / ".zarray") if p.is_file())

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read the chunks of one slice."""
        return self._decode(index, slice(None))

    def rows(self, index: int, first: int, end: int) -> npt.NDArray[Any]:
        """Read the chunks that hold some rows."""
        return self._checked(index, lambda: self._decode(index, slice(first, end)), end - first)

    def _decode(self, index: int, rows: slice) -> npt.NDArray[Any]:
        if index in self.lost:
            raise InputError(
                f"{self.where(index)} is missing or cut off, although the output was finished; run the command that made it "
                "again with --resume."
            )
        array = zarr.open_array(self.path, mode="r")
        values = np.asarray(array[axis_names.block(self.axes, index, index + 1, rows)])
        plane: npt.NDArray[Any] = axis_names.in_order(values, self.axes)[0]
        return plane

    def where(self, index: int) -> str:
        """Name the slice by its number."""
        return f"Slice {index} of '{self.path}'"


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr group or array.

    Parameters
    ----------
    folder
        Any path.
    """
    return any((folder / mark).is_file() for mark in _MARKS)


def open_zarr(path: Path, *, grey: bool) -> Contents:
    """Find level 0 of an OME-Zarr image, or take a plain array as it is.

    Parameters
    ----------
    path
        Folder of a group or an array.
    grey
        Consent to converting colours.

    Raises
    ------
    InputError
        If there is no image, or it is no single grey stack.
    """
    try:
        node = zarr.open(path, mode="r")
    except Exception as error:  # damaged metadata raise many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as Zarr ({first_line(error)}); copy it again."
        ) from error
    if isinstance(node, zarr.Array):
        planes = _planes(path, node, _axes(path, node), grey)
        return Contents(planes=planes, notices=absent(node, path, planes.axes))
    try:
        return _open_group(path, node, grey)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"'{path}' has OME-Zarr metadata that cannot be understood ({first_line(error)}); save it again."
        ) from error


def _open_group(path: Path, group: zarr.Group, grey: bool) -> Contents:
    attributes: Any = group.attrs.asdict()
    ome = attributes.get("ome", attributes)
    if "bioformats2raw.layout" in ome:
        return _open_series(path, group, grey)
    scales = ome.get("multiscales")
    if not scales:
        raise InputError(
            f"'{path}' is a Zarr group without an image (multiscales); give an OME-Zarr image or one of its "
            "arrays."
        )
    return _open_multiscale(path, group, scales[0], attributes.get(KEY), grey)


def _open_series(path: Path, group: zarr.Group, grey: bool) -> Contents:
    images = sorted(name for name in group.group_keys() if name.isdecimal())
    if len(images) != 1:
        raise InputError(
            f"'{path}' holds {len(images)} separate images; give the folder of the one you mean, as '{path / '0'}'."
        )
    return open_zarr(path / images[0], grey=grey)


def _open_multiscale(
    path: Path, group: zarr.Group, scale: Mapping[str, Any], ours: Any, grey: bool
) -> Contents:
    dataset = scale["datasets"][0]
    array = group[dataset["path"]]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{dataset['path']} is no array")
    axes = [a if isinstance(a, Mapping) else {"name": a} for a in scale.get("axes", ())]
    if len(axes) != array.ndim:
        raise ValueError(f"{len(axes)} axes for {array.ndim} dimensions")
    names = tuple(str(a["name"]).lower() for a in axes)
    size, start = [1.0] * array.ndim, [0.0] * array.ndim
    # those of the dataset apply first, then those of the whole image
    for step in (
        *dataset.get("coordinateTransformations", ()),
        *scale.get("coordinateTransformations", ()),
    ):
        factors, offsets = step.get("scale"), step.get("translation")
        if factors is not None:
            size = [a * float(b) for a, b in zip(size, factors, strict=True)]
            start = [a * float(b) for a, b in zip(start, factors, strict=True)]
        if offsets is not None:
            start = [a + float(b) for a, b in zip(start, offsets, strict=True)]
    voxel: dict[str, float | None] = {}
    origin: dict[str, float] = {}
    step_px: dict[str, float] = {}
    for name, axis, one, begin in zip(names, axes, size, start, strict=True):
        factor = nm_per(axis.get("unit"))
        voxel[name] = None if factor is None else one * factor
        origin[name] = begin * (factor or 1.0)
        step_px[name] = one if factor is None else 1.0
    where = path / dataset["path"]
    planes = _planes(where, array, axis_names.named(names, array.shape, f"'{where}'"), grey)
    provenance: dict[str, Any] | None = None
    notices: tuple[str, ...] = ()
    tilt: float | None = None
    if isinstance(ours, Mapping):
        provenance = {k: v for k, v in ours.items() if k not in NOT_PROVENANCE}
        tilt = None if ours.get(TILT) is None else float(ours[TILT])
        if ours.get("complete"):
            planes = replace(planes, lost=frozenset(lost_slices(path)))
        if lacking := shortcoming(path):
            rest = "" if ours.get("complete") else ", the others are read as zeros"
            notices = (
                f"'{path.name}' {lacking}{rest}; run the command that made it again with --resume.",
            )
    else:
        notices = absent(array, where, planes.axes)
    return Contents(
        planes=planes,
        voxel_nm=(voxel.get("z"), voxel.get("y"), voxel.get("x")),
        origin_nm=(origin.get("z", 0.0), origin.get("y", 0.0), origin.get("x", 0.0)),
        pixel_step=(step_px.get("z", 1.0), step_px.get("y", 1.0), step_px.get("x", 1.0)),
        tilt_deg=tilt,
        sources=Sources(
            **{axis: None if voxel.get(axis) is None else "file" for axis in "zyx"},
            tilt=None if tilt is None else "file",
        ),
        provenance=provenance,
        notices=notices,
    )


def _axes(path: Path, array: zarr.Array[Any]) -> tuple[str, ...]:
    """Name the axes of a plain array: as Zarr 3 or xarray do, else by custom."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get(_XARRAY)
    where = f"'{path}'"
    if isinstance(names, list | tuple) and len(names) == array.ndim and all(names):
        return axis_names.named([str(n) for n in names], array.shape, where)
    return axis_names.guessed(array.shape, where)


def _planes(path: Path, array: zarr.Array[Any], axes: tuple[str, ...], grey: bool) -> ZarrSource:
    stored = np.dtype(array.dtype)
    return ZarrSource(
        path=path,
        shape=axis_names.size_of(axes, array.shape),
        dtype=np.dtype(np.uint8) if stored.kind == "b" else stored.newbyteorder("="),
        grey=grey,
        axes=axes,
    )
