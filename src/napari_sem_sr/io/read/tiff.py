"""TIFF in all its kinds: single, multi-page, OME, ImageJ, big-endian, compressed, palette, 1-bit."""

import logging
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata.tiff import describe
from napari_sem_sr.io.read.raw import RawPlanes, native
from napari_sem_sr.io.slice_source import Contents, Planes, first_line, slice_name, to_grey
from napari_sem_sr.stack import Triple

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# A few detectors at once, but nobody has ten channels in an SEM.
_MOST_CHANNELS = 4

# What tifffile logs about odd files reaches people as our sentences; an application may still listen.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class PagePlanes(Planes):
    """Slices that are pages (IFDs) of one or, in OME-TIFF, several files."""

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    paths: tuple[Path, ...]
    # (index in paths, offset of the page's IFD) for each slice, or the one page that holds them all
    pages: tuple[tuple[int, int], ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in the order of their first page."""
        return self.paths

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Decode one page; reading it at its offset costs the same wherever it lies in the file."""
        shared = len(self.pages) < self.shape[0]
        file, offset = self.pages[0 if shared else index]
        with tifffile.TiffFile(self.paths[file], _multifile=False) as tiff:
            tiff.filehandle.seek(offset)
            image = _pixels(tifffile.TiffPage(tiff, index))
        return image[..., index] if shared else image

    def where(self, index: int) -> str:
        """Name the slice by its number."""
        file = self.pages[min(index, len(self.pages) - 1)][0]
        return slice_name(self.paths[file], index, self.shape[0])


def open_tiff(path: Path, *, grey: bool, metadata: bool = True) -> Contents:
    """Find the slices of a TIFF and, with ``metadata``, what it says about them.

    Raises
    ------
    InputError
        If the file is damaged, or holds no single stack of grey images.
    """
    with _told_plainly(path):
        with path.open("rb") as stream:
            lost = _check_chain(stream, path)
        with tifffile.TiffFile(path) as tiff:
            planes, notices = _planes(tiff, _the_series(tiff, path), path, grey)
            if lost:
                notices += (
                    f"The end of '{path.name}' is missing; its pixels are there, but check the voxel size.",
                )
            gone = planes.lost() if isinstance(planes, RawPlanes) else {}
            if not metadata:
                return Contents(planes=planes, notices=notices, lost=gone)
            return replace(describe(tiff, path, planes, notices), lost=gone)


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # tifffile meets damaged headers with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as TIFF ({first_line(error)}); the file is cut off or damaged: "
            "copy it again from the microscope."
        ) from error


def _check_chain(stream: BinaryIO, path: Path) -> bool:
    """Refuse a file whose chain of pages leads out of it: tifffile would silently give fewer pages.

    Returns
    -------
    Whether metadata of the first page lie beyond the end of the file.
    """
    size = os.fstat(stream.fileno()).st_size
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    # a tag: code, type, count, value or its offset
    count_format, tag_format, link_format = (
        (f"{order}Q", f"{order}HHQQ", f"{order}Q")
        if big
        else (f"{order}H", f"{order}HHII", f"{order}I")
    )
    link_size, count_size = struct.calcsize(link_format), struct.calcsize(count_format)
    tag_size = struct.calcsize(tag_format)
    seen: set[int] = set()
    lost = False
    try:
        (offset,) = struct.unpack_from(link_format, head, 8 if big else 4)
        while offset and offset not in seen:
            seen.add(offset)
            stream.seek(offset)
            (entries,) = struct.unpack(count_format, stream.read(count_size))
            if len(seen) == 1:
                tags = struct.iter_unpack(tag_format, stream.read(min(entries, 65535) * tag_size))
                lost = any(_end(tag, link_size) > size for tag in tags)
            stream.seek(offset + count_size + entries * tag_size)
            (offset,) = struct.unpack(link_format, stream.read(link_size))
        broken = bool(offset)
    except (struct.error, OverflowError, OSError):
        broken = True
    if broken:
        raise InputError(
            f"'{path}' is cut off or damaged: page {max(len(seen), 1)} and what follows cannot be "
            "found; copy it again from the microscope."
        )
    return lost


def _end(tag: tuple[int, ...], link_size: int) -> int:
    """Return where a tag's value ends in the file; 0 where it lies in the tag itself."""
    _, kind, count, offset = tag
    length = count * struct.calcsize(tifffile.TIFF.DATA_FORMATS.get(kind, ""))
    return offset + length if length > link_size else 0


def _the_series(tiff: tifffile.TiffFile, path: Path) -> tifffile.TiffPageSeries:
    series = [s for s in tiff.series if s.pages and not s.keyframe.is_reduced] or list(tiff.series)
    if not series:
        raise InputError(f"'{path}' holds no image; give a TIFF with pixels in it.")
    if len(series) > 1:
        one, other = series[0].keyframe, series[1].keyframe
        if tiff.is_ome:
            raise InputError(
                f"'{path}' holds {len(series)} separate images; save the one you mean as a file of its own."
            )
        raise InputError(
            f"'{path}' has pages that are not alike: page {one.index + 1} is {_size(one)}, page "
            f"{other.index + 1} is {_size(other)}; give pages of one size and type."
        )
    return series[0]


def _planes(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, path: Path, grey: bool
) -> tuple[Planes, tuple[str, ...]]:
    page = series.keyframe
    count, notices = _count_slices(series, path)
    colours = page.photometric in (tifffile.PHOTOMETRIC.PALETTE, tifffile.PHOTOMETRIC.MINISWHITE)
    if written := _annotation_colours(page):
        notices += (
            f"'{path.name}' has a palette of greys with {written} colours for what is written on the image; they "
            "are read as their brightness.",
        )
    stored = np.dtype(series.dtype).newbyteorder(tiff.byteorder)
    if stored.kind not in "uifb":
        raise InputError(
            f"'{path}' holds {stored.name} values; give a grey image of integers or floats."
        )
    dtype = np.dtype(np.uint8) if _is_palette(page) else native(stored)
    shape = (count, int(page.imagelength), int(page.imagewidth))
    offset = series.dataoffset
    samples = "S" in series.axes and not _are_slices(series)
    if offset is not None and not samples and not colours and stored.kind != "b":
        return RawPlanes(path, shape, dtype, grey, stored, int(offset)), notices
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
    paths = tuple(Path(file.filehandle.path) for file in files)
    return PagePlanes(path, shape, dtype, grey, paths, tuple(pages)), notices


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
            f"'{path}' is no single stack: it has images {held}; save one channel and one time point."
        )
    channels = axes.get("C", 0)
    if not channels:
        return int(next(iter(axes.values()), 1)), ()
    # Programs that are not told otherwise save a stack for ImageJ as channels.
    if channels <= _MOST_CHANNELS and series.kind != "imagej":
        raise InputError(
            f"'{path}' holds {channels} channels; save the one you mean as a grey stack of its own."
        )
    return int(channels), (
        f"'{path.name}' calls its {channels} images channels; they are read as slices.",
    )


def _are_slices(series: tifffile.TiffPageSeries) -> bool:
    # what tifffile made of an array of 3 or 4 slices when it was not told what they are
    return bool(series.kind == "shaped" and series.axes == "SYX")


def _is_palette(page: tifffile.TiffPage) -> bool:
    return bool(page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None)


def _annotation_colours(page: tifffile.TiffPage) -> int:
    """Return how many colours are set aside for writing in a palette that is otherwise grey; 0 in any other."""
    if not _is_palette(page):
        return 0
    palette = np.asarray(page.colormap)
    coloured = int((np.ptp(palette, axis=0) > 0).sum())
    return coloured if coloured < palette.shape[1] / 4 else 0


def _pixels(page: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Decode a page to (y, x) or (y, x, samples), black being low."""
    size = page.parent.filehandle.size
    ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
    if any(end > size for end in ends):
        raise EOFError("the file ends within it")
    image: npt.NDArray[Any] = page.asarray()
    if _is_palette(page):
        # 16-bit entries of an 8-bit palette: the high byte
        colours = np.moveaxis((np.asarray(page.colormap) >> 8).astype(np.uint8), 0, -1)
        if _annotation_colours(page):
            colours = to_grey(colours[np.newaxis], consent=True, where="")[0]
        image = colours[image]
    # not 1-bit images: tifffile and others save True as 1 under this name
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and image.dtype.kind == "u":
        image = np.iinfo(image.dtype).max - image
    if image.ndim == 3 and page.axes.startswith("S"):
        image = np.moveaxis(image, 0, -1)
    return image


def _size(page: tifffile.TiffPage) -> str:
    return f"{page.imagewidth} x {page.imagelength} pixels of {page.dtype}"
