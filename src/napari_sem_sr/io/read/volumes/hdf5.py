"""HDF5: one dataset of a file, ``file.h5::/path`` where there are several."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.metadata.merged import known
from napari_sem_sr.io.read.raw import native
from napari_sem_sr.io.slice_source import Contents, Planes, first_line
from napari_sem_sr.stack import Triple

# Slices that share chunks are kept together, up to this.
_LARGEST_SLAB = 128 << 20
_NAMED = 8


@dataclass(frozen=True)
class Hdf5Planes(Planes):
    """Slices of a dataset; axes of length 1 before z are left out."""

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    dataset: str
    # 0 for each axis of length 1 before y, x; -1 for z
    leading: tuple[int, ...]
    # slices that a chunk covers
    depth: int

    @property
    def files(self) -> tuple[Path, ...]:
        """The one file."""
        return (self.path,)

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read the chunks of one slice."""
        first, end = self.slab(index)
        stamp = self.path.stat().st_mtime_ns
        read = _read_slab if end - first == 1 else _keep_slab
        image: npt.NDArray[Any] = read(self, first, end, stamp)[index - first]
        return image

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


def open_volume(path: Path, *, grey: bool, metadata: bool = True, part: str = "") -> Contents:
    """Open the dataset named ``part``, or the only one that is an image or a stack.

    Raises
    ------
    InputError
        If the file is damaged, there is no such dataset, or there are several and none is named.
    """
    try:
        with h5py.File(path, "r") as file:
            name = _chosen(path, file, part)
            data = file[name]
            shape, stored, attributes = data.shape, np.dtype(data.dtype), dict(data.attrs)
            chunks = data.chunks
    except InputError:
        raise
    except Exception as error:  # h5py meets damaged files with many kinds of exceptions
        raise InputError(
            f"'{path}' cannot be read as HDF5 ({first_line(error)}); the file is cut off or damaged: copy it again."
        ) from error
    if stored.kind not in "uifb":
        raise InputError(
            f"'{path}::{name}' holds {stored} values; give a grey image of integers or floats."
        )
    leading, stack = shape[:-2], [n for n in shape[:-2] if n != 1]
    if len(stack) > 1 or min(shape) < 1:
        raise InputError(
            f"'{path}::{name}' has the shape {shape}; give an image (y, x) or one stack (z, y, x)."
        )
    planes = Hdf5Planes(
        path=path,
        shape=(stack[0] if stack else 1, int(shape[-2]), int(shape[-1])),
        dtype=native(stored),
        grey=grey,
        dataset=name,
        leading=tuple(-1 if n != 1 else 0 for n in leading),
        depth=next((c for n, c in zip(leading, chunks or (), strict=False) if n != 1), 1),
    )
    said = known(path, None, _voxel_nm(attributes)) if metadata else known(path, None)
    return Contents(planes=planes, part=name, **vars(said))


def _read_slab(planes: Hdf5Planes, first: int, end: int, stamp: int) -> npt.NDArray[Any]:
    """Read slices that share chunks; ``stamp``, the file's age, tells what is kept of it apart."""
    place = tuple(slice(first, end) if axis < 0 else axis for axis in planes.leading)
    with h5py.File(planes.path, "r") as file:
        slab = np.asarray(file[planes.dataset][(*place, slice(None), slice(None))])
    return slab.reshape(-1, *slab.shape[-2:])


# scrubbing decodes each chunk once
_keep_slab = lru_cache(maxsize=2)(_read_slab)


def _chosen(path: Path, file: h5py.File, part: str) -> str:
    if part:
        if not isinstance(file.get(part), h5py.Dataset):
            raise InputError(
                f"'{path}' holds no dataset '{part}'; it holds {_list(_datasets(file))}."
            )
        return "/" + part.strip("/")
    images = _datasets(file)
    if len(images) != 1:
        raise InputError(
            f"'{path}' holds {_list(images)}; say which one, as '{path.name}::{images[0] if images else '/name'}'."
        )
    return images[0]


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


def _voxel_nm(attributes: Mapping[str, Any]) -> Triple[float | None]:
    """Read what programs of the field write: ``element_size_um`` (HDF5 plugin of ImageJ), ``resolution`` (CREMI, nm)."""
    for name, factor in (("element_size_um", 1e3), ("resolution", 1.0)):
        try:
            sizes = [float(v) * factor for v in np.ravel(attributes[name])]
        except (KeyError, TypeError, ValueError):
            continue
        if len(sizes) == 3 and all(np.isfinite(v) and v > 0 for v in sizes):
            z, y, x = (float(f"{v:.12g}") for v in sizes)
            return z, y, x
    return None, None, None
