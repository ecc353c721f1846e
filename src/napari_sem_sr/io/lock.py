"""One writer at a time, and the second is told who the first is.

A lock is a file beside what is written, held by the operating system's own lock on it: whoever is killed lets go of it.
It also says who holds it. On a network file system without locks between machines, that and the file's age decide: a
holder touches it every few seconds, by the server's clock.
"""

import hashlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import REFUSED, make_folder, translate_os_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX = ".lock"
# Seconds between two touches, and of silence after which a holder on another machine counts as gone.
BEAT, GONE = 5.0, 30.0
# Most seconds until whoever took the lock has written down who that is.
SIGNED = 3.0
_LONGEST = 100


def lock_file(path: Path) -> Path:
    """File whose holder may write ``path``."""
    name = path.name
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.blake2b(name.encode(), digest_size=6).hexdigest()}"
    return path.with_name(f".{name}{SUFFIX}")


@contextmanager
def locked(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Be the only one who writes ``path`` during the block.

    Where the place is read-only there is nothing to guard, and the block runs without a lock.

    Parameters
    ----------
    path
        A file or folder, there or not; its folder is made if needed.
    wait_s
        How long to wait for another writer to finish.

    Raises
    ------
    OutputError
        If another process, or another part of this one, is writing it; says which.
    """
    path = path.absolute()
    with translate_os_errors(path):
        make_folder(path.parent)
    lock = lock_file(path)
    until = time.monotonic() + wait_s
    while (stream := _taken(lock, path)) is None:
        if time.monotonic() >= until:
            raise OutputError(_told(path, _holder(lock)))
        time.sleep(0.05)
    if stream is _UNGUARDED:
        yield
        return
    done = threading.Event()
    beat = threading.Thread(target=_beat, args=(lock, done), daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join()
        _let_go(lock, stream)


_UNGUARDED: Any = object()


def _taken(lock: Path, path: Path) -> Any:
    """The lock's file, held; None if another has it, `_UNGUARDED` where nothing may be written."""
    with translate_os_errors(path):
        while True:
            try:
                stream = lock.open("a+b")
            except OSError as error:
                if error.errno not in REFUSED:
                    raise
                return None if _is_held_elsewhere(lock) else _UNGUARDED
            try:
                if not _hold(stream) or _is_held_elsewhere(lock):
                    stream.close()
                    return None
                if _is_same(stream, lock):
                    stream.truncate(0)
                    stream.write(json.dumps(_oneself()).encode())
                    stream.flush()
                    return stream
                stream.close()
            except BaseException:
                stream.close()
                raise


def _hold(stream: BinaryIO) -> bool:
    """Take the operating system's lock; True as well where the file system has none."""
    try:
        if sys.platform == "win32":
            stream.seek(1 << 20)  # far behind what is written, as a locked byte cannot be read
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _is_same(stream: BinaryIO, lock: Path) -> bool:
    """Whether the file that is held still has its name: its holder removes it when done."""
    try:
        return sys.platform == "win32" or os.path.samestat(os.fstat(stream.fileno()), lock.stat())
    except FileNotFoundError:
        return False


def _is_held_elsewhere(lock: Path) -> bool:
    """Whether a process that the lock did not stop is alive, by what the file says."""
    who = _read(lock)
    if who.get("host") == socket.gethostname():
        # a lock of this machine's own would have been in the way, had the file system any
        return who.get("pid") != os.getpid() and not _has_locks(lock) and _is_alive(who.get("pid"))
    return "host" in who and _age(lock) < GONE


def _has_locks(lock: Path) -> bool:
    if sys.platform == "win32":
        return True
    probe = lock.with_name(f"{lock.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with probe.open("wb") as first:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
    return True


def _is_alive(pid: object) -> bool:
    if sys.platform == "win32":  # signal 0 is no question there, and every file system has locks
        return True
    try:
        os.kill(int(str(pid)), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


def _age(lock: Path) -> float:
    """Seconds since the holder touched the file, by the clock of the disk it lies on."""
    probe = lock.with_name(f"{lock.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        probe.touch()
        return probe.stat().st_mtime - lock.stat().st_mtime
    except OSError:
        return GONE
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _beat(lock: Path, done: threading.Event) -> None:
    while not done.wait(BEAT):
        with suppress(OSError):
            os.utime(lock)


def _let_go(lock: Path, stream: BinaryIO) -> None:
    if sys.platform == "win32":  # a file that is open cannot be removed there
        stream.close()
        with suppress(OSError):
            lock.unlink()
        return
    # removed while it is held: whoever waits for it finds that it lost its name
    with suppress(OSError):
        lock.unlink(missing_ok=True)
    stream.close()


def _oneself() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": time.strftime("%H:%M on %d %B %Y"),
    }


def _holder(lock: Path) -> dict[str, Any]:
    """Who holds a lock: on a busy machine some time passes between taking it and writing that down."""
    until = time.monotonic() + SIGNED
    while not (who := _read(lock)) and time.monotonic() < until:
        time.sleep(0.02)
    return who


def _read(lock: Path) -> dict[str, Any]:
    try:
        who = json.loads(lock.read_bytes())
    except (OSError, ValueError):
        return {}
    return who if isinstance(who, dict) else {}


def _told(path: Path, who: dict[str, Any]) -> str:
    known = (
        f" (process {who['pid']} on '{who['host']}', since {who.get('since')})"
        if {"pid", "host"} <= who.keys()
        else ""
    )
    return f"'{path}' is being written by another run{known}; wait until it is done, or stop it."
