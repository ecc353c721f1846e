"""Which input a half-finished output was made from, slice by slice.

When a slice cannot be read the rest of the stack is done; once someone has mended it, the input as a
whole has another hash. The ledger tells whether anything but the unreadable slices has changed.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.durable import told_plainly
from napari_sem_sr.io.write_zarr import RESUMABLE

NAME = "inputs.txt"
UNREADABLE = "unreadable"


def slice_hash(lr: npt.NDArray[Any]) -> str:
    """Hash of one LR slice's pixels."""
    return hashlib.blake2b(np.ascontiguousarray(lr).tobytes(), digest_size=16).hexdigest()


class Ledger:
    """A text file beside the levels of an unfinished output: one line per slice, the last one counts."""

    def __init__(self, output: Path) -> None:
        self._path = output / NAME

    def note(self, index: int, what: str) -> None:
        """Add a line on slice ``index`` of the input: its hash, or ``UNREADABLE``."""
        # begins a line of its own even after one that a power cut has torn
        with told_plainly(self._path.parent, RESUMABLE), self._path.open("a") as stream:
            stream.write(f"\n{index} {what}\n")
            stream.flush()
            os.fsync(stream.fileno())

    def read(self) -> dict[int, str]:
        """What is known by slice."""
        if not self._path.exists():
            return {}
        pairs = (line.split() for line in self._path.read_text().splitlines())
        return {int(pair[0]): pair[1] for pair in pairs if len(pair) == 2}

    def remove(self) -> None:
        """Remove the file; a finished output does not need it."""
        self._path.unlink(missing_ok=True)
