"""PNG, BMP and JPEG."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata import ImageFile as Described
from napari_sem_sr.io.metadata import find_metadata
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.slice_source import Contents, SliceSource, first_line
from napari_sem_sr.stack import Triple

PNG = b"\x89PNG\r\n\x1a\n"
MAGIC = (PNG, b"BM", b"\xff\xd8\xff")
# A blank JPEG has 6 bits for each 64 pixels, a blank PNG or run-length BMP less than 1 % of its pixels' bytes; a file
# that promises this many pixels a byte was not written by a camera or a microscope.
_MOST_PIXELS_A_BYTE = 2000
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class PictureSource(SliceSource):
    """One picture as a stack of one slice.

    Parameters
    ----------
    path
        Of the file.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self.path,)

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Decode the picture; PNG by libpng, as Pillow cuts 16-bit colours down to 8 bits."""
        if _is_png(self.path):
            pixels: npt.NDArray[Any] = imagecodecs.png_decode(self.path.read_bytes())
            return pixels
        with _opened(self.path) as picture:
            shown: Image.Image = picture
            if picture.mode in ("P", "CMYK"):
                shown = picture.convert("RGB")
            return np.asarray(shown)

    def where(self, index: int) -> str:
        """Name the picture."""
        return f"'{self.path}'"


def open_picture(path: Path, *, grey: bool, metadata: bool = True) -> Contents:
    """Read a picture's header; its print resolution is not a pixel size.

    Parameters
    ----------
    path
        Of the file.
    grey
        Consent to converting a colour photograph.
    metadata
        Whether what the file says about itself is wanted too.

    Raises
    ------
    InputError
        If the header is damaged.
    """
    try:
        height, width, dtype, turned = _header(path)
    except Exception as error:  # Pillow meets damaged headers with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as a picture ({first_line(error)}); the file is cut off or damaged: copy it again."
        ) from error
    size = path.stat().st_size
    if height * width > size * _MOST_PIXELS_A_BYTE:
        raise InputError(
            f"'{path}' says it has {width} x {height} pixels in {size} bytes; the file is damaged: copy it again."
        )
    planes = PictureSource(path, (1, height, width), dtype, grey)
    notices: tuple[str, ...] = ()
    if turned not in (0, 1):
        notices = (
            f"'{path.name}' says that it is to be shown turned or mirrored (orientation {turned}); it is read as it "
            "is stored.",
        )
    if not metadata:
        return Contents(planes=planes, notices=notices)
    said = merged(path, find_metadata(Described(path, height, width)))
    return Contents(planes=planes, **{**vars(said), "notices": (*notices, *said.notices)})


def _is_png(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(PNG)) == PNG


def _opened(path: Path) -> ImageFile.ImageFile:
    # not Image.open, which refuses a large image as an attack; how much a file may promise is our own limit
    with path.open("rb") as stream:
        kind = BmpImageFile if stream.read(2) == b"BM" else JpegImageFile
    picture: ImageFile.ImageFile = kind(path)
    return picture


def _header(path: Path) -> tuple[int, int, np.dtype[Any], int]:
    """Return height, width, dtype, and how the picture is to be turned (1: not)."""
    if _is_png(path):
        with path.open("rb") as stream:
            # IHDR comes first: 8 bytes of chunk head, width, height, bits per sample
            width, height, bits = struct.unpack(">IIB", stream.read(25)[16:25])
        return height, width, np.dtype(np.uint16 if bits == 16 else np.uint8), 1
    with _opened(path) as picture:
        turned = picture.getexif().get(_ORIENTATION, 1) if picture.format == "JPEG" else 1
        return picture.height, picture.width, np.dtype(np.uint8), int(turned)
