"""Small random networks, models and stacks; every weight counts, so that every mistake shows."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_sem_sr.events import Event
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.stack import SemStack

ARCHITECTURE = Architecture(channels=8, blocks=2, tail_channels=4)


def network(factor: int = 4, seed: int = 0) -> Network:
    """A random generator whose detail is about as large as the picture."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = Network(
            factor, ARCHITECTURE.channels, ARCHITECTURE.blocks, ARCHITECTURE.tail_channels
        )
        with torch.no_grad():
            for weight in made.parameters():
                # an untrained tail adds almost nothing, which would hide every mistake
                weight.normal_(0, 1.6 / weight[0].numel() ** 0.5 if weight.ndim > 1 else 0.1)
    return made.eval().requires_grad_(False)


def model(factor: int = 4, content_hash: str = "blake2b:model") -> Model:
    """A model of two random networks, made without files."""
    card = Card.model_construct(
        name="random", factor=factor, architecture=ARCHITECTURE, default_sharpness=0.5
    )
    return Model(
        card=card,
        weights={"gan": network(factor, 1).state_dict(), "twin": network(factor, 2).state_dict()},
        calibration={},
        content_hash=content_hash,
        path=Path("random"),
    )


def image(shape: tuple[int, ...], dtype: Any = np.uint8, seed: int = 0) -> np.ndarray:
    """Discs on a ramp with noise, using most of the dtype's range."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape)
    y, x = grid[-2], grid[-1]
    picture = 0.3 + 0.2 * x / shape[-1] + 0.3 * (np.hypot(y % 17 - 8, x % 19 - 9) < 6)
    picture = picture + 0.05 * rng.standard_normal(shape)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (picture * 700 - 100).astype(dtype)
    top = np.iinfo(dtype).max
    return np.clip(picture * top, 0, top).astype(dtype)


def stack(slices: int = 4, shape: tuple[int, int] = (33, 41), dtype: Any = np.uint8) -> SemStack:
    """A stack with voxel sizes known."""
    pixels = image((slices, *shape), dtype)
    return SemStack.from_array(
        pixels, "specimen", voxel_nm=(20.0, 10.0, 8.0), origin_nm=(5.0, 6.0, 7.0)
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, or the one file, by name."""
    if folder.is_file():
        return {folder.name: folder.read_bytes()}
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def collected(work: Generator[Event, None, Any]) -> tuple[list[Event], Any]:
    """All events of long work, and its result."""
    events = []
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return events, stop.value
