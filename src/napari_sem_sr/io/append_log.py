"""A file to which lines are added that must survive: each is on disk when `AppendLog.append` returns.

A line that a power cut has torn, or in which a byte has changed since, is as if it had never been written.
"""

import json
import os
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors


class AppendLog:
    """Records (JSON mappings), one a line, each with its checksum.

    Parameters
    ----------
    path
        The file; made by the first record.
    output
        What a person asked for, for messages.
    kept
        What of it is safe when the disk refuses, as for `translate_os_errors`.
    """

    def __init__(self, path: Path, output: Path, kept: str = "") -> None:
        self.path = path
        self._output, self._kept = output, kept
        self._lock = threading.Lock()

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record; from any thread.

        Parameters
        ----------
        record
            Of what JSON can hold.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        # begins a line of its own even after one that was torn
        with (
            self._lock,
            translate_os_errors(self._output, self._kept),
            self.path.open("ab") as stream,
        ):
            stream.write(b"\n" + _line(record))
            stream.flush()
            os.fsync(stream.fileno())

    def records(self) -> list[dict[str, Any]]:
        """All sound records, oldest first; none where there is no file.

        Raises
        ------
        OutputError
            If the file cannot be read.
        """
        if not self.path.exists():
            return []
        with translate_os_errors(self._output):
            content = self.path.read_bytes()
        found = (_record(line) for line in content.splitlines())
        return [record for record in found if record is not None]

    def rewrite(self, records: list[Mapping[str, Any]]) -> None:
        """Put other records in the place of all, at once.

        Parameters
        ----------
        records
            All that are to be there, in their order.
        """
        with (
            self._lock,
            translate_os_errors(self._output, self._kept),
            atomic_write(self.path) as path,
        ):
            path.write_bytes(b"".join(map(_line, records)))

    def remove(self) -> None:
        """Remove the file; there may be none."""
        with translate_os_errors(self._output, self._kept):
            self.path.unlink(missing_ok=True)


def _line(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record).encode()
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _record(line: bytes) -> dict[str, Any] | None:
    mark, _, text = line.partition(b" ")
    try:
        if len(mark) != 8 or int(mark, 16) != zlib.crc32(text):
            return None
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
