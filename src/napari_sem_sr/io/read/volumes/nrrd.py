"""NRRD (https://teem.sourceforge.net/nrrd/format.html), attached or with the pixels in a file beside it."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.read.raw import RawSource, native
from napari_sem_sr.io.slice_source import (
    Contents,
    SliceSource,
    check_beside,
    first_line,
    slice_name,
)
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Triple

_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("float",), "f4"),
    **dict.fromkeys(("double",), "f8"),
}
# Kinds of axis that are a direction in space, or say nothing.
_KINDS = {"domain", "space", "none", "???", "nan", ""}
# Gzip has no places to begin at, so such a file is read as a whole.
_LARGEST_GZIP = 2 << 30


@dataclass(frozen=True)
class MemorySource(SliceSource):
    """Slices that had to be read at once.

    Parameters
    ----------
    path
        Of the file with the header.
    array
        ``(z, y, x)``.
    read
        Files that the pixels came from.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    array: npt.NDArray[Any]
    read: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read."""
        return self.read

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Return one slice."""
        image: npt.NDArray[Any] = self.array[index]
        return image

    def where(self, index: int) -> str:
        """Name the slice by its number."""
        return slice_name(self.path, index, self.shape[0])


def open_volume(
    path: Path, *, grey: bool, metadata: bool = True, part: str = "", elsewhere: bool = False
) -> Contents:
    """Read the header; raw pixels stay in the file, gzipped ones are read up to 2 GiB.

    Parameters
    ----------
    path
        Of the file with the header.
    grey
        Consent to converting colours.
    metadata
        Whether what the header says about voxel size is wanted too.
    part
        Has to be empty, as a file is one volume.
    elsewhere
        Whether pixels may lie outside of the header's folder.

    Raises
    ------
    InputError
        If the header is damaged, or the volume is of a kind that cannot be read.
    """
    if part:
        raise InputError(f"'{path}' has no parts; leave '::{part}' out.")
    try:
        with path.open("rb") as stream:
            header = nrrd.read_header(stream)
            offset = stream.tell()
        sizes = [int(n) for n in header["sizes"]]
        kind = str(header["type"])
        stored = np.dtype(("<", ">")[header.get("endian") == "big"] + _TYPES.get(kind, "u1"))
        encoding = str(header["encoding"])
        skip = int(header.get("byte skip", header.get("byteskip", 0)))
        lines = int(header.get("line skip", header.get("lineskip", 0)))
    except Exception as error:  # pynrrd meets damaged headers with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as NRRD ({first_line(error)}); the file is damaged: copy it again."
        ) from error
    kinds = [str(k).lower() for k in header.get("kinds", ())]
    other = next((k for k in kinds if k not in _KINDS), None)
    if other is not None:
        raise InputError(
            f"'{path}' has an axis of the kind '{other}', which is not a direction in space; save one grey volume."
        )
    if stored.itemsize > 1 and "endian" not in header:
        raise InputError(
            f"'{path}' does not say the byte order of its {kind} pixels (endian); add it to the header."
        )
    if kind not in _TYPES or lines or len(sizes) not in (2, 3) or min(sizes) < 1:
        raise InputError(
            f"'{path}' holds {kind} pixels of size {sizes}; give a grey NRRD image of two or three axes."
        )
    pixels = path
    if beside := header.get("data file", header.get("datafile")):
        pixels, offset = path.parent / str(beside), 0
        check_beside(path, [pixels], elsewhere=elsewhere)
        if not pixels.is_file():
            raise InputError(f"The pixels of '{path}' are in '{beside}', which is not there.")
    # the fastest axis comes first there
    z, y, x = [*sizes, 1][:3][::-1]
    described = path if beside else None
    raw = RawSource(
        pixels, (z, y, x), native(stored), grey, stored, offset + max(skip, 0), described
    )
    said = merged(path, None, _voxel_nm(header)) if metadata else merged(path, None)
    if encoding == "raw":
        if skip < 0:
            start = pixels.stat().st_size - z * raw.slice_bytes
            raw = replace(raw, offset=max(start, 0))
        return Contents(planes=raw, lost=raw.lost(), **vars(said))
    if encoding not in ("gzip", "gz"):
        raise InputError(
            f"'{path}' is encoded as {encoding}; save it with the encoding raw or gzip."
        )
    return Contents(planes=_unzipped(raw), **vars(said))


def _unzipped(raw: RawSource) -> MemorySource:
    length = raw.shape[0] * raw.slice_bytes
    if length > _LARGEST_GZIP:
        raise InputError(
            f"'{raw.path}' is gzipped and {length / (1 << 30):.1f} GiB when read; save it with the encoding raw."
        )
    damaged = InputError(f"'{raw.path}' is cut off or damaged; copy it again.")
    try:
        with raw.path.open("rb") as stream:
            stream.seek(raw.offset)
            content = zlib.decompressobj(wbits=31).decompress(stream.read(), length)
    except zlib.error as error:
        raise damaged from error
    if len(content) < length:
        raise damaged
    array = np.frombuffer(content, raw.stored).reshape(raw.shape)
    return MemorySource(raw.path, raw.shape, raw.dtype, raw.grey, array, raw.files)


def _voxel_nm(header: Mapping[str, Any]) -> Triple[float | None]:
    units = list(header.get("space units", header.get("units", ())))
    directions = header.get("space directions")
    if directions is not None:
        steps = [float(np.linalg.norm(np.asarray(d, np.float64))) for d in directions]
    else:
        steps = [float(s) for s in header.get("spacings", ())]
    sizes: list[float | None] = []
    for axis in range(3):
        factor = nm_per(str(units[axis])) if axis < len(units) else None
        step = steps[axis] if axis < len(steps) else np.nan
        known_step = factor is not None and np.isfinite(step) and step > 0
        sizes.append(float(f"{step * factor:.12g}") if known_step and factor else None)
    x, y, z = sizes
    return z, y, x
