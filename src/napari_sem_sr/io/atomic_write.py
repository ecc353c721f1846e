"""Files that are either wholly there or not there, even after a power cut."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_sem_sr.errors import OutputError

PARTIAL = ".partial"

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def partial_name(path: Path) -> Path:
    """Name under which ``path`` is written until it is whole, in the same folder."""
    return path.with_name(f".{path.name}{PARTIAL}")


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on disk."""
    if sys.platform == "win32":  # folders cannot be opened there; NTFS journals its entries
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on disk when this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


@contextmanager
def replacing(path: Path, writer: str = "") -> Iterator[Path]:
    """Give a temporary name to write to; after the block its file is on disk under ``path``.

    When the block fails the temporary file is removed and ``path`` is as it was. Who may be one of several that
    write the same file names itself as ``writer``, so that none touches what another has half written.
    """
    temporary = partial_name(path.with_name(f"{path.name}{writer}"))
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def told_plainly(path: Path, kept: str = "") -> Iterator[None]:
    """Turn what the operating system says about writing ``path`` into one sentence.

    Parameters
    ----------
    path
        The output that a person asked for.
    kept
        What of the output is safe, as the end of the sentence.

    Raises
    ------
    OutputError
        Instead of any OSError raised in the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            reason = f"The disk is full, so '{path}' could not be written further; free some space"
        elif error.errno in _REFUSED:
            reason = (
                f"'{path}' may not be written ({error.strerror}); choose a folder you may write to"
            )
        else:
            reason = f"'{path}' could not be written ({error.strerror or error}); check the disk"
        raise OutputError(f"{reason}{kept}.") from error
