"""Read, compute and write at the same time, with one batch of slices ahead and one behind."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import MemoryShortError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone
from napari_sem_sr.inference.background import watch
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.prepared import PreparedSlice, UnusableSliceError, prepare_slice
from napari_sem_sr.inference.engine.rows import AbandonedError, RowStream
from napari_sem_sr.inference.engine.sink import SliceResult
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.settings import Stage
from napari_sem_sr.intensity import IntensityRange

# Why a slice that is sound was not upscaled.
LACKS_MEMORY = "needs more memory than there is"
# Bytes of LR up to which the next batch is read while one is computed; reading more than that takes no time beside computing.
READ_AHEAD = 256 << 20


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
    write: Callable[[int, npt.NDArray[Any], Iterable[npt.NDArray[Any]]], None],
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, None]:
    """Upscale slices ``todo``; at most three batches of LR slices and two rows of tiles of SR are in memory.

    A batch is one slice, or, where they are small and the device is not, as many as it computes at once. Of slices that are
    large, no more than two are in memory even of LR.

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
        Called as ``write(index, lr, rows)`` in other threads, one for each slice of a batch, with rows of SR from the top
        down as they are computed; the slice is done when it returns.
    tally
        Kept up to date; slices that cannot be read or are all NaN go to ``unusable`` with the reason.
    clock
        Seconds by stage are added to it.
    """

    def read(slices: Sequence[int]) -> list[_Read]:
        with clock.timed("read"):
            return [_read(read_slice, z) for z in slices]

    def put(z: int, lr: npt.NDArray[Any], rows: RowStream, begun: float, sharing: int) -> float:
        try:
            with clock.timed("write"):
                write(z, lr, rows)
        finally:
            rows.leave()
            clock.add({"write": -rows.waited})
        return (time.perf_counter() - begun) / sharing

    size = min(engine.together(region), total)
    batches = [todo[start : start + size] for start in range(0, len(todo), size)]
    ahead: Future[list[_Read]] | None = None
    behind: list[_Writing] = []
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(2 * size) as writers:
        for following, slices in enumerate(batches, 1):
            begun = time.perf_counter()
            waiting = Progress(f"reading slice {slices[0]}", tally.done, tally.total, "slices")
            arrived = yield from watch(ahead or reader.submit(read, slices), waiting)
            small = sum(r.lr.nbytes for r in arrived if r.lr is not None) <= READ_AHEAD
            further = following < len(batches) and small
            ahead = reader.submit(read, batches[following]) if further else None
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

            def started(
                place: int,
                usable: list[tuple[npt.NDArray[Any], PreparedSlice]] = usable,
                begun: float = begun,
            ) -> _Writing:
                lr, prepared = usable[place]
                rows, z = RowStream(), prepared.index
                return _Writing(z, rows, writers.submit(put, z, lr, rows, begun, len(usable)))

            with closing(_Handing(len(usable), started, behind, tally)) as sink:
                yield from _computing(engine.iter_rows(batch, dtype, sink), behind, tally, clock)
            del arrived, usable, batch, started, sink
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

    def __init__(self, index: int, rows: RowStream, future: "Future[float]") -> None:
        self.index = index
        self.rows = rows
        self.outside = 0
        self._future = future
        self._told = False

    def settled(self, tally: Tally) -> Generator[Event, None, None]:
        """Wait until the slice is on disk and say so, once."""
        if self._told:
            return
        seconds = yield from watch(self._future, self.progress(tally))
        self._told = True
        tally.done += 1
        tally.computed += 1
        yield SliceDone(self.index, tally.done, tally.total, seconds)

    def abandoned(self, tally: Tally) -> Generator[Event, None, None]:
        """Wait until what was written of the slice is gone."""
        self.rows.abandon()
        with suppress(AbandonedError):
            yield from watch(self._future, self.progress(tally))

    def progress(self, tally: Tally) -> Progress:
        """What to say while it is waited for."""
        return Progress(f"writing slice {self.index}", tally.done, tally.total, "slices")

    @property
    def is_done(self) -> bool:
        """Whether the slice is on disk, or could not be put there."""
        return self._future.done()


class _Handing:
    """Hands rows of a batch of slices to their writers; a `Sink`.

    Parameters
    ----------
    count
        Slices of the batch that are written; what fills it up comes after them.
    start
        Starts the writer of one of them.
    behind
        Slices of the batch before, which have to be on disk before another is written; then those of this one.
    """

    def __init__(
        self, count: int, start: Callable[[int], _Writing], behind: list[_Writing], tally: Tally
    ) -> None:
        self._count, self._start = count, start
        self._behind, self._tally = behind, tally
        self._done = 0
        self._places = range(0)
        self._open: list[_Writing] | None = None

    def iter_begin(self, count: int) -> Generator[Event, None, None]:
        """Expect the next slices; writers of an attempt that failed stop."""
        for writing in self._open or ():
            yield from writing.abandoned(self._tally)
        self._open = None
        self._places = range(self._done, self._done + count)

    def iter_take(self, bands: Sequence[SliceResult]) -> Generator[Event, None, None]:
        """Give rows to the writers, each of which is done with those before."""
        if self._open is None:
            for writing in self._behind if self._done == 0 else ():
                yield from writing.settled(self._tally)
            if self._done == 0:
                self._behind.clear()
            self._open = [self._start(place) for place in self._places if place < self._count]
        for writing, band in zip(self._open, bands, strict=False):
            writing.outside += band.outside
            taken = yield from writing.rows.iter_put(band.image, writing.progress(self._tally))
            if not taken:
                # it failed, and says why
                yield from writing.settled(self._tally)

    def iter_end(self) -> Generator[Event, None, None]:
        """Let the writers finish."""
        for writing in self._open or ():
            writing.rows.end()
            self._tally.outside += writing.outside
            self._behind.append(writing)
        self._open = None
        self._done = self._places.stop
        yield from ()

    def close(self) -> None:
        """Stop writers of slices that are not whole."""
        for writing in self._open or ():
            writing.rows.abandon()


def _computing(
    work: Generator[Event, None, None],
    behind: Sequence[_Writing],
    tally: Tally,
    clock: Stopwatch,
) -> Generator[Event, None, None]:
    """Pass ``work`` on, and say in between that slices before it are on disk."""
    with closing(work):
        while True:
            # only the time inside counts, not that of whoever takes the events
            with clock.timed("compute"):
                try:
                    event = next(work)
                except StopIteration:
                    return
            yield event
            for writing in tuple(behind):
                if writing.is_done:
                    yield from writing.settled(tally)
