"""Our OME-Zarr output: slices arrive one by one, in any order, and are there or not there.

Layout of ``out.zarr`` (Zarr v3, OME-Zarr 0.5)::

    zarr.json            group; attributes "ome" (multiscales) and "napari_sem_sr"
    0/zarr.json          full size; chunks (1, 512, 512), one shard per slice, zstd
    0/c/12/0/0           slice 12; there if and only if the slice is done
    1/..., 2/...         y and x halved, until both are <= 512

The attribute ``napari_sem_sr`` is flat: ``{"complete": bool, "synthetic": bool, ...provenance}``.
Nothing in the files depends on when, where or in how many runs they were written.

Why not another writer: ome-zarr's and bioio-ome-zarr's write whole arrays or regions through Zarr's own
store, whose files are renamed but not synced, and neither says which slices are done.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import zarr
from zarr.abc.store import Store
from zarr.codecs import ZstdCodec
from zarr.core.buffer import Buffer
from zarr.errors import BaseZarrError
from zarr.storage import LocalStore

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.durable import (
    PARTIAL,
    make_folder,
    partial_name,
    replacing,
    sync_folder,
    told_plainly,
)
from napari_sem_sr.io.pyramid import halve, level_shapes, level_world
from napari_sem_sr.stack import SemStack, Triple, World

KEY = "napari_sem_sr"
CHUNK = 512
# Fast, and SEM noise does not get smaller with higher levels.
ZSTD_LEVEL = 3
RESUMABLE = " and run again with --resume, finished slices are kept"


class DurableStore(LocalStore):
    """Zarr's local store, with every file synced before it gets its name."""

    async def _set(self, key: str, value: Buffer, exclusive: bool = False) -> None:
        import asyncio

        self._check_writable()
        await asyncio.to_thread(self._put, self.root / key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        self._check_writable()
        self._put(self.root / key, value)

    @staticmethod
    def _put(path: Path, value: Buffer) -> None:
        make_folder(path.parent)
        with replacing(path) as temporary:
            temporary.write_bytes(value.as_buffer_like())
