"""Work in a process of its own in which a call of the system fails, or which dies at it."""

import errno
import itertools
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.io import atomic_write

# By kind: the functions whose calls are counted. What is written fails by its amount instead, see `Fault`.
CALLS: dict[str, tuple[tuple[Any, str], ...]] = {
    "fsync": ((os, "fsync"),),
    "rename": ((os, "rename"), (os, "replace"), (atomic_write, "exchange")),
    "mkdir": ((os, "mkdir"),),
    "unlink": ((os, "unlink"), (os, "rmdir")),
}
KILLED, TOLD, WRONG = 97, 98, 99


@dataclass(frozen=True)
class Fault:
    """What goes wrong: call ``at`` of a kind fails or, with ``kill``, is the process's last.

    Of kind "write", no file may grow beyond ``at`` bytes: the system refuses what is beyond, or kills.
    """

    kind: str
    at: int
    kill: bool


@dataclass(frozen=True)
class Outcome:
    """How a process ended: "done", "told" (one of our own errors), "killed", or "wrong"; and what it said."""

    end: str
    said: str


class Child:
    """A process that does ``work`` and says how it went."""

    def __init__(self, work: Callable[[], str | None], fault: Fault | None = None) -> None:
        self._read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        code = WRONG
        try:
            if fault is not None:
                break_it(fault)
            said = work() or ""
            code = 0
        except SemSrError as error:
            said, code = str(error), TOLD
        except BaseException as error:
            said = repr(error)
        os.write(write, said.encode()[:4000])
        os._exit(code)

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def outcome(self) -> Outcome:
        """Wait for its end."""
        said = b""
        while block := os.read(self._read, 4096):
            said += block
        os.close(self._read)
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            died = os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGXFSZ)
            return Outcome("killed" if died else "wrong", f"signal {os.WTERMSIG(status)}")
        ends = {0: "done", KILLED: "killed", TOLD: "told"}
        text = said.decode(errors="replace")
        end = ends.get(os.WEXITSTATUS(status), "wrong")
        return Outcome("wrong" if end == "told" and "\n" in text else end, text)


def break_it(fault: Fault) -> None:
    """Let the fault happen in this process."""
    if fault.kind == "write":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if fault.kill else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.at, resource.RLIM_INFINITY))
        return

    def fail(number: int) -> None:
        if number == fault.at:
            if fault.kill:
                os._exit(KILLED)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    _before_each_call(fault.kind, fail)


def _before_each_call(kind: str, hook: Callable[[int], None]) -> None:
    """Have ``hook`` called with 0, 1, ... before each call of a kind."""
    numbers = itertools.count()

    def hooked(intact: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            hook(next(numbers))
            return intact(*args, **kwargs)

        return call

    for module, name in CALLS[kind]:
        setattr(module, name, hooked(getattr(module, name)))


def count_calls(work: Callable[[], object], kind: str) -> int:
    """Calls of a kind that ``work`` makes."""

    def counted() -> str:
        seen: list[int] = []
        _before_each_call(kind, seen.append)
        work()
        return str(len(seen))

    outcome = Child(counted).outcome()
    if outcome.end != "done":
        raise RuntimeError(outcome.said)
    return int(outcome.said)
