"""How fast this machine upscales, beside what a plain script would do and what the machine could do at best.

All contestants take turns in one run and their medians count, so that a machine that is busy with other
things, or slows down as it warms up, does so for all of them. A turn is two slices, and the second counts: along a
stack nobody finds memory and caches as another program left them.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.bench.stack import iter_stacks, specimen
from napari_sem_sr.inference.engine.devices import PRECISIONS
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.machine import describe_machine
from napari_sem_sr.inference.engine.tile_calibration import fastest_tile
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.generator import Generator as Network

UINT8 = IntensityRange(0.0, 255.0)
# Side of the square matrices whose product says what the machine can do.
MATRIX = {"cpu": 2048, "mps": 4096, "cuda": 8192}
SIDES = {"cpu": (256, 512), "mps": (512, 1024), "cuda": (1024, 2048, 4096)}
# A tiled loop as commonly written: overlapping tiles of this width, weighted means where they overlap.
PLAIN_TILE, PLAIN_OVERLAP = 128, 32


@dataclass(frozen=True)
class BenchSettings:
    """What is measured.

    Parameters
    ----------
    device
        As for `upscale`.
    sides
        Widths of the square slices in LR pixels; None for those that suit the device.
    rounds
        Times that every contestant has its turn.
    memory_slices
        Numbers of slices of which the peak memory is compared.
    long
        Slices of the stack along which the time per slice is compared.
    stack_side
        Width of the slices of these stacks.
    """

    device: str = "auto"
    sides: tuple[int, ...] | None = None
    rounds: int = 5
    memory_slices: tuple[int, int] = (8, 72)
    long: int = 200
    stack_side: int = 256


DEFAULTS = BenchSettings()


def iter_bench(
    model: Model, settings: BenchSettings = DEFAULTS
) -> Generator[Event, None, dict[str, Any]]:
    """Measure; events come between measurements only, so that they do not disturb them.

    Parameters
    ----------
    model
        The model that is measured.
    settings
        What is measured.

    Returns
    -------
    Plain values by name: ``machine``, ``matrix_gflops``, ``slices`` (by width), ``stack``, ``out_of_memory``;
    times in seconds, memory in MiB.
    """
    yield Progress("preparing", 0, 1, "step")
    network = model.network("gan")
    engine = Engine(network, device=settings.device)
    engine.tile = fastest_tile(engine)
    on_device = model.network("gan").to(engine.device)
    sides = settings.sides or SIDES[engine.device.type]
    document: dict[str, Any] = {
        "machine": describe_machine(engine.device),
        "model": model.card.name,
        "weights": engine.network_size,
        "precision": engine.precision,
        "deviation_from_fp32": engine.deviation,
        "tile": engine.tile,
        "rounds": settings.rounds,
        "slices": {},
    }
    rates: list[float] = []
    for side in sides:
        lr = specimen(side)
        contestants: dict[str, Callable[[], Any]] = {
            "engine": lambda lr=lr: engine.upscale_slice(lr, UINT8, lr.dtype),  # type: ignore[misc]
            "eager fp32, whole image": lambda lr=lr: plain(on_device, lr),  # type: ignore[misc]
            "eager fp32, averaged tiles": lambda lr=lr: plain_tiled(on_device, lr),  # type: ignore[misc]
        }
        seconds, more = yield from _iter_rounds(contestants, engine, settings.rounds, side)
        rates += more
        document["slices"][str(side)] = {
            "seconds": seconds,
            "gflops_per_slice": round(operations(network, side) / 1e9, 2),
            "tiled_against_untiled": _tiling_difference(network, engine, lr),
        }
    document["matrix_gflops"] = round(median(rates), 1)
    for side in sides:
        _rate(document["slices"][str(side)], document["matrix_gflops"])
    document["out_of_memory"] = _recovery(engine, specimen(sides[-1]))
    yield Progress("memory and time along a stack", 0, 1, "step")
    document["stack"] = yield from iter_stacks(
        model, settings.memory_slices, settings.long, settings.stack_side, settings.device
    )
    return document


def plain(network: Network, lr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a script of a few lines does: the whole image through the network as it is.

    Parameters
    ----------
    network
        fp32, in eval mode, on the CPU.
    lr
        ``(y, x)``.
    """
    device = next(network.parameters()).device
    with torch.inference_mode():
        x = torch.from_numpy(lr).to(device).float().div_(255)[None, None]
        return _to_uint8(network(x)[0, 0])


def plain_tiled(network: Network, lr: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What scripts do for large images: overlapping tiles, averaged with weights that fall to their edges.

    Parameters
    ----------
    network
        fp32, in eval mode, on the CPU.
    lr
        ``(y, x)``.
    """
    device = next(network.parameters()).device
    f, height, width = network.factor, *lr.shape
    tile = min(PLAIN_TILE, height, width)
    ramp = torch.minimum(torch.arange(1, f * tile + 1), torch.arange(f * tile, 0, -1)).float()
    ramp = ramp.clamp(max=f * PLAIN_OVERLAP).to(device)
    weight = ramp[:, None] * ramp
    total = torch.zeros((f * height, f * width), device=device)
    weights = torch.zeros_like(total)
    with torch.inference_mode():
        x = torch.from_numpy(lr).to(device).float().div_(255)
        for top in _starts(height, tile):
            for left in _starts(width, tile):
                sr = network(x[None, None, top : top + tile, left : left + tile])[0, 0]
                place = np.s_[f * top : f * (top + tile), f * left : f * (left + tile)]
                total[place] += sr * weight
                weights[place] += weight
        return _to_uint8(total / weights)


def _starts(size: int, tile: int) -> list[int]:
    steps = list(range(0, size - tile, tile - PLAIN_OVERLAP))
    return [*steps, size - tile]


def _to_uint8(sr: Tensor) -> npt.NDArray[np.uint8]:
    grey: npt.NDArray[np.uint8] = sr.mul(255).round_().clamp_(0, 255).byte().cpu().numpy()
    return grey


def operations(network: Network, side: int) -> float:
    """Floating point operations (a multiplication and an addition are two) of one slice, without any halo.

    Parameters
    ----------
    network
        Any generator.
    side
        Of a square slice, in LR pixels.
    """
    total = 0.0
    probe = 16

    def count(layer: nn.Module, given: Any, made: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += 2 * made.shape[2] * made.shape[3] * layer.weight.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network(torch.zeros(1, 1, probe, probe))
    for hook in hooks:
        hook.remove()
    return total * (side / probe) ** 2


def matrix_rate(device: torch.device, precision: str) -> float:
    """Operations per second of one large matrix product.

    Parameters
    ----------
    device
        Where it is computed.
    precision
        ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    """
    n = MATRIX[device.type]
    one, other = (torch.ones((n, n), dtype=PRECISIONS[precision], device=device) for _ in range(2))
    return 2 * n**3 / _seconds(lambda: one @ other, device)


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    _synchronise(device)
    begun = time.perf_counter()
    work()
    _synchronise(device)
    return time.perf_counter() - begun


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _iter_rounds(
    contestants: dict[str, Callable[[], Any]], engine: Engine, rounds: int, side: int
) -> Generator[Event, None, tuple[dict[str, float], list[float]]]:
    """Give every contestant and the matrix product their turns; medians, and rates in GFLOP/s."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    rates = []
    # one round more, as the first prepares what the others find
    for turn in range(rounds + 1):
        for name, work in contestants.items():
            yield Progress(f"{side} × {side} px: {name}", turn, rounds + 1, "rounds")
            work()
            times[name].append(_seconds(work, engine.device))
        rates.append(matrix_rate(engine.device, engine.precision) / 1e9)
    return {name: round(median(taken[1:]), 4) for name, taken in times.items()}, rates[1:]


def _rate(slice_: dict[str, Any], matrix_gflops: float) -> None:
    seconds = slice_["seconds"]
    mine = seconds["engine"]
    slice_["gflops"] = round(slice_["gflops_per_slice"] / mine, 1)
    slice_["share_of_matrix_rate"] = round(slice_["gflops"] / matrix_gflops, 3)
    slice_["times_faster_than"] = {
        name: round(other / mine, 2) for name, other in seconds.items() if name != "engine"
    }


def _tiling_difference(
    network: Network, engine: Engine, lr: npt.NDArray[np.uint8]
) -> dict[str, float]:
    """Largest difference between small tiles, one tile, and the network itself, in parts of the range."""
    floats = np.dtype(np.float32)
    small = Engine(network, device=engine.device.type, precision=engine.precision, tile=64)
    large = Engine(
        network, device=engine.device.type, precision=engine.precision, tile=max(lr.shape)
    )
    tiled, untiled = (e.upscale_slice(lr, UINT8, floats).image / 255 for e in (small, large))
    with torch.inference_mode():
        exact = network(torch.from_numpy(lr).float().div_(255)[None, None])[0, 0].numpy()
    return {
        "same precision": float(np.abs(tiled - untiled).max()),
        "fp32 as written": float(np.abs(tiled - exact).max()),
    }


class _FailingOnce:
    """A graph that runs out of memory in the middle of a slice, once."""

    def __init__(self, graph: Any, at: int) -> None:
        self._graph, self._at, self._calls = graph, at, 0

    def iter_forward(self, x: Tensor) -> Generator[None, None, Tensor]:
        self._calls += 1
        result: Tensor = yield from self._graph.iter_forward(x)
        if self._calls == self._at:
            raise torch.OutOfMemoryError("out of memory, as told to")
        return result


def _recovery(engine: Engine, lr: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Seconds of a slice with and without running out of memory in its second tile."""
    graph, tile = engine._graph, engine.tile
    engine.tile = max(lr.shape) // 2
    whole: list[npt.NDArray[np.uint8]] = []

    def upscale() -> None:
        whole.append(engine.upscale_slice(lr, UINT8, lr.dtype).image)

    undisturbed = _seconds(upscale, engine.device)
    first_tile = engine.tile
    engine._graph = _FailingOnce(graph, 2)  # type: ignore[assignment]
    disturbed = _seconds(upscale, engine.device)
    smaller = engine.tile
    engine._graph, engine.tile = graph, tile
    return {
        "seconds": round(undisturbed, 4),
        "seconds_with_one_failure": round(disturbed, 4),
        "tile": first_tile,
        "tile_after": smaller,
        "same_picture": bool(np.array_equal(whole[0], whole[1])),
    }
