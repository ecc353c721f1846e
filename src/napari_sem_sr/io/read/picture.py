"""PNG, BMP and JPEG."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata import ImageFile, find_metadata
from napari_sem_sr.io.metadata.merged import known
from napari_sem_sr.io.slice_source import Contents, Planes, first_line
from napari_sem_sr.stack import Triple

PNG = b"\x89PNG\r\n\x1a\n"
MAGIC = (PNG, b"BM", b"\xff\xd8\xff")


@dataclass(frozen=True)
class PicturePlanes(Planes):
    """One picture as a stack of one slice."""

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
        with Image.open(self.path) as picture:
            shown = picture.convert("RGB") if picture.mode in ("P", "CMYK") else picture
            return np.asarray(shown)

    def where(self, index: int) -> str:
        """Name the picture."""
        return f"'{self.path}'"


def open_picture(path: Path, *, grey: bool, metadata: bool = True) -> Contents:
    """Read a picture's header; its print resolution is not a pixel size.

    Raises
    ------
    InputError
        If the header is damaged.
    """
    try:
        height, width, dtype = _header(path)
    except Exception as error:  # Pillow meets damaged headers with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as a picture ({first_line(error)}); the file is cut off or damaged: copy it again."
        ) from error
    planes = PicturePlanes(path, (1, height, width), dtype, grey)
    if not metadata:
        return Contents(planes=planes)
    said = known(path, find_metadata(ImageFile(path, height, width)))
    return Contents(planes=planes, **vars(said))


def _is_png(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(PNG)) == PNG


def _header(path: Path) -> tuple[int, int, np.dtype[Any]]:
    if _is_png(path):
        with path.open("rb") as stream:
            # IHDR comes first: 8 bytes of chunk head, width, height, bits per sample
            width, height, bits = struct.unpack(">IIB", stream.read(25)[16:25])
        return height, width, np.dtype(np.uint16 if bits == 16 else np.uint8)
    with Image.open(path) as picture:
        return picture.height, picture.width, np.dtype(np.uint8)
