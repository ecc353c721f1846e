"""HDF5: one dataset of a file, ``file.h5::/path`` where there are several."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata.merged import merged
from napari_sem_sr.io.read import axes as axis_names
from napari_sem_sr.io.read.raw import native
from napari_sem_sr.io.read.volumes.hdf5_storage import open_dataset, storage_of
from napari_sem_sr.io.read.volumes.hdf5_words import images, words_of
from napari_sem_sr.io.slice_source import Contents, SliceSource, check_beside, first_line
from napari_sem_sr.stack import Triple

# Slices that share chunks are kept together, up to this.
_LARGEST_SLAB = 128 << 20
_NAMED = 8


@dataclass(frozen=True)
class Hdf5Source(SliceSource):
    """Slices of a dataset, whatever the order of its axes; those of length 1 are left out.

    Parameters
    ----------
    path
        Of the file.
    dataset
        Path in the file.
    axes
        "z", "y", "x" or "" for each axis.
    depth
        Slices that a chunk covers.
    stored
        The dtype that the bits are meant to be.
    white_is_low
        Whether high numbers are dark.
    others
        Files of other datasets, or of raw pixels, that this one is made of.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    dataset: str
    # "z", "y", "x" or "" for each axis
    axes: tuple[str, ...]
    # slices that a chunk covers
    depth: int
    # the dtype that the bits are meant to be
    stored: np.dtype[Any]
    white_is_low: bool = False
    # files of other datasets or of raw pixels that this one is made of
    others: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, and others that its pixels come from."""
        return (self.path, *self.others)

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read the chunks of one slice."""
        first, end = self.slab(index)
        stamp = tuple(file.stat().st_mtime_ns for file in self.files)
        read = _read_slab if end - first == 1 else _keep_slab
        image: npt.NDArray[Any] = read(self, first, end, stamp)[index - first]
        if not self.white_is_low:
            return image
        return ~image if image.dtype.kind in "uib" else -image

    def slab(self, index: int) -> tuple[int, int]:
        """Return the slices (first, end) that are decoded together with slice ``index``."""
        first = index - index % self.depth
        slice_bytes = self.shape[1] * self.shape[2] * self.dtype.itemsize
        if self.depth * slice_bytes > _LARGEST_SLAB:
            return index, index + 1
        return first, min(first + self.depth, self.shape[0])

    def where(self, index: int) -> str:
        """Name the slice by its number and dataset."""
        return f"Slice {index} of '{self.path}::{self.dataset}'"


def open_volume(
    path: Path, *, grey: bool, metadata: bool = True, part: str = "", elsewhere: bool = False
) -> Contents:
    """Open the dataset named ``part``, or the only one that is an image or a stack.

    Parameters
    ----------
    path
        Of the file.
    grey
        Consent to converting colours.
    metadata
        Whether what the file says about itself is wanted too.
    elsewhere
        Whether pixels may lie outside of the file's folder.

    Raises
    ------
    InputError
        If the file is damaged, there is no such dataset, or there are several and none is named.
    """
    try:
        with h5py.File(path, "r") as file:
            name = _chosen(path, file, part)
            where = f"'{path}::{name}'"
            data = file[name]
            _check_numbers(data, where)
            words = words_of(path, file, data, where)
            z_axis = words.axes.index("z") if "z" in words.axes else None
            storage = storage_of(path, data, z_axis, where)
            depth = data.chunks[z_axis] if data.chunks and z_axis is not None else 1
    except InputError:
        raise
    except Exception as error:  # h5py meets damaged files with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as HDF5 ({first_line(error)}); the file is cut off or damaged: copy it again."
        ) from error
    check_beside(path, storage.files, elsewhere=elsewhere)
    planes = Hdf5Source(
        path=path,
        shape=words.shape,
        dtype=native(words.stored),
        grey=grey,
        dataset=name,
        axes=words.axes,
        depth=depth,
        stored=words.stored,
        white_is_low=words.white_is_low,
        others=tuple(storage.files),
    )
    said = merged(path, None, words.voxel_nm) if metadata else merged(path, None)
    lost = {z: f"of {where} {why}" for z, why in storage.lost.items() if z < words.shape[0]}
    notices = (*storage.notices, *said.notices)
    return Contents(planes=planes, part=name, lost=lost, **{**vars(said), "notices": notices})


def _check_numbers(data: h5py.Dataset, where: str) -> None:
    if data.dtype.kind not in "uifb" or not data.shape or min(data.shape) < 1:
        raise InputError(
            f"{where} holds {data.dtype} values of the shape {data.shape}; give a grey image of integers or floats."
        )


def _read_slab(
    planes: Hdf5Source, first: int, end: int, stamp: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Read slices that share chunks; ``stamp``, the age of the files, tells what is kept of them apart."""
    _, height, width = planes.shape
    with h5py.File(planes.path, "r") as file:
        data = open_dataset(file, planes.dataset)
        slab = np.asarray(data[axis_names.block(planes.axes, first, end)])
    if planes.stored != slab.dtype and planes.stored.kind != slab.dtype.kind:
        slab = slab.view(planes.stored.newbyteorder(slab.dtype.byteorder))
    return axis_names.in_order(slab, planes.axes)[:, :height, :width]


# scrubbing decodes each chunk once
_keep_slab = lru_cache(maxsize=2)(_read_slab)


def _chosen(path: Path, file: h5py.File, part: str) -> str:
    if part:
        if not isinstance(file.get(part), h5py.Dataset):
            raise InputError(
                f"'{path}' holds no dataset '{part}'; it holds {_list(_datasets(file))}."
            )
        return "/" + part.strip("/")
    found = images(_datasets(file), file)
    if len(found) != 1:
        raise InputError(
            f"'{path}' holds {_list(found)}; say which one, as '{path.name}::{found[0] if found else '/name'}'."
        )
    return found[0]


def _datasets(file: h5py.File) -> list[str]:
    """Names of all datasets that may be an image or a stack."""
    found: list[str] = []

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "uifb":
            found.append(f"/{name}")

    file.visititems(look)
    return found


def _list(names: list[str]) -> str:
    if not names:
        return "no image"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"'{n}'" for n in names[:_NAMED]) + more
