"""Slices that lie in a file one after the other, as they are in memory; also with a header that a person types."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.slice_source import Contents, SliceSource, slice_name
from napari_sem_sr.stack import Triple

# Of so many slices at least one has to be there.
_MOST_LOST = 20

_FORM = "Z,Y,X,TYPE[,OFFSET], as '::200,1024,1536,uint16' or '::200,1024,1536,>uint16,512'"


@dataclass(frozen=True)
class RawSource(SliceSource):
    """Slices of one size, uncompressed.

    Parameters
    ----------
    path
        Of the file with the pixels.
    stored
        Dtype in the file, byte order included.
    offset
        Bytes before the first pixel.
    header
        File that says how to read the pixels; None where a person typed it.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    stored: np.dtype[Any]
    offset: int
    # the file that describes the pixels, where it is another
    header: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The file of the pixels, and that which describes them."""
        return (self.path,) if self.header is None else (self.header, self.path)

    @property
    def slice_bytes(self) -> int:
        """Length of one slice in the file."""
        return self.shape[1] * self.shape[2] * self.stored.itemsize

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read the bytes of one slice."""
        return self._decode(index, 0, self.shape[1])

    def rows(self, index: int, first: int, end: int) -> npt.NDArray[Any]:
        """Read the bytes of some rows."""
        return self._checked(index, lambda: self._decode(index, first, end), end - first)

    def _decode(self, index: int, first: int, end: int) -> npt.NDArray[Any]:
        width = self.shape[2]
        start = self.offset + index * self.slice_bytes + first * width * self.stored.itemsize
        image = np.fromfile(self.path, self.stored, (end - first) * width, offset=start)
        if image.size < (end - first) * width:
            raise EOFError("the file ends within it")
        return image.reshape(end - first, width)

    def where(self, index: int) -> str:
        """Name the slice by its number."""
        return slice_name(self.path, index, self.shape[0])

    def lost(self) -> dict[int, str]:
        """Return, for each slice beyond the end of the file, a sentence that says so.

        Raises
        ------
        InputError
            If that is nearly all of them, as where a damaged header says absurd numbers.
        """
        there = max((self.path.stat().st_size - self.offset) // max(self.slice_bytes, 1), 0)
        count = self.shape[0]
        if there >= count:
            return {}
        said = f"'{self.path}' is cut off: {there} of its {count} slices are there; copy it again from the microscope"
        if count > _MOST_LOST * there:
            raise InputError(f"{said}.")
        return dict.fromkeys(range(there, count), said)


def native(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in memory: the machine's byte order, and uint8 for 1-bit pixels.

    Parameters
    ----------
    stored
        Dtype in the file.
    """
    return np.dtype(np.uint8) if stored.kind == "b" else stored.newbyteorder("=")


def open_raw(path: Path, header: str, *, grey: bool) -> Contents:
    """Open a file of pixels without a header of its own, by a typed one.

    Parameters
    ----------
    path
        Of the file.
    header
        ``"Z,Y,X,TYPE"`` or ``"Z,Y,X,TYPE,OFFSET"``: numbers of slices, rows and columns, a NumPy type (``>uint16``
        for big-endian), and how many bytes to leave out at the start.
    grey
        Consent to converting colours.

    Raises
    ------
    InputError
        If the header cannot be understood, or the file is too short for a single slice.
    """
    try:
        z, y, x, kind, offset = [*header.split(","), "0"][:5]
        shape = (int(z), int(y), int(x))
        stored, start = _type(kind.strip()), int(offset)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{header}' describes no raw file; write it as {_FORM}.") from error
    if min(shape) < 1 or start < 0 or stored.kind not in "uif" or header.count(",") > 4:
        raise InputError(f"'{header}' describes no raw file; write it as {_FORM}.")
    planes = RawSource(path, shape, native(stored), grey, stored, start)
    size, wanted = path.stat().st_size, start + shape[0] * planes.slice_bytes
    notices = (
        (f"'{path.name}' has {size} bytes and '{header}' takes {wanted}; check size and type.",)
        if size > wanted
        else ()
    )
    return Contents(planes=planes, part=header, notices=notices, lost=planes.lost())


def _type(name: str) -> np.dtype[Any]:
    """Return a NumPy type by its short or long name, as ``>u2`` or ``>uint16``."""
    order = name[:1] if name[:1] in ("<", ">", "=", "|") else ""
    if order and name[1:].isalnum() and len(name) > 3:
        return np.dtype(name[1:]).newbyteorder(
            "<" if order == "<" else ">" if order == ">" else "="
        )
    return np.dtype(name)
