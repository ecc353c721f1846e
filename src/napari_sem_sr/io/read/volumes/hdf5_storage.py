"""Where the pixels of an HDF5 dataset are: in the file, in others, or never written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.slice_source import spoken

# Datasets made of datasets made of datasets.
_DEEPEST = 4


@dataclass
class Storage:
    """Other files that hold pixels, slices that are not there and why, and what a person should read.

    Parameters
    ----------
    files
        Other files that hold pixels.
    lost
        Why they are not there, by number of the slice.
    notices
        What a person should read.
    """

    files: list[Path] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def open_dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Open a dataset whose other files are looked for beside its own, not in the folder where a program runs.

    Parameters
    ----------
    file
        The open file.
    name
        Path of the dataset in it.
    """
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_efile_prefix(b"${ORIGIN}")
    access.set_virtual_prefix(b"${ORIGIN}")
    return h5py.Dataset(h5py.h5d.open(file.id, name.encode(), access))


def storage_of(path: Path, data: h5py.Dataset, z_axis: int | None, where: str) -> Storage:
    """Look where the pixels of a dataset are.

    Parameters
    ----------
    path
        Of the file.
    z_axis
        The axis of ``data`` that counts slices; None where there is one.
    where
        The dataset, as a person would name it.

    Raises
    ------
    InputError
        If there are none at all.
    """
    found = Storage()
    own = Path(data.file.filename)
    if own.absolute() != path.absolute():
        found.files.append(own)
    if data.is_virtual:
        _virtual(own, data, z_axis, where, found, 0)
    elif data.external:
        _external(own, data, z_axis, where, found)
    elif data.chunks:
        _chunked(data, z_axis, where, found)
    elif data.id.get_storage_size() == 0:
        raise InputError(f"{where} was never written; copy the file again.")
    found.files = list(dict.fromkeys(found.files))
    count = 1 if z_axis is None else data.shape[z_axis]
    if len(found.lost) == count:
        raise InputError(f"{where} has no pixels: {next(iter(found.lost.values()))}.")
    return found


def _virtual(
    own: Path, data: h5py.Dataset, z_axis: int | None, where: str, found: Storage, depth: int
) -> None:
    """Look for every source; HDF5 reads those that are not there as the fill value."""
    covered = 0
    for source in data.virtual_sources():
        start, end = source.vspace.get_select_bounds()
        slices = range(1) if z_axis is None else range(start[z_axis], end[z_axis] + 1)
        covered += source.vspace.get_select_npoints()
        if "%b" in source.file_name or "%b" in source.dset_name:
            raise InputError(
                f"{where} is made of sources that are numbered ('{source.file_name}'); save it as one dataset."
            )
        at = own if source.file_name == "." else own.parent / source.file_name
        why = _look_into(at, source.dset_name, found, depth)
        if at != own and at.exists():
            found.files.append(at)
        if why and depth == 0:
            found.lost |= dict.fromkeys(slices, f"its pixels are in '{at}', {why}")
        elif why:
            raise InputError(f"{where} takes pixels from '{at}', {why}; copy it there.")
    if depth == 0 and covered < data.size and not found.lost:
        found.notices.append(
            f"{where} is made of other datasets that do not fill it: {1 - covered / data.size:.1%} of it is read as "
            f"{data.fillvalue}."
        )


def _look_into(at: Path, name: str, found: Storage, depth: int) -> str:
    """Return why a source cannot be read; its own sources are looked for as well."""
    if not at.is_file():
        return "which is not there"
    try:
        with h5py.File(at, "r") as file:
            source = file.get(name)
            if not isinstance(source, h5py.Dataset):
                return f"which has no dataset '{name}'"
            if source.is_virtual and depth < _DEEPEST:
                _virtual(at, source, None, f"'{at}::{name}'", found, depth + 1)
            elif source.external:
                _external(at, source, None, f"'{at}::{name}'", found)
    except OSError:
        return "which cannot be read as HDF5"
    return ""


def _external(
    own: Path, data: h5py.Dataset, z_axis: int | None, where: str, found: Storage
) -> None:
    """Look for the files of raw pixels; HDF5 reads what is beyond their ends as zeros."""
    there = 0
    wanted = data.size * data.dtype.itemsize
    for name, offset, size in data.external:
        at = own.parent / name
        if not at.is_file():
            raise InputError(
                f"{where} keeps its pixels in '{at}', which is not there; copy it there."
            )
        found.files.append(at)
        part = max(min(at.stat().st_size - offset, size), 0)
        there += part
        if part < min(size, wanted):
            break
    if there >= wanted:
        return
    count = data.shape[0] if z_axis == 0 else 1
    kept = there // (wanted // count)
    found.lost |= dict.fromkeys(
        range(kept, count), "the file of its pixels ends within or before it"
    )


def _chunked(data: h5py.Dataset, z_axis: int | None, where: str, found: Storage) -> None:
    """Look for chunks that were never written, which HDF5 reads as the fill value."""
    grid = [-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True)]
    wanted, there = int(np.prod(grid)), data.id.get_num_chunks()
    if there == 0:
        raise InputError(f"{where} was never written; copy the file again.")
    if there >= wanted or z_axis is None:
        if there < wanted:
            found.notices.append(_partly(where, "", data.fillvalue))
        return
    depth = data.chunks[z_axis]
    written = np.zeros(grid[z_axis], int)

    def note(chunk: h5py.h5d.StoreInfo) -> None:
        written[chunk.chunk_offset[z_axis] // depth] += 1

    data.id.chunk_iter(note)
    count = data.shape[z_axis]

    def slices(layers: Iterable[int]) -> Iterator[int]:
        for layer in layers:
            yield from range(layer * depth, min((layer + 1) * depth, count))

    gone = np.flatnonzero(written == 0).tolist()
    found.lost |= dict.fromkeys(slices(gone), "its pixels were never written to the file")
    partly = np.flatnonzero((written > 0) & (written < wanted // grid[z_axis])).tolist()
    if partly:
        found.notices.append(_partly(where, spoken(list(slices(partly))), data.fillvalue))


def _partly(where: str, slices: str, value: object) -> str:
    of = f" of {slices}" if slices else ""
    return f"{where} lacks parts{of} that were never written; they are read as {value}."
