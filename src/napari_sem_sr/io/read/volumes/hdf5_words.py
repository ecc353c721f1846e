"""What the programs that write HDF5 mean by it: axes, signs, paddings and voxel sizes.

Known are BigDataViewer (https://imagej.net/plugins/bdv), Imaris 5.5
(https://imaris.oxinst.com/support/imaris-file-format), Berkeley EMD (https://emdatasets.com/format), Velox EMD,
ilastik and vigra (``axistags``), ImageJ's HDF5 plugin, CREMI, and HDF5's own words: dimension labels and its Image
specification.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata import xml
from napari_sem_sr.io.metadata.form import LONGEST, positive
from napari_sem_sr.io.read import axes as axis_names
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Triple

_BDV = re.compile(r"^/t\d{5}/s(\d{2})/(\d+)/cells$")
_IMARIS = re.compile(r"^/DataSet/ResolutionLevel (\d+)/TimePoint \d+/Channel \d+/Data$")
_VELOX = re.compile(r"^/Data/Image/[^/]+/Data$")
_UNKNOWN: Triple[float | None] = (None, None, None)


@dataclass(frozen=True)
class Words:
    """How a dataset is to be read.

    Parameters
    ----------
    axes
        "z", "y", "x" or "" for each axis.
    stored
        The dtype that the bits are meant to be.
    shape
        Voxels (z, y, x), without what the writer padded.
    voxel_nm
        (z, y, x); None where unknown.
    white_is_low
        Whether high numbers are dark.
    """

    axes: tuple[str, ...]
    stored: np.dtype[Any]
    shape: Triple[int]
    voxel_nm: Triple[float | None] = _UNKNOWN
    white_is_low: bool = False


def images(names: Sequence[str], file: h5py.File) -> list[str]:
    """Of all datasets that could be one, those that are the images of a known program; else all of them.

    Parameters
    ----------
    names
        Paths of datasets.
    file
        The open file.
    """
    for known in (
        [n for n in names if (bdv := _BDV.match(n)) and bdv[2] == "0"],
        [n for n in names if (imaris := _IMARIS.match(n)) and imaris[1] == "0"],
        [n for n in names if _VELOX.match(n)],
        [n for n in names if n.endswith("/data") and _is_emd(file[n].parent)],
    ):
        if known:
            return known
    return list(names)


def words_of(path: Path, file: h5py.File, data: h5py.Dataset, where: str) -> Words:
    """Read what the file says about a dataset.

    Parameters
    ----------
    path
        Of the file.
    file
        The open file.
    data
        The dataset.
    where
        The dataset, as a person would name it.

    Raises
    ------
    InputError
        If it says that it is no single grey stack, or does not say enough.
    """
    name, shape, stored = str(data.name), data.shape, np.dtype(data.dtype)
    attributes = dict(data.attrs)
    upside_down = bool(np.any(attributes.get("IMAGE_WHITE_IS_ZERO", 0)))
    if _text(attributes.get("IMAGE_SUBCLASS")) in ("IMAGE_TRUECOLOR", "IMAGE_INDEXED"):
        raise InputError(f"{where} is in colour; save it as a grey image.")

    def plain(axes: tuple[str, ...], voxel: Triple[float | None] = _UNKNOWN) -> Words:
        size = axis_names.size_of(axes, shape)
        return Words(axes, stored, size, voxel, upside_down)

    if bdv := _BDV.match(name):
        words = plain(axis_names.guessed(shape, where), _bdv_voxel(path, file, bdv))
        # Java has no unsigned numbers
        return replace(words, stored=np.dtype("u2")) if stored == np.int16 else words
    if _IMARIS.match(name):
        words = plain(axis_names.guessed(shape, where))
        return _imaris(file, data, words)
    if _VELOX.match(name) and data.ndim == 3:
        return plain(("y", "x", "z"), _velox_voxel(data.parent.get("Metadata")))
    if _is_emd(data.parent) and name.endswith("/data"):
        return plain(*_emd(data, where))
    names = _tags(attributes.get("axistags")) or _labels(data)
    axes = axis_names.named(names, shape, where) if names else axis_names.guessed(shape, where)
    return plain(axes, _voxel_nm(attributes))


def _text(value: Any) -> str:
    """Return a string that may be kept as bytes, or, in Imaris, as an array of letters."""
    if isinstance(value, np.ndarray):
        return b"".join(np.ravel(value).astype("S").tolist()).decode("latin-1")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def _tags(said: Any) -> tuple[str, ...]:
    """Read vigra's ``axistags``."""
    try:
        return tuple(str(axis["key"]) for axis in json.loads(_text(said))["axes"])
    except (ValueError, KeyError, TypeError):
        return ()


def _labels(data: h5py.Dataset) -> tuple[str, ...]:
    """Read HDF5's dimension labels, or the names of its dimension scales, as NetCDF writes them."""
    names: list[str] = []
    for dimension in data.dims:
        label = str(dimension.label)
        if not label and len(dimension):
            label = str(dimension[0].name).rpartition("/")[2]
        names.append(label)
    return tuple(names) if all(names) else ()


def _is_emd(group: Any) -> bool:
    return isinstance(group, h5py.Group) and bool(np.any(group.attrs.get("emd_group_type", 0) == 1))


def _emd(data: h5py.Dataset, where: str) -> tuple[tuple[str, ...], Triple[float | None]]:
    names: list[str] = []
    sizes: dict[str, float | None] = {}
    for axis in range(data.ndim):
        dimension = data.parent.get(f"dim{axis + 1}")
        name = _text(dimension.attrs.get("name")) if dimension is not None else ""
        names.append(name or f"dim{axis + 1}")
        if isinstance(dimension, h5py.Dataset) and dimension.size > 1:
            # "[n_m]" is the standard's way to write nm
            unit = _text(dimension.attrs.get("units")).strip("[] ").replace("_", "")
            step = abs(float(dimension[1]) - float(dimension[0]))
            sizes[name.lower()] = positive(step, nm_per(unit) or np.nan)
    axes = axis_names.named(names, data.shape, where)
    return axes, (sizes.get("z"), sizes.get("y"), sizes.get("x"))


def _velox_voxel(metadata: Any) -> Triple[float | None]:
    try:
        # one column of letters for each frame
        said = bytes(np.asarray(metadata[:, 0], np.uint8)).partition(b"\0")[0]
        size = json.loads(said)["BinaryResult"]["PixelSize"]
        return None, positive(size["height"], 1e9), positive(size["width"], 1e9)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _UNKNOWN


def _bdv_voxel(path: Path, file: h5py.File, found: "re.Match[str]") -> Triple[float | None]:
    """Read the voxel size of a setup from the XML file beside, and how much a level is reduced."""
    beside = path.with_suffix(".xml")
    if not beside.is_file() or beside.stat().st_size > LONGEST:
        return _UNKNOWN
    root = xml.parse(beside.read_bytes())
    setups = xml.at(root, "SequenceDescription/ViewSetups")
    for setup in xml.children(setups, "ViewSetup"):
        if xml.value(setup, "id") != str(int(found[1])):
            continue
        factor = nm_per(xml.value(setup, "voxelSize/unit"))
        numbers = [positive(n) for n in (xml.value(setup, "voxelSize/size") or "").split()]
        levels = file.get(f"s{found[1]}/resolutions")
        if factor is None or len(numbers) != 3 or not isinstance(levels, h5py.Dataset):
            return _UNKNOWN
        x, y, z = (
            None if n is None else positive(n * float(by), factor)
            for n, by in zip(numbers, levels[int(found[2])], strict=True)
        )
        return z, y, x
    return _UNKNOWN


def _imaris(file: h5py.File, data: h5py.Dataset, words: Words) -> Words:
    """Leave out what fills up chunks, and read the extent."""
    channel = data.parent.attrs
    size = [positive(_text(channel.get(f"ImageSize{axis}"))) for axis in "ZYX"]
    z, y, x = (
        min(int(said), there) if said else there
        for said, there in zip(size, words.shape, strict=True)
    )
    about = file.get("DataSetInfo/Image")
    voxel: list[float | None] = [None, None, None]
    if about is not None:
        factor = nm_per(_text(about.attrs.get("Unit")) or "um") or np.nan
        for axis, count in enumerate((x, y, z)):
            low, high = (_text(about.attrs.get(f"Ext{end}{axis}")) for end in ("Min", "Max"))
            try:
                voxel[2 - axis] = positive((float(high) - float(low)) / count, factor)
            except ValueError:
                continue
    return replace(words, shape=(z, y, x), voxel_nm=(voxel[0], voxel[1], voxel[2]))


def _voxel_nm(attributes: Mapping[str, Any]) -> Triple[float | None]:
    """Read what programs of the field write: ``element_size_um`` (HDF5 plugin of ImageJ), ``resolution`` (CREMI, nm)."""
    for name, factor in (("element_size_um", 1e3), ("resolution", 1.0)):
        try:
            sizes = [float(v) * factor for v in np.ravel(attributes[name])]
        except (KeyError, TypeError, ValueError):
            continue
        if len(sizes) == 3 and all(np.isfinite(v) and v > 0 for v in sizes):
            z, y, x = (float(f"{v:.12g}") for v in sizes)
            return z, y, x
    return _UNKNOWN
