"""Where things lie in an OME-Zarr that we wrote; for whoever writes, reads or only looks for them.

The layout itself is drawn in :mod:`napari_sem_sr.io.write.zarr`.
"""

import json
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

KEY = "napari_sem_sr"
# Under the same key, but said of the output and not of how it was made.
TILT = "tilt_deg"
NOT_PROVENANCE = frozenset({"complete", TILT})
MARK = "zarr.json"
# Files that are looked at at a time.
_LOOKING = 16
# Slices, or runs of them, that one sentence names.
_NAMED = 12
RESUMABLE = " and run again with --resume, finished slices are kept"


def is_output(path: Path) -> bool:
    """Whether a folder, or the zarr.json in it, is an OME-Zarr that we wrote.

    Parameters
    ----------
    path
        Any path.
    """
    return _said_of(path.parent if path.name == MARK else path) is not None


def _said_of(folder: Path) -> dict[str, Any] | None:
    try:
        said = json.loads((folder / MARK).read_bytes())["attributes"][KEY]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, dict) else None


def shortcoming(path: Path) -> str:
    """What the output at ``path`` lacks, as a clause after its name; empty where it is whole, or not ours."""
    said = _said_of(path)
    if said is None or "complete" not in said:
        return ""
    try:
        lost = lost_slices(path)
        count = int(_array(path / "0")["shape"][0])
    except (OSError, KeyError, IndexError, ValueError, TypeError):
        return "has damaged metadata"
    if not said["complete"]:
        return f"is not finished: {count - len(lost)} of {count} slices are done"
    if lost:
        return f"was finished, but {spoken(lost)} went missing since or {'is' if len(lost) == 1 else 'are'} cut off"
    return ""


def done_slices(path: Path, n_slices: int) -> frozenset[int]:
    """Slices of the output at ``path`` whose pixels are on disk, by whether there is a file; see `lost_slices`.

    Parameters
    ----------
    n_slices
        Of the whole output.
    """
    return frozenset(z for z in range(n_slices) if slice_file(path, 0, z).is_file())


def lost_slices(path: Path, among: Collection[int] | None = None) -> tuple[int, ...]:
    """Slices of the output at ``path`` that are not there, or cut off, on any level.

    Reads the end of each slice's files, not their pixels.

    Parameters
    ----------
    among
        The slices to look at; all where None.

    Raises
    ------
    OSError, KeyError, ValueError, TypeError
        If the folder's own metadata are damaged.
    """
    arrays = [_array(p) for p in _levels(path)]
    chunks = [_chunks_in_shard(array) for array in arrays]
    count = int(arrays[0]["shape"][0])
    slices = range(count) if among is None else sorted(among)
    # levels of a volume halve z as well
    shared = [level if int(array["shape"][0]) < count else 0 for level, array in enumerate(arrays)]

    def is_lost(index: int) -> bool:
        return not all(
            is_whole(slice_file(path, level, index >> shared[level]), n)
            for level, n in enumerate(chunks)
        )

    # most of the time is spent waiting, on a disk far away
    with ThreadPoolExecutor(_LOOKING) as pool:
        lost = list(pool.map(is_lost, slices, chunksize=64))
    return tuple(z for z, gone in zip(slices, lost, strict=True) if gone)


def is_whole(shard: Path, n_chunks: int) -> bool:
    """Whether a file of ours holds as many chunks as it says, one after the other up to its index at the end.

    Parameters
    ----------
    shard
        Path of a file.
    n_chunks
        That it should hold.
    """
    length = 16 * n_chunks + 4
    try:
        with shard.open("rb") as stream:
            size = stream.seek(0, 2)
            if size <= length:
                return False
            stream.seek(-length, 2)
            index = np.frombuffer(stream.read(length - 4), "<u8").reshape(-1, 2)
    except OSError:
        return False
    offsets, sizes = (column.astype(object) for column in index[np.argsort(index[:, 0])].T)
    ends = np.cumsum(sizes)
    return bool(offsets[0] == 0 and (offsets[1:] == ends[:-1]).all() and ends[-1] == size - length)


def _levels(path: Path) -> Iterator[Path]:
    level = 0
    while (path / str(level) / MARK).is_file() or level == 0:
        yield path / str(level)
        level += 1


def _array(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MARK).read_bytes())
    return found


def _chunks_in_shard(array: dict[str, Any]) -> int:
    """Chunks of one slice, by the array's metadata."""
    _, height, width = array["chunk_grid"]["configuration"]["chunk_shape"]
    _, y, x = array["codecs"][0]["configuration"]["chunk_shape"]
    return int(height // y) * int(width // x)


def slice_file(path: Path, level: int, index: int) -> Path:
    """File of one slice on one level; a slice is done if and only if that of level 0 is there, which is written last.

    Parameters
    ----------
    path
        Of the output.
    level
        0 for full size.
    index
        Number of the slice.
    """
    return path / str(level) / "c" / str(index) / "0" / "0"


def spoken(slices: Collection[int]) -> str:
    """Name slices as a person would: ``slices 3, 7 to 12 and 40``; of very many the first.

    Parameters
    ----------
    slices
        In any order.
    """
    numbers = sorted(slices)
    if len(numbers) == 1:
        return f"slice {numbers[0]}"
    runs: list[list[int]] = []
    for z in numbers:
        if runs and z == runs[-1][-1] + 1:
            runs[-1].append(z)
        else:
            runs.append([z])
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    if len(parts) > _NAMED:
        return f"slices {', '.join(parts[:_NAMED])} and others ({len(numbers)} in all)"
    return f"slices {', '.join(parts[:-1])} and {parts[-1]}" if parts[1:] else f"slices {parts[0]}"
