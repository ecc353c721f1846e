"""Our OME-Zarr output: slices arrive one by one, in any order, and are there or not there.

Layout of ``out.zarr`` (Zarr v3, OME-Zarr 0.5)::

    zarr.json            group; attributes "ome" (multiscales) and "napari_sem_sr"
    0/zarr.json          full size; chunks (1, 512, 512), one shard per slice, zstd
    0/c/12/0/0           slice 12, written last of its levels; there, and whole, if and only if the slice is done
    1/..., 2/...         y and x halved, until both are <= 512

The attribute ``napari_sem_sr`` is flat: ``{"complete": bool, "synthetic": bool, ...provenance}``, and ``"tilt_deg"``
where it is known.
Nothing in the files depends on when, where or in how many runs they were written.

Why not another writer: ome-zarr's and bioio-ome-zarr's write whole arrays or regions through Zarr's own
store, whose files are renamed but not synced, and neither says which slices are done. No file of a slice is removed
before another one takes its place, so that a writer who is killed, or a second one, never makes a slice undone.
"""

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import zarr
from numcodecs.zstd import Zstd
from zarr.codecs import ZstdCodec

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import (
    PARTIAL,
    make_folder,
    partial_name,
    rename,
    sync_folder,
    translate_os_errors,
)
from napari_sem_sr.io.pyramid import Halved, level_shapes
from napari_sem_sr.io.write.durable_store import DurableStore
from napari_sem_sr.io.write.levels import growing
from napari_sem_sr.io.write.ngff import multiscales
from napari_sem_sr.io.write.shard import open_shard
from napari_sem_sr.io.zarr_layout import (
    KEY,
    NOT_PROVENANCE,
    RESUMABLE,
    TILT,
    lost_slices,
    slice_file,
    spoken,
)
from napari_sem_sr.stack import SemStack, Triple

CHUNK = 512
# Fast, and SEM noise does not get smaller with higher levels.
ZSTD_LEVEL = 3
_CODEC = Zstd(level=ZSTD_LEVEL)


class ZarrStackWriter:
    """Writes one stack, slice by slice, as OME-Zarr 0.5 (``group`` at ``path``); see :meth:`create` and :meth:`reopen`.

    Slices may be written in any order and from several threads (different slices). A slice is done once its
    level 0 is on disk, which is written last; what was done survives a kill or a power cut.
    """

    # the axes that each level halves
    halved: ClassVar[Halved] = "yx"

    def __init__(self, path: Path, group: zarr.Group) -> None:
        self._path = path
        self._group = group
        self._levels = tuple(_array(group, str(level)) for level in range(_count_levels(group)))

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        like: SemStack,
        provenance: Mapping[str, Any],
        fill: float = 0,
    ) -> Self:
        """Make a new output without slices.

        Parameters
        ----------
        path
            A folder that does not exist yet, by custom ``*.zarr``.
        like
            Shape, dtype, place and name of the output; its pixels are not read.
        provenance
            How the pixels are made, as JSON values; ``synthetic`` is true unless it says otherwise.
        fill
            What readers see of slices that are not there.

        Raises
        ------
        OutputError
            If something is there already or the disk refuses.
        """
        path = Path(path)
        tilt = {} if like.tilt_deg is None else {TILT: like.tilt_deg}
        attributes = {
            "ome": multiscales(like, cls.halved),
            KEY: _plain({"synthetic": True, **provenance, **tilt, "complete": False}),
        }
        # made under another name, so that a kill leaves nothing or an output that can be resumed
        unborn = partial_name(path)
        with translate_os_errors(path):
            if path.is_file() or (path.is_dir() and any(path.iterdir())):
                raise OutputError(
                    f"'{path}' exists already; choose another name, or --resume or --overwrite it."
                )
            make_folder(path.parent.absolute())
            if unborn.exists():
                shutil.rmtree(unborn)
            try:
                group = zarr.create_group(DurableStore(unborn), attributes=attributes)
                for level, shape in enumerate(level_shapes(like.shape, cls.halved)):
                    _create_level(group, level, shape, like.dtype, fill)
                if path.is_dir():
                    path.rmdir()
                rename(unborn, path)
            except BaseException:
                shutil.rmtree(unborn, ignore_errors=True)
                raise
            sync_folder(path.parent)
        return cls.reopen(path)

    @classmethod
    def reopen(cls, path: str | Path, *, shared: bool = False) -> Self:
        """Open an output of ours to go on with it; what a killed run left half-written is removed.

        Parameters
        ----------
        shared
            Others are writing other slices at this time, so what is half-written is theirs and stays.

        Raises
        ------
        OutputError
            If there is no output of ours at ``path``.
        """
        path = Path(path)
        try:
            group = zarr.open_group(DurableStore(path), mode="r+")
            ours = group.attrs.get(KEY)
            writer = cls(path, group) if isinstance(ours, Mapping) and "complete" in ours else None
        except Exception as error:  # damaged metadata raise many kinds of exceptions
            raise _not_ours(path) from error
        if writer is None:
            raise _not_ours(path)
        if shared:
            return writer
        with translate_os_errors(path):
            for leftover in path.rglob(f".*{PARTIAL}"):
                leftover.unlink(missing_ok=True)
        return writer

    @property
    def path(self) -> Path:
        """The output's folder."""
        return self._path

    @property
    def provenance(self) -> dict[str, Any]:
        """What ``create`` was given, as JSON values, with ``synthetic``."""
        return {k: v for k, v in self._attributes.items() if k not in NOT_PROVENANCE}

    @property
    def complete(self) -> bool:
        """Whether :meth:`finish` was reached."""
        return bool(self._attributes["complete"])

    @property
    def n_slices(self) -> int:
        """Number of slices, done or not."""
        return self.shape[0]

    @property
    def shape(self) -> Triple[int]:
        """Voxels (z, y, x) of level 0."""
        z, y, x = self._levels[0].shape
        return int(z), int(y), int(x)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the pixels."""
        return np.dtype(self._levels[0].dtype)

    def done_slices(self) -> frozenset[int]:
        """Slices whose pixels are on disk, whole and on all levels."""
        return frozenset(range(self.n_slices)).difference(self.lost_slices())

    def lost_slices(self, among: Collection[int] | None = None) -> tuple[int, ...]:
        """Slices (of ``among``, if given) that are not there, or cut off, on any level."""
        try:
            with translate_os_errors(self._path):
                return lost_slices(self._path, among)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _not_ours(self._path) from error

    def write_slice(self, index: int, image: npt.NDArray[Any]) -> None:
        """Put slice ``index``, ``image`` (y, x) in the output's dtype, on disk with all its levels; see `write_rows`."""
        self.write_rows(index, (image,))

    def write_rows(self, index: int, bands: Iterable[npt.NDArray[Any]]) -> None:
        """Put one slice on disk with all its levels, from rows as they come.

        Parameters
        ----------
        index
            Of the slice.
        bands
            ``(rows, x)`` in the output's dtype from the top down, each of any number of rows; one at a time is in memory.
            What is raised while they are taken is raised here, and the slice is as it was.

        Raises
        ------
        OutputError
            If the disk refuses; the slice is then not done, all others are as they were.
        ValueError
            If the slice does not fit the output.
        """
        self._check_place(index)
        with translate_os_errors(self._path, RESUMABLE), ExitStack() as files:
            # left in the reverse order: level 0 gets its name last
            puts = [
                files.enter_context(self._shard(level, index))
                for level, _ in enumerate(self._levels)
            ]
            finest, height = growing(puts, CHUNK), 0
            for band in bands:
                self._check_fits(index, band, (len(band), self.shape[2]))
                height += len(band)
                finest.take(band)
            if height != self.shape[1]:
                raise ValueError(f"slice {index} has {height} rows, the output {self.shape[1]}")
            finest.end()

    def _check_place(self, index: int) -> None:
        if not 0 <= index < self.n_slices:
            raise ValueError(f"slice {index} does not lie in 0:{self.n_slices}")

    def _check_fits(self, index: int, image: npt.NDArray[Any], shape: tuple[int, int]) -> None:
        if image.shape != shape or np.dtype(image.dtype).newbyteorder("=") != self.dtype:
            raise ValueError(
                f"slice {index} is {image.dtype} {image.shape}, the output {self.dtype} {self.shape[1:]}"
            )

    def _shard(
        self, level: int, place: int
    ) -> AbstractContextManager[Callable[[npt.NDArray[Any]], None]]:
        return open_shard(slice_file(self._path, level, place), CHUNK, _CODEC, f".{os.getpid()}")

    def forget(self, slices: Collection[int]) -> None:
        """Say that ``slices`` are not done, because their pixels are wrong or damaged.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        if self.complete:
            self._say({"complete": False})
        with translate_os_errors(self._path, RESUMABLE):
            for index in slices:
                slice_file(self._path, 0, index).unlink(missing_ok=True)

    def amend(self, changes: Mapping[str, Any]) -> None:
        """Correct entries (``changes``) of the provenance of an output that is not finished.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        self._say(_plain(changes))

    def finish(self) -> None:
        """Say in the attributes that the output is complete; a finished output is left as it is.

        Raises
        ------
        OutputError
            If slices are missing or damaged, or the disk refuses.
        """
        if self.complete:
            return
        lost = self.lost_slices()
        if lost:
            raise OutputError(
                f"'{self._path}' has {self.n_slices - len(lost)} of {self.n_slices} slices, {spoken(lost)} "
                f"{'is' if len(lost) == 1 else 'are'} missing; run again with --resume to finish it."
            )
        self._say({"complete": True})

    def _say(self, changes: Mapping[str, Any]) -> None:
        with translate_os_errors(self._path, RESUMABLE):
            # a group of its own: Zarr changes it in memory even when the disk refuses
            fresh = zarr.open_group(self._group.store, mode="r+")
            self._group = fresh.update_attributes({KEY: {**self._attributes, **changes}})

    @property
    def _attributes(self) -> Mapping[str, Any]:
        ours = self._group.attrs[KEY]
        if not isinstance(ours, Mapping):
            raise TypeError(f"attribute {KEY} of '{self._path}' is no mapping")
        return ours


def _not_ours(path: Path) -> OutputError:
    return OutputError(
        f"'{path}' is not a stack written by napari-sem-sr, or its zarr.json is damaged; choose another name for the output."
    )


def _count_levels(group: zarr.Group) -> int:
    ome: Any = group.attrs["ome"]
    return len(ome["multiscales"][0]["datasets"])


def _array(group: zarr.Group, name: str) -> zarr.Array[Any]:
    return zarr.open_array(group.store, path=name, mode="r")


def _create_level(
    group: zarr.Group, level: int, shape: Triple[int], dtype: np.dtype[Any], fill: float
) -> None:
    chunk = (1, CHUNK, CHUNK)
    group.create_array(
        str(level),
        shape=shape,
        dtype=dtype.newbyteorder("="),
        chunks=chunk,
        shards=(1, *(-(-n // CHUNK) * CHUNK for n in shape[1:])),
        compressors=ZstdCodec(level=ZSTD_LEVEL),
        fill_value=fill,
        dimension_names=("z", "y", "x"),
    )


def _plain(provenance: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(provenance, allow_nan=False))
    return plain
