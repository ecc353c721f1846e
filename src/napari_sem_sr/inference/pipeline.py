"""Read, compute and write at the same time, with one batch of slices ahead and one behind."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import MemoryShortError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone
from napari_sem_sr.inference.background import watch
from napari_sem_sr.inference.engine.engine import Engine, SliceResult
from napari_sem_sr.inference.engine.prepared import PreparedSlice, UnusableSliceError, prepare_slice
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.settings import Stage
from napari_sem_sr.intensity import IntensityRange

# Why a slice that is sound was not upscaled.
LACKS_MEMORY = "needs more memory than there is"


class Stopwatch:
    """Seconds of work of each stage."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {"read": 0.0, "compute": 0.0, "write": 0.0}
        self._begun = time.perf_counter()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the duration of the block to ``stage``."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add({stage: time.perf_counter() - begun})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add seconds by stage that were measured elsewhere.

        Parameters
        ----------
        seconds
            By stage.
        """
        with self._lock:
            for stage, more in seconds.items():
                self._seconds[stage] = self._seconds.get(stage, 0.0) + more

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage."""
        with self._lock:
            return dict(self._seconds)

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
    """What a run has done so far.

    Parameters
    ----------
    done
        Slices on disk.
    total
        Slices of the output.
    computed
        Slices that this run computed.
    outside
        Pixels beyond what the dtype can hold.
    unusable
        Why slices could not be used, by number.
    """

    done: int
    total: int
    computed: int = 0
    outside: int = 0
    unusable: dict[int, str] = field(default_factory=dict)


def iter_slices(
    read_slice: Callable[[int], npt.NDArray[Any]],
    dtype: np.dtype[Any],
    todo: Sequence[int],
    total: int,
    engine: Engine,
    intensity: IntensityRange,
    region: Region,
    write: Callable[[int, npt.NDArray[Any], npt.NDArray[Any]], None],
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, None]:
    """Upscale slices ``todo``; at most three batches of LR and two of SR slices are in memory.

    A batch is one slice, or, where they are small and the device is not, as many as it computes at once.

    Parameters
    ----------
    read_slice
        Gives a slice ``(y, x)`` by its number.
    dtype
        Of LR and SR pixels.
    total
        Slices of the whole output, whose batches are no larger.
    engine
        Computes.
    intensity
        Range of the stack.
    region
        ((y0, y1), (x0, x1)) in LR pixels, half open.
    write
        Called as ``write(index, lr, sr)`` in other threads, one for each slice of a batch; the slice is done when it
        returns.
    tally
        Kept up to date; slices that cannot be read or are all NaN go to ``unusable`` with the reason.
    clock
        Seconds by stage are added to it.
    """

    def read(slices: Sequence[int]) -> list[_Read]:
        with clock.timed("read"):
            return [_read(read_slice, z) for z in slices]

    def put(
        z: int, lr: npt.NDArray[Any], sr: npt.NDArray[Any], begun: float, sharing: int
    ) -> float:
        with clock.timed("write"):
            write(z, lr, sr)
        return (time.perf_counter() - begun) / sharing

    size = min(engine.together(region), total)
    batches = [todo[start : start + size] for start in range(0, len(todo), size)]
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(size) as writers:
        ahead = reader.submit(read, batches[0]) if batches else None
        behind: list[_Writing] = []
        for following, slices in enumerate(batches, 1):
            assert ahead is not None
            begun = time.perf_counter()
            waiting = Progress(f"reading slice {slices[0]}", tally.done, tally.total, "slices")
            arrived = yield from watch(ahead, waiting)
            ahead = reader.submit(read, batches[following]) if following < len(batches) else None
            with clock.timed("compute"):
                usable = _prepared(arrived, intensity, region, tally)
            for z in slices:
                if z in tally.unusable:
                    yield Notice(f"Slice {z} {tally.unusable[z]}; going on with the others.")
            if not usable:
                continue
            # filled up, as another number of slices is rounded in another order
            batch = [p for _, p in usable]
            batch += batch[-1:] * (size - len(batch))
            work = engine.iter_prepared(batch, dtype)
            results = yield from _computing(work, behind, tally, clock)
            for writing in behind:
                yield from writing.settled(tally)
            behind = []
            for (lr, prepared), result in zip(usable, results, strict=False):
                tally.outside += result.outside
                z = prepared.index
                written = writers.submit(put, z, lr, result.image, begun, len(usable))
                behind.append(_Writing(z, written))
            del arrived, usable, batch, work, results, lr, prepared, result, written
        for writing in behind:
            yield from writing.settled(tally)


@dataclass(frozen=True, eq=False)
class _Read:
    """A slice as it was read, or why it was not."""

    index: int
    lr: npt.NDArray[Any] | None
    failure: str = ""


def _read(read_slice: Callable[[int], npt.NDArray[Any]], z: int) -> _Read:
    try:
        return _Read(z, read_slice(z))
    except (MemoryError, MemoryShortError):
        return _Read(z, None, LACKS_MEMORY)
    except Exception as error:  # readers of many formats fail in many ways
        return _Read(z, None, f"cannot be read ({error or type(error).__name__})")


def _prepared(
    arrived: Sequence[_Read], intensity: IntensityRange, region: Region, tally: Tally
) -> list[tuple[npt.NDArray[Any], PreparedSlice]]:
    """Slices that can be used, as read and as prepared; ``tally`` is told of the others.

    What lies outside ``region``, a databar perhaps, is no part of the picture and is not shown to the network.
    """
    (top, bottom), (left, right) = region
    usable = []
    for read in arrived:
        if read.lr is None:
            tally.unusable[read.index] = read.failure
            continue
        try:
            part = read.lr[top:bottom, left:right]
            usable.append((read.lr, prepare_slice(part, intensity, read.index)))
        except UnusableSliceError:
            tally.unusable[read.index] = "is all NaN"
        except MemoryError:
            tally.unusable[read.index] = LACKS_MEMORY
    return usable


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
    work: Generator[Event, None, list[SliceResult]],
    behind: Sequence[_Writing],
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, list[SliceResult]]:
    """Pass ``work`` on, and say in between that slices before it are on disk."""
    while True:
        # only the time inside counts, not that of whoever takes the events
        with clock.timed("compute"):
            try:
                event = next(work)
            except StopIteration as stop:
                results: list[SliceResult] = stop.value
                return results
        yield event
        for writing in behind:
            if writing.is_done:
                yield from writing.settled(tally)
