"""Zarr's store for metadata that survive a power cut."""

import asyncio
import os

from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from napari_sem_sr.io.atomic_write import atomic_write, make_folder


class DurableStore(LocalStore):
    """Zarr's local store, with every file synced before it gets its name."""

    async def set(self, key: str, value: Buffer) -> None:
        """Write ``value`` as the file ``key``."""
        await asyncio.to_thread(self.set_sync, key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write one file unless it is there."""
        if not await self.exists(key):
            await self.set(key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write ``value`` as the file ``key``."""
        self._check_writable()
        path = self.root / key
        make_folder(path.parent)
        with atomic_write(path, f".{os.getpid()}") as temporary:
            temporary.write_bytes(value.as_buffer_like())
