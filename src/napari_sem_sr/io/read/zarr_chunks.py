"""Chunks of a Zarr array that are not on disk, which every reader takes for the fill value."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_sem_sr.io.slice_source import spoken

# Looking for a million files takes about a second.
_MOST_FILES = 1_000_000
_NUMBERS = re.compile(r"\d+")


def absent(array: zarr.Array[Any], path: Path, axes: tuple[str, ...]) -> tuple[str, ...]:
    """Say which slices of a foreign array lack chunks; Zarr cannot tell a blank part from one that was lost.

    Parameters
    ----------
    array
        Opened for reading.
    path
        Its folder.
    axes
        "z", "y", "x" or "" for each axis.
    """
    sizes = getattr(array, "shards", None) or array.chunks
    grid = [-(-n // c) for n, c in zip(array.shape, sizes, strict=True)]
    if int(np.prod(grid)) > _MOST_FILES:
        return (f"'{path.name}' has too many chunks to see whether all are there.",)
    there = np.zeros(grid, bool)
    for place in _chunks(path, len(grid)):
        if all(n < limit for n, limit in zip(place, grid, strict=True)):
            there[place] = True
    if there.all():
        return ()
    value = array.fill_value
    if "z" not in axes:
        return (_sentence(path, "parts of it", value),)
    z = axes.index("z")
    layers = np.flatnonzero(~there.all(axis=tuple(a for a in range(len(grid)) if a != z)))
    depth, count = sizes[z], array.shape[z]
    slices = [s for layer in layers for s in range(layer * depth, min((layer + 1) * depth, count))]
    return (_sentence(path, f"parts of {spoken(slices)}", value),)


def _sentence(path: Path, what: str, value: Any) -> str:
    return (
        f"'{path.name}' lacks {what}, read as {value}: either they are blank, as Zarr leaves out what is, or they were "
        "lost; if they should hold an image, copy it again."
    )


def _chunks(path: Path, ndim: int) -> set[tuple[int, ...]]:
    """Return the numbers of the chunks on disk, whichever way their files are named."""
    found: set[tuple[int, ...]] = set()
    for folder, _, names in os.walk(path, followlinks=True):
        inside = Path(folder).relative_to(path).parts
        for name in names:
            parts = [p for p in (*inside, *name.split(".")) if p != "c"]
            if len(parts) == ndim and all(_NUMBERS.fullmatch(part) for part in parts):
                found.add(tuple(int(part) for part in parts))
    return found
