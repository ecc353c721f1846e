"""The tag tree of Digital Micrograph 3 and 4 files.

Written from the descriptions by Greg Jefferis and Chris Boothroyd
(https://www.er-c.org/cbb/info/dmformat/). Everything about tags is big-endian, their values are in the order that
the header says. Version 4 has 64-bit lengths where version 3 has 32-bit ones.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

# Type codes of single values: (struct code, bytes).
_SINGLE = {
    2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "b", 11: "q", 12: "Q",
}  # fmt: skip
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_GROUP, _VALUE = 20, 21
# Text is not longer.
_SHORT = 4096
_DEEPEST = 64
_MOST_TAGS = 1_000_000
_MOST_FIELDS = 4096

Tree = dict[str, Any]


@dataclass(frozen=True)
class ArrayTag:
    """An array that stays in the file: ``count`` values of a type code, from ``offset`` on.

    Short arrays of 16-bit numbers may be text, which is ``text`` then.
    """

    offset: int
    count: int
    text: str = ""


class DamagedError(ValueError):
    """The tags make no sense."""


def read_tags(path: Path) -> tuple[Tree, str]:
    """Return the tag tree and the byte order of values, "<" or ">"; unnamed tags are called "0", "1", ...

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    DamagedError
        If the file is no such tree.
    """
    with path.open("rb") as stream:
        stream.seek(0, 2)
        size = stream.tell()
        stream.seek(0)
        reader = _Reader(stream, size)
        try:
            return reader.root(), reader.order
        except (struct.error, KeyError, OverflowError, UnicodeDecodeError) as error:
            raise DamagedError("its tags are damaged") from error


class _Reader:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._long = "I"
        self._version = 3
        self._tags = 0
        self.order = "<"

    def root(self) -> Tree:
        (self._version,) = self._unpack(">I")
        if self._version not in (3, 4):
            raise DamagedError("it is of an unknown version")
        self._long = "I" if self._version == 3 else "Q"
        _, little = self._unpack(f">{self._long}I")
        self.order = "<" if little == 1 else ">"
        return self._group(0)

    def _unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack(form, self._stream.read(struct.calcsize(form)))

    def _longs(self, count: int) -> list[int]:
        if count > _MOST_FIELDS:
            raise DamagedError("a tag has too many fields")
        return [int(v) for v in self._unpack(f">{count}{self._long}")]

    def _group(self, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise DamagedError("its tags are nested too deeply")
        self._unpack(">BB")
        (count,) = self._longs(1)
        found: Tree = {}
        for number in range(count):
            self._tags += 1
            if self._tags > _MOST_TAGS:
                raise DamagedError("it has too many tags")
            kind, length = self._unpack(">BH")
            name = self._stream.read(length).decode("latin-1") or str(number)
            if self._version == 4:
                self._longs(1)
            if kind == _GROUP:
                found[name] = self._group(depth + 1)
            elif kind == _VALUE:
                found[name] = self._value()
            else:
                raise DamagedError("a tag is of an unknown kind")
        return found

    def _value(self) -> Any:
        if self._stream.read(4) != b"%%%%":
            raise DamagedError("a tag does not begin where it should")
        (count,) = self._longs(1)
        info = self._longs(count)
        if not info:
            raise DamagedError("a tag has no type")
        kind = info[0]
        if kind == _STRING:
            return self._text(info[1])
        if kind == _STRUCT:
            return self._unpack(self.order + self._fields(info[1:]))
        if kind == _ARRAY:
            return self._array(info[1:])
        return self._unpack(self.order + _SINGLE[kind])[0]

    def _fields(self, info: list[int]) -> str:
        # length of the name, number of fields, then (length of name, type) of each
        fields = info[2 : 2 + 2 * info[1]] if len(info) > 1 else []
        return "".join(_SINGLE[k] for k in fields[1::2])

    def _text(self, length: int) -> str:
        return self._stream.read(min(length, _SHORT)).decode("utf-16-le", errors="replace")

    def _array(self, info: list[int]) -> Any:
        if len(info) < 2:
            raise DamagedError("an array has no length")
        kind, count = info[0], info[-1]
        form = self._fields(info[1:-1]) if kind == _STRUCT else _SINGLE[kind]
        length = count * struct.calcsize(self.order + form)
        start = self._stream.tell()
        if kind == 4 and count <= _SHORT:
            # 16-bit numbers are how text is kept
            text = self._stream.read(length).decode("utf-16-le", errors="replace")
            return ArrayTag(start, count, text)
        self._stream.seek(min(start + length, self._size))
        return ArrayTag(start, count)
