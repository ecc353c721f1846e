"""TIFF in all its kinds: single, multi-page, OME, ImageJ, big-endian, compressed, palette, 1-bit."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.joined_source import JoinedSource
from napari_sem_sr.io.metadata.tiff import describe
from napari_sem_sr.io.read.raw import RawSource, native
from napari_sem_sr.io.read.tiff_chain import Chain, walk
from napari_sem_sr.io.read.tiff_pages import (
    TiffPageSource,
    check_colours,
    is_palette,
    is_upside_down,
    said_of,
)
from napari_sem_sr.io.slice_source import Contents, SliceSource, check_beside, first_line

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# A few detectors at once, but nobody has ten channels in an SEM.
_MOST_CHANNELS = 4
# What tifffile calls axes that are no z.
_CALLED = {"C": "channels", "T": "time points", "E": "wavelengths", "L": "exposures"}

# What tifffile logs about odd files reaches people as our sentences; an application may still listen.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def open_tiff(
    path: Path,
    *,
    grey: bool,
    metadata: bool = True,
    alone: bool = False,
    elsewhere: bool = False,
) -> Contents:
    """Find the slices of a TIFF and, with ``metadata``, what it says about them.

    Parameters
    ----------
    path
        Of the file.
    grey
        Consent to converting a colour photograph.
    alone
        Read this file's own pages only, where it is one of several of an OME-TIFF.
    elsewhere
        The other files of an OME-TIFF may lie outside of its folder.

    Raises
    ------
    InputError
        If the file is damaged, or holds no single stack of grey images.
    """
    with _translate_errors(path):
        chain = walk(path)
        with tifffile.TiffFile(path, _multifile=not alone) as tiff:
            planes, notices = _stack(tiff, path, grey, chain)
            check_beside(path, planes.files, elsewhere=elsewhere)
            if chain.lost_metadata:
                notices += (
                    f"The end of '{path.name}' is missing; its pixels are there, but check the voxel size.",
                )
            gone = _lost(planes, path, chain)
            if not metadata:
                return Contents(planes=planes, notices=notices, lost=gone)
            return replace(describe(tiff, path, planes, notices), lost=gone)


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # tifffile meets damaged headers with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as TIFF ({first_line(error)}); the file is cut off or damaged: "
            "copy it again from the microscope."
        ) from error


def _lost(planes: SliceSource, path: Path, chain: Chain) -> dict[int, str]:
    """Slices that are not there or not whole, by their place in the file."""
    if isinstance(planes, RawSource):
        return planes.lost()
    if isinstance(planes, JoinedSource):
        parts = [_lost(part, path, chain) for part in planes.parts]
        return {
            z: parts[part][index]
            for z, (part, index) in enumerate(planes.places)
            if index in parts[part]
        }
    if not isinstance(planes, TiffPageSource) or len(planes.pages) < planes.shape[0]:
        return {}
    said = f"part of it was never written to '{path}'; copy it again from the microscope"
    return {
        z: said
        for z, (file, offset) in enumerate(planes.pages)
        if planes.paths[file].name == path.name and offset in chain.unwritten
    }


def _stack(
    tiff: tifffile.TiffFile, path: Path, grey: bool, chain: Chain
) -> tuple[SliceSource, tuple[str, ...]]:
    """Join what a library has grouped: pages that were appended one by one are a stack all the same."""
    series = [s for s in tiff.series if s.pages and not s.keyframe.is_reduced] or list(tiff.series)
    if not series:
        raise InputError(f"'{path}' holds no image; give a TIFF with pixels in it.")
    if len(series) > 1 and tiff.is_ome:
        raise InputError(
            f"'{path}' holds {len(series)} separate images; save the one you mean as a file of its own."
        )
    one = series[0].keyframe
    other = next((s.keyframe for s in series if _kind(s.keyframe) != _kind(one)), None)
    if other is not None:
        raise InputError(
            f"'{path}' has pages that are not alike: page {one.index + 1} is {_size(one)}, page "
            f"{other.index + 1} is {_size(other)}; give pages of one size and type."
        )
    check_colours(one, path)
    parts = [_planes(tiff, part, path, grey, chain) for part in series]
    notices = said_of(one, path) + tuple(dict.fromkeys(n for _, told in parts for n in told))
    if len(parts) == 1:
        return parts[0][0], notices
    return JoinedSource.of(tuple(planes for planes, _ in parts), parts[0][0]), notices


def _planes(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, path: Path, grey: bool, chain: Chain
) -> tuple[SliceSource, tuple[str, ...]]:
    page = series.keyframe
    count, notices = _count_slices(series, path)
    colours = is_palette(page) or is_upside_down(page)
    if series.dtype is None:
        raise InputError(
            f"'{path}' holds pixels of {page.bitspersample} bits that are not numbers; save it as a grey image."
        )
    stored = np.dtype(series.dtype).newbyteorder(tiff.byteorder)
    if stored.kind not in "uifb":
        raise InputError(
            f"'{path}' holds {stored.name} values; give a grey image of integers or floats."
        )
    dtype = np.dtype(np.uint8) if is_palette(page) else native(stored)
    shape = (count, int(page.imagelength), int(page.imagewidth))
    offset = series.dataoffset
    samples = "S" in series.axes and not _are_slices(series)
    whole = not chain.unwritten
    if offset is not None and whole and not samples and not colours and stored.kind != "b":
        return RawSource(path, shape, dtype, grey, stored, int(offset)), notices
    if len(series.pages) != count and not _are_slices(series):
        raise InputError(
            f"'{path}' keeps its {count} slices in {len(series.pages)} pages ({series.axes}), which cannot be "
            "told apart; save it with one page per slice."
        )
    files: dict[Any, int] = {}
    pages: list[tuple[int, int]] = []
    for number, part in enumerate(series.pages):
        if part is None:
            raise InputError(f"'{path}' lacks slice {number}; copy all files of the stack again.")
        # an OME-TIFF may go on in other files
        pages.append((files.setdefault(part.parent, len(files)), int(part.offset)))
    paths = tuple(path if file is tiff else Path(file.filehandle.path) for file in files)
    return TiffPageSource(path, shape, dtype, grey, paths, tuple(pages)), notices


def _count_slices(series: tifffile.TiffPageSeries, path: Path) -> tuple[int, tuple[str, ...]]:
    """Return the number of slices along the one axis that is not y, x or colour samples."""
    if _are_slices(series):
        count = int(series.shape[0])
        return count, (f"'{path.name}' calls its {count} images colours; they are read as slices.",)
    axes = {
        a: n for a, n in zip(series.axes, series.shape, strict=True) if n > 1 and a not in "YXS"
    }
    if len(axes) > 1:
        held = " and ".join(f"{n} along {a}" for a, n in axes.items())
        raise InputError(
            f"'{path}' is not a single stack: it has images {held}; save one channel and one time point."
        )
    axis, count = next(iter(axes.items()), ("", 1))
    if axis not in _CALLED:
        return int(count), ()
    # Programs that are not told otherwise save a stack for ImageJ as channels.
    if axis == "C" and count <= _MOST_CHANNELS and series.kind != "imagej":
        raise InputError(
            f"'{path}' holds {count} channels; save the one you mean as a grey stack of its own."
        )
    return int(count), (
        f"'{path.name}' calls its {count} images {_CALLED[axis]}; they are read as slices.",
    )


def _are_slices(series: tifffile.TiffPageSeries) -> bool:
    # what tifffile made of an array of 3 or 4 slices when it was not told what they are
    return bool(series.kind == "shaped" and series.axes == "SYX")


def _kind(page: tifffile.TiffPage) -> tuple[Any, ...]:
    return (
        page.imagewidth,
        page.imagelength,
        page.dtype,
        page.samplesperpixel,
        page.photometric,
    )


def _size(page: tifffile.TiffPage) -> str:
    colours = getattr(page.photometric, "name", "unknown").lower()
    return f"{page.imagewidth} x {page.imagelength} pixels of {page.dtype} ({colours})"
