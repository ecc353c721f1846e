"""npe2 reader for our own OME-Zarr outputs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "napari_sem_sr"
MARK = "zarr.json"


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return a reader if every path is an output of ours (or its zarr.json), else None."""
    paths = path if isinstance(path, list) else [path]
    return read if all(is_output(Path(p)) for p in paths) else None


def is_output(path: Path) -> bool:
    """Whether a folder, or the zarr.json in it, is an OME-Zarr that we wrote."""
    try:
        attributes = json.loads((_folder(path) / MARK).read_text()).get("attributes", {})
    except (OSError, ValueError):
        return False
    return KEY in attributes


def _folder(path: Path) -> Path:
    return path.parent if path.name == MARK else path


def read(path: str | list[str]) -> list[Any]:
    """Layers of our outputs: all levels, in nm, with provenance."""
    from napari_sem_sr.io import read_stack
    from napari_sem_sr.widgets.layers import image_data

    layers = []
    for one in path if isinstance(path, list) else [path]:
        stack = read_stack(_folder(Path(one)))
        layers.append(image_data(stack, stack.name, "SR"))
    return layers
