"""The tile that suits this machine and network: measured once, in seconds, and remembered.

Small tiles stay in the cache but pay for their halo, large ones the other way round; where the best lies
depends on the machine, the network and the precision.
"""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import platformdirs

from napari_sem_sr.inference.engine.devices import is_out_of_memory, release_memory
from napari_sem_sr.inference.engine.machine import describe_machine
from napari_sem_sr.io.atomic_write import atomic_write

if TYPE_CHECKING:
    import torch

CANDIDATES = {
    "cpu": (128, 192, 256, 384, 512, 768, 1024),
    "mps": (128, 256, 384, 512, 768),
    "cuda": (256, 384, 512, 768, 1024, 1536, 2048),
}
# Seconds after which no larger tile is tried.
BUDGET = 4.0
# A larger tile needs more memory, so it has to be faster by this much to be worth it.
WORTHWHILE = 1.03
# LR pixels from which a measurement is repaid by the run that waits for it.
REPAID_PIXELS = 32_000_000


class TimedEngine(Protocol):
    """What can be run on a tile of any size; an :class:`~napari_sem_sr.inference.engine.engine.Engine`.

    Parameters
    ----------
    device
        Where it computes.
    precision
        Of its arithmetic.
    factor
        SR pixels per LR pixel.
    network_size
        Number of weights.
    reach
        How far an SR pixel looks, in LR pixels.
    """

    device: "torch.device"
    precision: str
    factor: int
    network_size: int
    reach: int

    def seconds_for(self, tile: int) -> float:
        """Seconds for one tile of ``tile`` LR pixels along a side."""


def cache_file() -> Path:
    """Where measured tiles are remembered."""
    return platformdirs.user_cache_path("napari-sem-sr", appauthor=False) / "tiles.json"


def remembered_tile(engine: TimedEngine) -> int | None:
    """Tile measured earlier on this machine for such a network and precision, or None.

    Parameters
    ----------
    engine
        Names network and precision.
    """
    tile = _remembered().get(_key(engine))
    return tile if tile in CANDIDATES[engine.device.type] else None


def settled_tile(engine: TimedEngine) -> int:
    """Tile measured earlier, or measured now and remembered.

    Parameters
    ----------
    engine
        What is measured.
    """
    tile = remembered_tile(engine)
    if tile is None:
        tile = fastest_tile(engine)
        _remember(_key(engine), tile)
    return tile


def fastest_tile(engine: TimedEngine, budget: float = BUDGET) -> int:
    """Measure which tile gives most pixels per second, trying larger ones for ``budget`` seconds.

    Parameters
    ----------
    engine
        What is measured.
    """
    best, best_rate, spent, rate = 0, 0.0, 0.0, 0.0
    for tile in CANDIDATES[engine.device.type]:
        # twice, as the first run of a shape also prepares it
        if best and spent + 2 * tile**2 / rate > budget:
            break
        try:
            seconds = [engine.seconds_for(tile) for _ in range(2)]
        except (RuntimeError, MemoryError) as error:
            if not best or not is_out_of_memory(error):
                raise
            break
        spent += sum(seconds)
        rate = tile**2 / min(seconds)
        if rate > WORTHWHILE * best_rate:
            best, best_rate = tile, rate
    release_memory(engine.device)
    return best


def _key(engine: TimedEngine) -> str:
    machine = describe_machine(engine.device)
    return " | ".join(
        (
            machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads",
            f"torch {machine['torch']}",
            engine.precision,
            f"x{engine.factor}, {engine.network_size} weights, reach {engine.reach}",
        )
    )


def _remembered() -> dict[str, int]:
    try:
        known = json.loads(cache_file().read_text())
    except (OSError, ValueError):  # nothing there yet, or cut off: it is only a cache
        return {}
    return known if isinstance(known, dict) else {}


def _remember(key: str, tile: int) -> None:
    known = json.dumps(_remembered() | {key: tile}, indent=1)
    # a home that cannot be written to must not stop an upscaling
    with contextlib.suppress(OSError):
        cache_file().parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(cache_file()) as temporary:
            temporary.write_text(known)
