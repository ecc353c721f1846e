"""Which input a half-finished output was made from, slice by slice.

When a slice cannot be read the rest of the stack is done; once someone has mended it, the input as a
whole has another hash. The ledger tells whether anything but the unreadable slices has changed.
"""

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.atomic_write import told_plainly
from napari_sem_sr.io.zarr_layout import RESUMABLE

NAME = "inputs"
SUFFIX = ".txt"
UNREADABLE = "unreadable"


def slice_hash(lr: npt.NDArray[Any]) -> str:
    """Hash of one LR slice's pixels."""
    return hashlib.blake2b(np.ascontiguousarray(lr).tobytes(), digest_size=16).hexdigest()


class Ledger:
    """Text files beside the levels of an unfinished output: one line per slice, the last one counts.

    Parameters
    ----------
    output
        Folder of the output.
    writer
        Name of one of several processes that write at the same time; each has a file of its own, as network
        file systems lose lines that two append at once. Of two files, one that has a slice's hash counts.
    """

    def __init__(self, output: Path, writer: str = "") -> None:
        self._folder = output
        self._path = output / f"{NAME}{writer}{SUFFIX}"
        self._lock = threading.Lock()

    def note(self, index: int, what: str) -> None:
        """Add a line on slice ``index`` of the input: its hash, or ``UNREADABLE``; from any thread."""
        # begins a line of its own even after one that a power cut has torn
        with (
            self._lock,
            told_plainly(self._path.parent, RESUMABLE),
            self._path.open("a") as stream,
        ):
            stream.write(f"\n{index} {what}\n")
            stream.flush()
            os.fsync(stream.fileno())

    def read(self) -> dict[int, str]:
        """What is known by slice, from all files."""
        known: dict[int, str] = {}
        for path in self._files():
            pairs = (line.split() for line in path.read_text().splitlines())
            for z, what in {int(pair[0]): pair[1] for pair in pairs if len(pair) == 2}.items():
                if what != UNREADABLE or z not in known:
                    known[z] = what
        return known

    def remove(self) -> None:
        """Remove all files; a finished output does not need them."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{NAME}*{SUFFIX}"))
