"""The chain of a TIFF's pages, walked before a library reads it: what is cut off and what was never written."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import tifffile

from napari_sem_sr.errors import InputError

_BYTE_COUNTS = {279, 325}
# Lists of strips that are looked at before a slice is read; beyond it the others are when they are read.
_MOST_LISTED = 16 << 20


@dataclass(frozen=True)
class Chain:
    """What was seen on the way.

    Parameters
    ----------
    lost_metadata
        Metadata of the first page lie beyond the end of the file.
    unwritten
        Places of those pages of which a part was never written: pixels of length 0, which libraries read as black.
    """

    lost_metadata: bool
    unwritten: frozenset[int]


def walk(path: Path) -> Chain:
    """Go from page to page; tifffile would silently give fewer of a file that is cut off.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    InputError
        If the chain leads out of the file.
    """
    with path.open("rb") as stream:
        return _Walk(stream, path).chain()


class _Walk:
    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._size = os.fstat(stream.fileno()).st_size
        self._listed = 0
        head = stream.read(16)
        self._order = "<" if head[:2] == b"II" else ">"
        self._big = head[2:4] in (b"+\0", b"\0+")
        # a tag: code, type, count, value or its offset
        count, tag, link = ("Q", "HHQQ", "Q") if self._big else ("H", "HHII", "I")
        self._count, self._tag, self._link = (f"{self._order}{f}" for f in (count, tag, link))
        self._first = head[8 if self._big else 4 :]

    def chain(self) -> Chain:
        stream, link_size = self._stream, struct.calcsize(self._link)
        count_size, tag_size = struct.calcsize(self._count), struct.calcsize(self._tag)
        seen: set[int] = set()
        unwritten: set[int] = set()
        lost = False
        try:
            (offset,) = struct.unpack_from(self._link, self._first)
            while offset and offset not in seen:
                seen.add(offset)
                stream.seek(offset)
                (entries,) = struct.unpack(self._count, stream.read(count_size))
                content = stream.read(min(entries, 65535) * tag_size)
                whole = len(content) // tag_size * tag_size
                tags = list(struct.iter_unpack(self._tag, content[:whole]))
                if len(seen) == 1:
                    lost = any(self._end(tag) > self._size for tag in tags)
                if any(self._lacks_pixels(tag) for tag in tags if tag[0] in _BYTE_COUNTS):
                    unwritten.add(offset)
                stream.seek(offset + count_size + entries * tag_size)
                (offset,) = struct.unpack(self._link, stream.read(link_size))
            broken = bool(offset)
        except (struct.error, OverflowError, OSError):
            broken = True
        if broken:
            raise InputError(
                f"'{self._path}' is cut off or damaged: page {max(len(seen), 1)} and what follows cannot be "
                "found; copy it again from the microscope."
            )
        return Chain(lost, frozenset(unwritten))

    def _length(self, tag: tuple[int, ...]) -> int:
        _, kind, count, _ = tag
        return count * struct.calcsize(tifffile.TIFF.DATA_FORMATS.get(kind, ""))

    def _end(self, tag: tuple[int, ...]) -> int:
        """Return where a tag's value ends in the file; 0 where it lies in the tag itself."""
        length = self._length(tag)
        return tag[3] + length if length > struct.calcsize(self._link) else 0

    def _lacks_pixels(self, tag: tuple[int, ...]) -> bool:
        """Whether one of the lengths that a tag lists is 0."""
        _, kind, count, value = tag
        form = tifffile.TIFF.DATA_FORMATS.get(kind, "")[-1:]
        length = self._length(tag)
        if form not in ("H", "I", "Q") or not count:
            return False
        if length <= struct.calcsize(self._link):
            content = struct.pack(self._link, value)[:length]
        elif self._end(tag) > self._size or self._listed + length > _MOST_LISTED:
            return False
        else:
            self._listed += length
            self._stream.seek(value)
            content = self._stream.read(length)
        return 0 in struct.unpack(f"{self._order}{count}{form}", content)
