"""Upscale what is on screen while someone looks: centre first, nothing twice, nothing in vain."""

from collections import OrderedDict
from collections.abc import Generator, Hashable
from dataclasses import dataclass
from itertools import count, groupby, pairwise
from operator import itemgetter
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.conditions import settle_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.prepared import PreparedSlice, prepare_slice
from napari_sem_sr.inference.engine.tiling import Interval, Region
from napari_sem_sr.inference.plan import choose_here
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# LR pixels along a side of what is kept: small, as a pan uncovers narrow strips.
CELL = 16
# Most cells along a side of what is computed at once: large, as every piece pays for its halo, but
# not so large that the centre of the screen has to wait.
BLOCK = 12
CACHE_BYTES = 1 << 28
# Slices kept as the network sees them, for scrubbing to and fro.
PREPARED_SLICES = 3
DEFAULTS = UpscaleSettings()


@dataclass(frozen=True, eq=False)
class LiveTile(Event):
    """A piece of SR that can be shown.

    Parameters
    ----------
    slice
        Index in the LR stack.
    region
        ((y0, y1), (x0, x1)) in LR pixels.
    image
        The SR pixels of ``region``, f x f for each, in the stack's dtype.
    done, total
        Pieces of this request that have been shown, of how many.
    """

    slice: int
    region: Region
    image: npt.NDArray[Any]
    done: int
    total: int


class Recent(Generic[K, V]):
    """A mapping of bounded weight that forgets what was not used for longest; safe between threads.

    Parameters
    ----------
    capacity
        Most weight that it holds.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()
        self.weight = 0

    def get(self, key: K) -> V | None:
        """What is kept under ``key``, which counts as used."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep ``value``, and forget what is too much.

        Parameters
        ----------
        key
            What ``value`` is found by.
        weight
            Of ``value``, in the unit of the capacity.
        """
        with self._lock:
            if key in self._kept:
                self.weight -= self._kept.pop(key)[1]
            self._kept[key] = (value, weight)
            self.weight += weight
            while self.weight > self._capacity:
                _, (_, lost) = self._kept.popitem(last=False)
                self.weight -= lost


class LiveView:
    """Upscales visible regions of one stack with one model; same engine and pixels as the full run.

    Parameters
    ----------
    stack
        The LR stack.
    model
        The trained model.
    settings
        Device, precision, noise and blur; sharpness is the default of requests. Slices and region are not used.
    cache_bytes
        Most SR pixels kept, in bytes.

    Notes
    -----
    Requests may be made from one thread and run in others. The generator of a request is run by whoever
    wants its tiles; as soon as the next request is made, or `cancel` called, it ends at its next step.
    """

    def __init__(
        self,
        stack: SemStack,
        model: Model,
        settings: UpscaleSettings = DEFAULTS,
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.stack = stack
        self.factor = model.card.factor
        self._model = model
        self._settings = settings
        self._cells: Recent[tuple[float, int, int, int], npt.NDArray[Any]] = Recent(cache_bytes)
        self._prepared: Recent[int, PreparedSlice] = Recent(PREPARED_SLICES)
        self._engines: Recent[float, Engine] = Recent(1)
        self._intensity: IntensityRange | None = None
        self._adapted: Model | None = None
        self._precision: str | None = None
        self._tickets = count(1)
        self._current = 0

    @property
    def cached_bytes(self) -> int:
        """Bytes of SR pixels kept at the moment."""
        return self._cells.weight

    def request(
        self, index: int, region: Region, sharpness: float | None = None
    ) -> Generator[Event, None, bool]:
        """Ask for the SR of what is visible; earlier requests are dropped.

        Parameters
        ----------
        index
            Slice of the LR stack.
        region
            Visible ((y0, y1), (x0, x1)) in LR pixels; what lies outside the slice is left out.
        sharpness
            Between the twin (0) and the GAN (1); None for that of the settings.

        Returns
        -------
        A generator that yields `LiveTile`, cached pieces and those nearest to the centre first, and at least every
        200 ms some event. Its return value says whether it ran to its end (False: dropped).
        """
        self._current = ticket = next(self._tickets)
        if sharpness is None:
            sharpness = self._settings.sharpness
        return self._iter_request(ticket, index, region, sharpness)

    def cancel(self) -> None:
        """Drop what is being computed."""
        self._current = next(self._tickets)

    def _iter_request(
        self, ticket: int, index: int, region: Region, asked: float | None
    ) -> Generator[Event, None, bool]:
        if self._adapted is None:
            yield Progress("measuring noise and blur", 0, 1, "step")
            found = settle_conditions(self.stack, self._model, self._settings, self._range())
            self._adapted = self._model.under(found.conditions)
        sharpness = self._adapted.default_sharpness if asked is None else asked
        shape = (self.stack.shape[1], self.stack.shape[2])
        centre = (sum(region[0]) / 2 / CELL, sum(region[1]) / 2 / CELL)
        cells = {c: self._cells.get((sharpness, index, *c)) for c in _visible(region, shape)}
        known = _rectangles([c for c, image in cells.items() if image is not None])
        missing = [
            block
            for part in _rectangles([c for c, image in cells.items() if image is None])
            for block in _blocks(part)
        ]
        missing.sort(key=lambda block: _distance(block, centre))
        total = len(known) + len(missing)
        for shown, block in enumerate(known, start=1):
            if ticket != self._current:
                return False
            image = np.block([[cells[y, x] for x in range(*block[1])] for y in range(*block[0])])
            yield LiveTile(index, self._extent(block), image, shown, total)
        if not missing:
            return True
        engine, prepared = self._engine(sharpness), self._slice(index)
        for shown, block in enumerate(missing, start=len(known) + 1):
            extent = self._extent(block)
            work = engine.iter_prepared([prepared], self.stack.dtype, extent)
            while True:
                if ticket != self._current:
                    return False
                try:
                    event = next(work)
                except StopIteration as stop:
                    image = stop.value[0].image
                    break
                yield event
            self._keep(sharpness, index, block, image)
            yield LiveTile(index, extent, image, shown, total)
        return True

    def _range(self) -> IntensityRange:
        self._intensity = self._intensity or stack_range(self.stack)
        return self._intensity

    def _engine(self, sharpness: float) -> Engine:
        engine = self._engines.get(sharpness)
        if engine is None:
            assert self._adapted is not None
            if self._precision is None:
                # as the full run does, whatever the sharpness
                self._precision = choose_here(self._model, self._settings, 0).precision
            engine = Engine(
                self._adapted.blended(sharpness),
                device=self._settings.device,
                precision=self._precision,
            )
            self._engines.put(sharpness, engine, 1)
        return engine

    def _slice(self, index: int) -> PreparedSlice:
        prepared = self._prepared.get(index)
        if prepared is None:
            prepared = prepare_slice(self.stack.slice(index), self._range(), index)
            self._prepared.put(index, prepared, 1)
        return prepared

    def _extent(self, block: Region) -> Region:
        """LR pixels of a block of cells."""
        (y0, y1), (x0, x1) = block
        _, height, width = self.stack.shape
        return (
            (y0 * CELL, min(height, y1 * CELL)),
            (x0 * CELL, min(width, x1 * CELL)),
        )

    def _keep(self, sharpness: float, index: int, block: Region, image: npt.NDArray[Any]) -> None:
        side = self.factor * CELL
        (top, _), (left, _) = block
        for y in range(*block[0]):
            for x in range(*block[1]):
                dy, dx = (y - top) * side, (x - left) * side
                # a copy, so that forgetting one cell frees its memory
                cell = image[dy : dy + side, dx : dx + side].copy()
                self._cells.put((sharpness, index, y, x), cell, cell.nbytes)


def _visible(region: Region, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Cells of which some part lies in ``region`` and in the slice, row by row."""
    rows, columns = (
        range(max(0, start) // CELL, -(-min(size, stop) // CELL))
        if max(0, start) < min(size, stop)
        else range(0)
        for (start, stop), size in zip(region, shape, strict=True)
    )
    return [(y, x) for y in rows for x in columns]


def _rectangles(cells: list[tuple[int, int]]) -> list[Region]:
    """Few rectangles that hold exactly these cells, given row by row."""
    open_: dict[Interval, int] = {}
    done: list[Region] = []
    rows = {y: [x for _, x in row] for y, row in groupby(cells, key=itemgetter(0))}
    for y in range(min(rows, default=0), max(rows, default=-1) + 2):
        runs = _runs(rows.get(y, []))
        for run in [r for r in open_ if r not in runs]:
            done.append(((open_.pop(run), y), run))
        for run in runs:
            open_.setdefault(run, y)
    return done


def _runs(numbers: list[int]) -> list[Interval]:
    """Intervals of consecutive numbers."""
    starts = [n for n in numbers if n - 1 not in numbers]
    ends = [n + 1 for n in numbers if n + 1 not in numbers]
    return list(zip(starts, ends, strict=True))


def _blocks(rectangle: Region) -> list[Region]:
    """Blocks of at most `BLOCK` cells along a side that make up a rectangle."""
    rows, columns = (_parts(bounds) for bounds in rectangle)
    return [(row, column) for row in rows for column in columns]


def _parts(bounds: Interval) -> list[Interval]:
    first, end = bounds
    number = -(-(end - first) // BLOCK)
    return list(pairwise(first + i * (end - first) // number for i in range(number + 1)))


def _distance(block: Region, centre: tuple[float, float]) -> float:
    (y0, y1), (x0, x1) = block
    return ((y0 + y1) / 2 - centre[0]) ** 2 + ((x0 + x1) / 2 - centre[1]) ** 2
