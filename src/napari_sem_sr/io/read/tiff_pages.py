"""Slices that are pages of a TIFF, and what a page says about how its numbers are to be seen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.slice_source import SliceSource, slice_name, to_grey
from napari_sem_sr.stack import Triple

_PHOTOMETRIC = tifffile.PHOTOMETRIC
_GREY = (_PHOTOMETRIC.MINISBLACK, _PHOTOMETRIC.MINISWHITE, _PHOTOMETRIC.PALETTE, _PHOTOMETRIC.RGB)
# tifffile converts these to RGB on the way.
_JPEGS = {6, 7, 34892, 33007}
_UNKNOWN_SAMPLE = tifffile.EXTRASAMPLE.UNSPECIFIED
_ORIENTATION, _NO_DATA = 274, 42113


@dataclass(frozen=True)
class TiffPageSource(SliceSource):
    """Slices that are pages (IFDs) of one or, in OME-TIFF, several files.

    Parameters
    ----------
    path
        Of the file, or the first of several.
    paths
        Of all files.
    pages
        Of each slice: number of the file, and of the page in it.
    """

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
            image = _pixels(tifffile.TiffPage(tiff, index), tiff.pages.first)
        return image[..., index] if shared else image

    def where(self, index: int) -> str:
        """Name the slice by its number."""
        file = self.pages[min(index, len(self.pages) - 1)][0]
        return slice_name(self.paths[file], index, self.shape[0])


def is_palette(page: tifffile.TiffPage) -> bool:
    """Whether pixels are numbers of colours.

    Parameters
    ----------
    page
        Of an open file.
    """
    return bool(page.photometric == _PHOTOMETRIC.PALETTE and page.colormap is not None)


def is_upside_down(page: tifffile.TiffPage) -> bool:
    """Whether white is low.

    Parameters
    ----------
    page
        Of an open file.
    """
    return bool(page.photometric == _PHOTOMETRIC.MINISWHITE)


def annotation_colours(page: tifffile.TiffPage) -> int:
    """Return how many colours are set aside for writing in a palette that is otherwise grey; 0 in any other.

    Parameters
    ----------
    page
        Of an open file.
    """
    if not is_palette(page):
        return 0
    palette = np.asarray(page.colormap)
    coloured = int((np.ptp(palette, axis=0) > 0).sum())
    return coloured if coloured < palette.shape[1] / 4 else 0


def check_colours(page: tifffile.TiffPage, path: Path) -> None:
    """Make sure that samples are grey, red, green and blue, with alpha at most.

    Parameters
    ----------
    page
        Of an open file.
    path
        To name the file.

    Raises
    ------
    InputError
        Saying what they are.
    """
    if page.photometric not in _GREY and page.compression not in _JPEGS:
        name = getattr(page.photometric, "name", str(page.photometric))
        raise InputError(
            f"'{path}' keeps its pixels as {name}, which is not grey; save it as a grey image."
        )
    samples = int(page.samplesperpixel)
    named = {1: (1,), 2: (2,), 3: (3, 4)}.get(samples, (3, 4))
    unnamed = samples == 2 and _UNKNOWN_SAMPLE in (page.extrasamples or (_UNKNOWN_SAMPLE,))
    if samples not in named or unnamed:
        raise InputError(
            f"'{path}' holds {samples} values for each pixel and does not say what they are; save the one you mean "
            "as a grey image."
        )


def said_of(page: tifffile.TiffPage, path: Path) -> tuple[str, ...]:
    """Sentences on what a page says and is not followed, or is unusual.

    Parameters
    ----------
    page
        Of an open file.
    path
        To name the file.
    """
    said: list[str] = []
    if written := annotation_colours(page):
        said.append(
            f"'{path.name}' has a palette of greys with {written} colours for what is written on the image; they "
            "are read as their brightness."
        )
    turned = page.tags.get(_ORIENTATION)
    if turned is not None and turned.value not in (0, 1):
        said.append(
            f"'{path.name}' says that it is to be shown turned or mirrored (orientation {int(turned.value)}); it is "
            "read as it is stored."
        )
    empty = page.tags.get(_NO_DATA)
    if empty is not None:
        value = str(empty.value).strip("\0 ")
        said.append(
            f"'{path.name}' marks pixels of the value {value} as no data; they are read as they are."
        )
    if is_upside_down(page) and np.dtype(page.dtype).kind == "f":
        said.append(
            f"'{path.name}' says that white is low; its values are read with the opposite sign."
        )
    return tuple(said)


def _pixels(page: tifffile.TiffPage, first: tifffile.TiffPage) -> npt.NDArray[Any]:
    """Decode a page to (y, x) or (y, x, samples), black being low."""
    size = page.parent.filehandle.size
    ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
    if any(end > size for end in ends):
        raise EOFError("the file ends within it")
    if 0 in page.databytecounts:
        raise EOFError("part of it was never written")
    image: npt.NDArray[Any] = page.asarray()
    if is_palette(page):
        # 16-bit entries of an 8-bit palette: the high byte
        colours = np.moveaxis((np.asarray(page.colormap) >> 8).astype(np.uint8), 0, -1)
        if annotation_colours(page):
            colours = to_grey(colours[np.newaxis], consent=True, where="")[0]
        image = colours[image]
    if is_upside_down(page):
        image = _turned_over(image, page, first)
    if image.ndim == 3 and page.axes.startswith("S"):
        image = np.moveaxis(image, 0, -1)
    return image


def _turned_over(
    image: npt.NDArray[Any], page: tifffile.TiffPage, first: tifffile.TiffPage
) -> npt.NDArray[Any]:
    if image.dtype.kind == "b":
        # tifffile writes True as 1 under this name and reads it so
        return image if str(first.software).startswith("tifffile") else ~image
    if image.dtype.kind == "f":
        return -image
    if image.dtype.kind == "i":
        return ~image
    # 12 bits are kept in 16
    largest = np.iinfo(image.dtype).max >> (8 * image.dtype.itemsize - int(page.bitspersample))
    turned: npt.NDArray[Any] = largest - image
    return turned
