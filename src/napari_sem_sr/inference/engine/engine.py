"""Upscale one slice on any device, in tiles that leave no trace."""

import time
from collections import deque
from collections.abc import Generator as Gen
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.errors import InputError, ModelError
from napari_sem_sr.events import Event, Notice, Progress, TileDone, drain
from napari_sem_sr.inference.engine.beating import beating
from napari_sem_sr.inference.engine.device_transfer import AHEAD, Arrived, DeviceTransfer, to_device
from napari_sem_sr.inference.engine.devices import (
    PRECISIONS,
    check_precision,
    fast_precisions,
    is_out_of_memory,
    pick_device,
    release_memory,
)
from napari_sem_sr.inference.engine.graph import InferenceGraph
from napari_sem_sr.inference.engine.prepared import PreparedSlice, prepare_slice
from napari_sem_sr.inference.engine.sink import Sink, SliceResult, Whole
from napari_sem_sr.inference.engine.tile_calibration import remembered_tile
from napari_sem_sr.inference.engine.tiling import Region, Tile, layout
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.model.generator import Generator

# The halo makes smaller tiles mostly waste; who has no memory for this has none for the program.
MIN_TILE = 16
DEFAULT_TILE = {"cpu": 512, "mps": 384, "cuda": 1024}
# Most slices that are computed at once where they are small: a GPU has more arithmetic than one fills. No more than
# there are in a block of a cluster, so that it computes the same batches.
TOGETHER = {"cpu": 1, "mps": 1, "cuda": 4}
# Of the intensity range: one grey level of an 8-bit image.
TOLERANCE = 1 / 255
# Share of pixels that a reduced precision has to keep within it: a few beside hard edges always stand out.
WITHIN = 0.999


class Engine:
    """A generator ready to upscale slices on one device.

    Parameters
    ----------
    network
        The generator; it is copied, not changed.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    precision
        ``fp32``, ``bf16``, ``fp16``, or ``auto``: the fastest that the device has in hardware and that
        leaves 99.9 % of the pixels of a test tile within 1/255 of fp32. The largest deviation there,
        whatever was chosen, is ``deviation``.
    tile
        Width of a tile in LR pixels without its halo; None for what was found fastest here (see
        `tile_calibration`), or else one that suits the kind of device. It shrinks when memory runs out.

    Raises
    ------
    InputError
        If device, precision or tile cannot be used.
    """

    def __init__(
        self,
        network: Generator,
        *,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
    ) -> None:
        check_precision(precision)
        if tile is not None and tile < MIN_TILE:
            raise InputError(f"A tile of {tile} px is too small; give at least {MIN_TILE}.")
        self.factor = network.factor
        self.reach = network.reach
        self.device = pick_device(device)
        self.network_size = sum(p.numel() for p in network.parameters())
        self._graph, self.precision, self.deviation = self._choose_precision(network, precision)
        self.tile = tile or remembered_tile(self) or DEFAULT_TILE[self.device.type]

    def _choose_precision(
        self, network: Generator, precision: str
    ) -> tuple[InferenceGraph, str, float]:
        exact = InferenceGraph(network, self.device, torch.float32)
        wanted = fast_precisions(self.device) if precision == "auto" else (precision,)
        for name in wanted:
            if name == "fp32":
                break
            graph = InferenceGraph(network, self.device, PRECISIONS[name])
            deviations = self._deviations(graph, exact, name)
            if precision != "auto" or np.quantile(deviations, WITHIN) <= TOLERANCE:
                return graph, name, float(deviations.max())
        return exact, "fp32", 0.0

    def _deviations(
        self, graph: InferenceGraph, exact: InferenceGraph, name: str
    ) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng(0)
        yy, xx = np.mgrid[:64, :64]
        # discs with hard edges, a ramp and noise, on the scale of every stack, a few pixels past its ends
        scene = (np.hypot(yy % 32 - 16, xx % 32 - 16) < 9) + xx / 64
        scene = scene + 0.1 * rng.standard_normal(scene.shape)
        probe = range_of(scene).normalise(scene)
        try:
            reduced, full = (
                drain(self._iter_run(probe[None], g, Progress("probing", 0, 1, "tiles")))
                .cpu()
                .numpy()
                for g in (graph, exact)
            )
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise InputError(
                f"This machine cannot compute in {name} ({error}); use precision auto or fp32."
            ) from error
        off: npt.NDArray[np.float32] = np.abs(reduced - full)
        off[np.isnan(off)] = np.inf
        return off

    def iter_slice(
        self,
        lr: npt.NDArray[Any],
        intensity: IntensityRange,
        dtype: np.dtype[Any],
        region: Region | None = None,
        index: int = 0,
    ) -> Gen[Event, None, SliceResult]:
        """Upscale one slice tile by tile.

        Parameters
        ----------
        lr
            ``(y, x)`` grey values, any real dtype. NaN (and infinite) pixels are masked out: the network sees
            the nearest valid values there, the result is NaN.
        intensity
            Range of the stack, so that all slices are treated alike.
        dtype
            Dtype of the result, that of the LR stack.
        region
            ((y0, y1), (x0, x1)) in LR pixels: compute only this part, with the same pixels as in a full run.
        index
            Number of the slice, for events and errors.

        Yields
        ------
        `TileDone` after every tile, `Notice` where memory ran out and smaller tiles are used from then on (the
        slice is begun again, so no pixel of the failed attempt is kept).

        Returns
        -------
        The part of the SR slice that ``region`` covers.

        Raises
        ------
        InputError
            If the slice is all NaN (`UnusableSliceError`), ``region`` lies outside of it, or memory does not suffice for the smallest tile.
        ModelError
            If the network gives numbers that are not finite.
        """
        prepared = prepare_slice(lr, intensity, index)
        (result,) = yield from self.iter_prepared([prepared], dtype, region)
        return result

    def together(self, region: Region) -> int:
        """How many slices are computed at once, of which ``region`` is asked: as many as fill a tile."""
        (top, bottom), (left, right) = region
        fitting = self.tile**2 // ((bottom - top) * (right - left))
        return max(1, min(fitting, TOGETHER[self.device.type]))

    def iter_prepared(
        self,
        prepared: Sequence[PreparedSlice],
        dtype: np.dtype[Any],
        region: Region | None = None,
    ) -> Gen[Event, None, list[SliceResult]]:
        """Do what `iter_slice` does, for slices of one shape; as many at once as `together` says.

        Parameters
        ----------
        prepared
            Slices of one shape.
        dtype, region
            As for `iter_slice`.
        """
        height, width = prepared[0].shape
        (top, bottom), (left, right) = region or ((0, height), (0, width))
        whole = Whole((self.factor * (bottom - top), self.factor * (right - left)), dtype)
        yield from self.iter_rows(prepared, dtype, whole, region)
        return whole.results

    def iter_rows(
        self,
        prepared: Sequence[PreparedSlice],
        dtype: np.dtype[Any],
        sink: Sink,
        region: Region | None = None,
    ) -> Gen[Event, None, None]:
        """Do what `iter_prepared` does, and hand each row of tiles to ``sink`` as soon as it is computed.

        Beside LR, memory for one row of tiles is needed.

        Parameters
        ----------
        prepared, dtype, region
            As for `iter_prepared`.
        sink
            Takes the rows.
        """
        height, width = prepared[0].shape
        region = region or ((0, height), (0, width))
        for (start, stop), size in zip(region, (height, width), strict=True):
            if not 0 <= start < stop <= size:
                raise InputError(
                    f"Region {region} does not lie in a slice of {height} x {width} pixels."
                )
        done = 0
        while done < len(prepared):
            batch = prepared[done:][: self.together(region)]
            index = batch[0].index
            tiles = layout((height, width), region, self.tile, self.reach)
            failure = None
            try:
                yield from self._attempt(batch, dtype, region, tiles, sink)
                done += len(batch)
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                failure = str(error)
            # here, where the exception and with it the failed tile's tensors are gone
            release_memory(self.device)
            if self.tile <= MIN_TILE:
                raise InputError(
                    f"There is not enough memory for slice {index} even in tiles of {self.tile} px ({failure}); "
                    "close other programs, choose a region, or use another device."
                )
            widest = self.tile
            if len(batch) == 1:
                widest = min(widest, max(b - a for tile in tiles for a, b in tile.core))
            self.tile = max(MIN_TILE, widest // 2)
            last = batch[-1].index
            named = (
                f"slice {index}; it is" if last == index else f"slices {index} to {last}; they are"
            )
            yield Notice(f"Memory ran out in {named} done again in tiles of {self.tile} px.")

    def upscale_slice(
        self,
        lr: npt.NDArray[Any],
        intensity: IntensityRange,
        dtype: np.dtype[Any],
        region: Region | None = None,
        index: int = 0,
    ) -> SliceResult:
        """Upscale one slice; see `iter_slice`.

        Parameters
        ----------
        lr, intensity, dtype, region, index
            As for `iter_slice`; ``lr`` is (y, x).
        """
        return drain(self.iter_slice(lr, intensity, dtype, region, index))

    def seconds_for(self, tile: int) -> float:
        """Seconds that one tile of ``tile`` LR pixels takes with a halo on all sides."""
        width = tile + 2 * self.reach
        window = np.full((1, width, width), 0.5, np.float32)
        begun = time.perf_counter()
        drain(self._iter_run(window, self._graph, Progress("measuring", 0, 1, "tiles"))).cpu()
        return time.perf_counter() - begun

    def _attempt(
        self,
        batch: Sequence[PreparedSlice],
        dtype: np.dtype[Any],
        region: Region,
        tiles: tuple[Tile, ...],
        sink: Sink,
    ) -> Gen[Event, None, None]:
        index, intensity = batch[0].index, batch[0].intensity
        f = self.factor
        _, (left, right) = region
        bands: list[SliceResult] = []
        done = 0
        coming: deque[tuple[Tile, DeviceTransfer]] = deque()
        last = len(tiles) - 1
        yield from sink.iter_begin(len(batch))
        for number, tile in enumerate(tiles):
            (wy, wx), (cy, cx) = tile.window, tile.core
            computing = Progress(f"computing slice {index}", done, len(tiles), "tiles")
            windows = np.stack([p.window(wy, wx) for p in batch])
            sr = yield from self._iter_run(windows, self._graph, computing)
            y, x = (slice(f * (c[0] - w[0]), f * (c[1] - w[0])) for c, w in ((cy, wy), (cx, wx)))
            coming.append((tile, DeviceTransfer(sr[:, y, x], intensity, dtype)))
            while len(coming) > (0 if number == last else AHEAD[self.device.type]):
                arrived, fetch = coming.popleft()
                (y0, y1), (x0, x1) = arrived.core
                found = yield from beating(fetch.iter_arrive(), computing)
                if x0 == left:
                    shape = (f * (y1 - y0), f * (right - left))
                    bands = [SliceResult(np.empty(shape, dtype), 0) for _ in batch]
                done += 1
                for place, (prepared, pixels) in enumerate(zip(batch, found, strict=True)):
                    grey, lost = self._settled(pixels, prepared, arrived)
                    bands[place].image[:, f * (x0 - left) : f * (x1 - left)] = grey
                    bands[place] = replace(bands[place], outside=bands[place].outside + lost)
                    yield TileDone(prepared.index, done, len(tiles))
                if x1 == right:
                    yield from sink.iter_take(bands)
                    bands = []
        yield from sink.iter_end()

    def _settled(self, arrived: Arrived | None, prepared: PreparedSlice, tile: Tile) -> Arrived:
        """Pixels of a tile, those without data NaN again, and how many the dtype could not hold."""
        if arrived is None:
            raise ModelError(
                f"The network gives numbers that are not finite in slice {prepared.index} at precision "
                f"{self.precision}; use precision fp32 or another model."
            )
        pixels, lost = arrived
        if prepared.valid is not None:
            (y0, y1), (x0, x1) = tile.core
            known = prepared.valid[y0:y1, x0:x1]
            pixels[~known.repeat(self.factor, axis=0).repeat(self.factor, axis=1)] = np.nan
        return pixels, lost

    def _iter_run(
        self, windows: npt.NDArray[np.float32], graph: InferenceGraph, computing: Progress
    ) -> Gen[Event, None, Tensor]:
        """Run the graph on (n, y, x), saying ``computing`` where it takes long; (n, y, x) on the device."""
        with torch.inference_mode():
            x = to_device(windows, self.device)
        sr = yield from beating(graph.iter_forward(x[:, None]), computing)
        return sr[:, 0]
