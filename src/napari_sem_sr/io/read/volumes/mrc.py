"""MRC and CCP4 maps (https://www.ccpem.ac.uk/mrc-format/mrc2014/), as IMOD and reconstruction programs write."""

import warnings
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.read.raw import RawSource, native
from napari_sem_sr.io.slice_source import Contents, first_line
from napari_sem_sr.stack import Triple

_HEADER = 1024
_TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
# IMOD's own words (https://bio3d.colorado.edu/imod/doc/mrc_format.txt): its stamp, and the flag "bytes are signed".
_IMOD, _SIGNED = 1146047817, 1
# What "nversion" is from the standard of 2014 on.
_STANDARD = 20140
# Space groups that mark a stack of volumes.
_VOLUME_STACKS = range(401, 631)
# What writers put where nobody told them: cell as long as the pixels are many, in Å.
_UNTOLD = 1.0


def open_volume(
    path: Path, *, grey: bool, metadata: bool = True, part: str = "", elsewhere: bool = False
) -> Contents:
    """Read the header; the slices are the map's sections.

    Parameters
    ----------
    path
        Of the file.
    grey
        Of no effect: a map has no colours.
    metadata
        Whether what the header says about voxel size is wanted too.
    part
        Has to be empty, as a map is one volume.
    elsewhere
        Of no effect: the pixels are in the file.

    Raises
    ------
    InputError
        If the header is damaged or the pixels are no grey values.
    """
    if part:
        raise InputError(f"'{path}' has no parts; leave '::{part}' out.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with mrcfile.open(path, permissive=True, header_only=True) as file:
                header: Any = file.header.copy()
                size = file.voxel_size.copy()
    except Exception as error:  # damaged headers raise many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as MRC ({first_line(error)}); the file is damaged: copy it again."
        ) from error
    mode, shape = int(header.mode), (int(header.nz), int(header.ny), int(header.nx))
    if mode not in _TYPES:
        raise InputError(
            f"'{path}' holds pixels of MRC mode {mode}; save it as grey values (mode 0, 1, 2, 6 or 12)."
        )
    if min(shape) < 1 or int(header.nsymbt) < 0:
        raise InputError(
            f"'{path}' says it has {shape} voxels; the file is damaged: copy it again."
        )
    if int(header.ispg) in _VOLUME_STACKS and 0 < int(header.mz) < shape[0]:
        raise InputError(
            f"'{path}' holds {shape[0] // int(header.mz)} volumes one after the other; save the one you mean as a "
            "file of its own."
        )
    stored = np.dtype(_TYPES[mode]).newbyteorder(header.nx.dtype.byteorder)
    signed, doubt = _is_signed(path, header, stored)
    if not signed:
        stored = np.dtype(stored.str.replace("i", "u"))
    planes = RawSource(path, shape, native(stored), grey, stored, _HEADER + int(header.nsymbt))
    voxel, notices = _voxel_nm(path, header, size)
    said = merged(path, None, voxel) if metadata else merged(path, None)
    return Contents(
        planes=planes, lost=planes.lost(), **{**vars(said), "notices": (*doubt, *notices)}
    )


def _voxel_nm(path: Path, header: Any, size: Any) -> tuple[Triple[float | None], tuple[str, ...]]:
    axes = [float(size.x), float(size.y), float(size.z)]
    if all(abs(a - _UNTOLD) < 1e-6 for a in axes):
        return (None, None, None), ()
    order = [int(header.maps), int(header.mapr), int(header.mapc)]
    if sorted(order) != [1, 2, 3]:
        order = [3, 2, 1]
    z, y, x = (
        # Å; rounded as the header keeps 32 bits
        float(f"{axes[axis - 1] / 10:.7g}") if np.isfinite(a := axes[axis - 1]) and a > 0 else None
        for axis in order
    )
    turned = (
        f"'{path.name}' stores its axes in another order than z, y, x; its sections are read as slices.",
    )
    return (z, y, x), turned if order != [3, 2, 1] else ()


def _is_signed(path: Path, header: Any, stored: np.dtype[Any]) -> tuple[bool, tuple[str, ...]]:
    """Whether bytes and 16-bit integers have a sign, which programs do not agree about.

    IMOD says so of bytes; else the statistics tell, where the writer kept any and they need a sign or forbid it; else
    the standard of 2014 holds, by which they have one.
    """
    if stored.kind != "i":
        return True, ()
    largest = 2 ** (8 * stored.itemsize - 1) - 1
    if stored.itemsize == 1 and (stamp := _imod(header)) is not None:
        return bool(stamp & _SIGNED), ()
    low, high = float(header.dmin), float(header.dmax)
    kept = np.isfinite([low, high]).all() and low < high
    if kept and low >= 0 and largest < high <= 2 * largest + 1:
        return False, ()
    if kept or stored.itemsize > 1 or int(header.nversion) >= _STANDARD:
        return True, ()
    return True, (
        f"'{path.name}' does not say whether its bytes have a sign; they are read as if they had (-128 to 127). If "
        "bright parts look black, save it with statistics or as 16-bit.",
    )


def _imod(header: Any) -> int | None:
    """Return IMOD's flags, None where another program wrote the file."""
    extra = header.extra2.tobytes()
    # words 39 and 40, the first after the 24 bytes at which "extra2" begins being byte 112
    order = "<" if header.nx.dtype.byteorder in "<=|" else ">"
    stamp, flags = np.frombuffer(extra, f"{order}i4", 2, offset=152 - 112)
    return int(flags) if stamp == _IMOD else None
