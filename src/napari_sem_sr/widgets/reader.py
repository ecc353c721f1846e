"""npe2 reader for our own OME-Zarr outputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "napari_sem_sr"


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return a reader if every path is an output of ours, else None so that others may read it."""
    paths = path if isinstance(path, list) else [path]
    return read if all(_is_ours(Path(p)) for p in paths) else None


def _is_ours(path: Path) -> bool:
    try:
        attributes = json.loads((path / "zarr.json").read_text()).get("attributes", {})
    except (OSError, ValueError):
        return False
    return KEY in attributes


def read(path: str | list[str]) -> list[Any]:
    """Layers of our outputs: all levels, in nm, with provenance."""
    from napari_sem_sr.io import read_stack
    from napari_sem_sr.widgets.layers import image_data

    layers = []
    for one in path if isinstance(path, list) else [path]:
        stack = read_stack(one)
        layers.append(image_data(stack, stack.name, "SR"))
    return layers
