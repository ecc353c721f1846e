"""Waiting for work that reports nothing itself; needs no torch."""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from napari_sem_sr.events import Event, Progress

T = TypeVar("T")
# Longest time in seconds between two events while something else works.
BEAT = 0.15


def watch(future: "Future[T]", progress: Progress) -> Generator[Event, None, T]:
    """Wait for ``future``, saying ``progress`` at every beat."""
    while not wait((future,), timeout=BEAT).done:
        yield progress
    return future.result()


def in_background(work: Callable[[], T], what: str) -> Generator[Event, None, T]:
    """Do something that reports nothing itself in a thread, with an event at every beat.

    Parameters
    ----------
    work
        Called once, without arguments; what it raises is raised here.
    what
        Name of the step, for a person.
    """
    with ThreadPoolExecutor(1) as pool:
        return (yield from watch(pool.submit(work), Progress(what, 0, 1, "step")))
