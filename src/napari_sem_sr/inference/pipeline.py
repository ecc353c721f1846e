"""Read, compute and write at the same time, with one slice ahead and one behind."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Notice, Progress, SliceDone
from napari_sem_sr.inference.background import watch
from napari_sem_sr.inference.engine import Engine, SliceResult
from napari_sem_sr.inference.prepared import UnusableSliceError
from napari_sem_sr.inference.settings import Stage
from napari_sem_sr.inference.tiling import Region
from napari_sem_sr.intensity import IntensityRange


class Stopwatch:
    """Seconds that each stage was busy; each stage runs in one thread."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {"read": 0.0, "compute": 0.0, "write": 0.0}
        self._begun = time.perf_counter()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the duration of the block to ``stage``."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - begun

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add seconds by stage that were measured elsewhere."""
        for stage, more in seconds.items():
            self._seconds[stage] += more

    @property
    def wall(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self._begun

    def table(self) -> tuple[Stage, ...]:
        """Seconds and share of the wall time by stage."""
        wall = self.wall
        return tuple(Stage(n, round(s, 4), round(s / wall, 4)) for n, s in self._seconds.items())


@dataclass
class Tally:
    """What a run has done so far."""

    done: int
    total: int
    computed: int = 0
    outside: int = 0
    unusable: dict[int, str] = field(default_factory=dict)


def iter_slices(
    read_slice: Callable[[int], npt.NDArray[Any]],
    dtype: np.dtype[Any],
    todo: Sequence[int],
    engine: Engine,
    intensity: IntensityRange,
    region: Region,
    write: Callable[[int, npt.NDArray[Any], npt.NDArray[Any]], None],
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, None]:
    """Upscale slices ``todo``; at most two LR and two SR slices are in memory.

    Parameters
    ----------
    read_slice
        Called as ``read_slice(index)`` in a thread of its own; gives (y, x).
    dtype
        Of LR and SR pixels.
    write
        Called as ``write(index, lr, sr)`` in a thread of its own; the slice is done when it returns.
    tally
        Kept up to date; slices that cannot be read or are all NaN go to ``unusable`` with the reason.
    """

    def read(z: int) -> npt.NDArray[Any]:
        with clock.timed("read"):
            return read_slice(z)

    def put(z: int, lr: npt.NDArray[Any], sr: npt.NDArray[Any], begun: float) -> float:
        with clock.timed("write"):
            write(z, lr, sr)
        return time.perf_counter() - begun

    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        ahead = reader.submit(read, todo[0]) if todo else None
        behind: _Writing | None = None
        for position, z in enumerate(todo):
            assert ahead is not None
            begun = time.perf_counter()
            waiting = Progress(f"reading slice {z}", tally.done, tally.total, "slices")
            try:
                lr = yield from watch(ahead, waiting)
            except Exception as error:
                tally.unusable[z] = f"cannot be read ({error or type(error).__name__})"
                lr = None
            following = todo[position + 1 : position + 2]
            ahead = reader.submit(read, following[0]) if following else None
            if lr is None:
                yield Notice(f"Slice {z} {tally.unusable[z]}; going on with the others.")
                continue
            work = engine.iter_slice(lr, intensity, dtype, region, z)
            try:
                result = yield from _computing(work, behind, tally, clock)
            except UnusableSliceError as error:
                tally.unusable[z] = "is all NaN"
                yield Notice(str(error))
                continue
            if behind is not None:
                yield from behind.settled(tally)
            tally.outside += result.outside
            behind = _Writing(z, writer.submit(put, z, lr, result.image, begun))
            del lr, result
        if behind is not None:
            yield from behind.settled(tally)


class _Writing:
    """A slice on its way to the disk."""

    def __init__(self, index: int, future: "Future[float]") -> None:
        self._index = index
        self._future = future
        self._told = False

    def settled(self, tally: Tally) -> Generator[Event, None, None]:
        """Wait until the slice is on disk and say so, once."""
        if self._told:
            return
        waiting = Progress(f"writing slice {self._index}", tally.done, tally.total, "slices")
        seconds = yield from watch(self._future, waiting)
        self._told = True
        tally.done += 1
        tally.computed += 1
        yield SliceDone(self._index, tally.done, tally.total, seconds)

    @property
    def is_done(self) -> bool:
        """Whether the slice is on disk, or could not be put there."""
        return self._future.done()


def _computing(
    work: Generator[Event, None, SliceResult],
    behind: _Writing | None,
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, SliceResult]:
    """Pass ``work`` on, and say in between that the slice before it is on disk."""
    while True:
        # only the time inside counts, not that of whoever takes the events
        with clock.timed("compute"):
            try:
                event = next(work)
            except StopIteration as stop:
                result: SliceResult = stop.value
                return result
        yield event
        if behind is not None and behind.is_done:
            yield from behind.settled(tally)
