"""One slice on one level as one file: a Zarr shard, written row of chunks by row of chunks.

The format is Zarr's ``sharding_indexed`` codec (https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed):
compressed chunks one after the other, then an index of (offset, length) for each, then its CRC-32C. Zarr itself merges what is
written with a file that is there already; here the file is always a fresh one, which takes the old one's place when it is whole.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs.zstd import Zstd

from napari_sem_sr.io.atomic_write import atomic_write, make_folder

# Enough to keep up with any disk.
THREADS = min(4, os.cpu_count() or 1)


@contextmanager
def open_shard(
    path: Path, chunk: int, codec: Zstd, writer: str = ""
) -> Iterator[Callable[[npt.NDArray[Any]], None]]:
    """Write a shard from rows as they come; it is on disk, whole, after the block, and takes the place of one that is there.

    When the block fails, what was written is removed and ``path`` is as it was.

    Parameters
    ----------
    path
        Its file.
    chunk
        Height and width of a chunk; what is missing at the right and lower edge is filled with zeros.
    codec
        Compresses each chunk.
    writer
        As for `atomic_write`.

    Yields
    ------
    A function that takes the next rows, ``(rows, x)``, from the top down: ``chunk`` rows each time but the last, when there may
    be fewer.
    """
    index: list[tuple[int, int]] = []
    make_folder(path.parent)
    with (
        ThreadPoolExecutor(THREADS) as pool,
        atomic_write(path, writer) as temporary,
        temporary.open("wb") as stream,
    ):

        def add(band: npt.NDArray[Any]) -> None:
            for content in pool.map(codec.encode, _chunks(band, chunk)):
                index.append((stream.tell(), len(content)))
                stream.write(content)

        yield add
        table = np.array(index, "<u8").tobytes()
        stream.write(table + google_crc32c.value(table).to_bytes(4, "little"))


def _chunks(band: npt.NDArray[Any], chunk: int) -> Iterable[npt.NDArray[Any]]:
    rows, columns = band.shape
    dtype = band.dtype.newbyteorder("<")
    for start in range(0, columns, chunk):
        part = band[:, start : start + chunk]
        if part.shape != (chunk, chunk):
            part = np.pad(part, ((0, chunk - rows), (0, chunk - part.shape[1])))
        yield np.ascontiguousarray(part, dtype)
