"""Files that are either wholly there or not there, even after a power cut."""

import ctypes
import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_sem_sr.errors import OutputError

PARTIAL = ".partial"
# Seconds between attempts to rename on Windows.
_PAUSES = (0.01, 0.05, 0.2, 0.5, 1.0)
# Of renameat2 (Linux) and renamex_np (macOS): paths from the current folder; swap.
_HERE, _SWAP = -100, 2

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def partial_name(path: Path) -> Path:
    """Name under which ``path`` is written until it is whole, in the same folder."""
    return path.with_name(f".{path.name}{PARTIAL}")


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on disk.

    Parameters
    ----------
    folder
        One that is there.
    """
    if sys.platform == "win32":  # folders cannot be opened there; NTFS journals its entries
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on disk when this returns.

    Parameters
    ----------
    folder
        May be there already.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name, in the place of a file (or an empty folder) that has it.

    On Windows a virus scanner or an indexer may hold either for a moment, so a refusal there is tried again.

    Parameters
    ----------
    source
        File or folder.
    target
        On the same file system.
    """
    for pause in _PAUSES if sys.platform == "win32" else ():
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    source.replace(target)


def replace_folder(new: Path, path: Path) -> None:
    """Put the folder ``new`` in the place of ``path``, which is removed afterwards.

    Where the system can, both names are exchanged at once. Elsewhere a kill may find the old folder aside;
    `recover_folder` puts it back.
    """
    if not path.exists():
        rename(new, path)
        sync_folder(path.parent)
        return
    old = _aside(path)
    if exchange(new, path):
        rename(new, old)
    else:
        rename(path, old)
        rename(new, path)
    sync_folder(path.parent)
    shutil.rmtree(old)


def recover_folder(path: Path) -> None:
    """Bring back what a killed `replace_folder` put aside.

    Parameters
    ----------
    path
        Where the folder that was replaced lay.
    """
    old = _aside(path)
    if not old.is_dir():
        return
    if path.exists():
        shutil.rmtree(old)
    else:
        rename(old, path)


def exchange(one: Path, other: Path) -> bool:
    """Swap two names of one folder at once; False where the system cannot.

    Parameters
    ----------
    one
        File or folder.
    other
        File or folder beside it.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(os.fsencode(one), os.fsencode(other), _SWAP)
        else:
            failed = library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _SWAP)
    except (AttributeError, OSError, TypeError):  # no such call, as on Windows
        return False
    return not failed


def _aside(path: Path) -> Path:
    return partial_name(path.with_name(f"{path.name}.replaced"))


@contextmanager
def atomic_write(path: Path, writer: str = "") -> Iterator[Path]:
    """Give a temporary name to write to; after the block its file is on disk under ``path``.

    When the block fails the temporary file is removed and ``path`` is as it was. Who may be one of several that
    write the same file names itself as ``writer``, so that none touches what another has half written.
    """
    temporary = partial_name(path.with_name(f"{path.name}{writer}"))
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def translate_os_errors(path: Path, kept: str = "") -> Iterator[None]:
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
        elif error.errno in REFUSED:
            reason = (
                f"'{path}' may not be written ({error.strerror}); choose a folder you may write to"
            )
        else:
            reason = f"'{path}' could not be written ({error.strerror or error}); check the disk"
        raise OutputError(f"{reason}{kept}.") from error
