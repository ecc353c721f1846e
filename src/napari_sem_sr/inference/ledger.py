"""Which input an unfinished output was made from, slice by slice.

When a slice cannot be read the rest of the stack is done; once someone has repaired it, the input as a whole has another
hash. The ledger tells whether anything but the unreadable slices has changed. Before an output is finished, the input
is held against it once more: what changed while it was read is named, and not kept.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.append_log import AppendLog
from napari_sem_sr.io.zarr_layout import RESUMABLE

NAME = "inputs"
SUFFIX = ".jsonl"
UNREADABLE = "unreadable"


def slice_hash(lr: npt.NDArray[Any]) -> str:
    """Hash of one LR slice's pixels.

    Parameters
    ----------
    lr
        ``(y, x)`` of any dtype.
    """
    return hashlib.blake2b(np.ascontiguousarray(lr).data, digest_size=16).hexdigest()


class Ledger:
    """Files beside the levels of an unfinished output: one record per slice, the last one counts.

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
        self._log = self._log_of(output / f"{NAME}{writer}{SUFFIX}")

    def note(self, index: int, what: str) -> None:
        """Add what is known of slice ``index`` of the input: its hash, or ``UNREADABLE``; from any thread.

        Parameters
        ----------
        what
            Hash, or ``UNREADABLE``.
        """
        self._log.append({"slice": index, "is": what})

    def read(self) -> dict[int, str]:
        """What is known by slice, from all files; damaged lines are as if they had not been written."""
        known: dict[int, str] = {}
        for path in self._files():
            records = self._log_of(path).records()
            for z, what in {int(r["slice"]): str(r["is"]) for r in records}.items():
                if what != UNREADABLE or z not in known:
                    known[z] = what
        return known

    def replace(self, known: Mapping[int, str]) -> None:
        """Keep ``known`` in place of all that was noted, in this ledger's own file."""
        self._log.rewrite([{"slice": z, "is": what} for z, what in sorted(known.items())])
        for path in self._files():
            if path != self._log.path:
                self._log_of(path).remove()

    def remove(self) -> None:
        """Remove all files; a finished output does not need them."""
        for path in self._files():
            self._log_of(path).remove()

    def _log_of(self, path: Path) -> AppendLog:
        return AppendLog(path, self._folder, RESUMABLE)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{NAME}*{SUFFIX}"))
