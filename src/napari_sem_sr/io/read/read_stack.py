"""Whatever a person drags in, as a SemStack."""

import os
from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, drain
from napari_sem_sr.geometry import with_typed
from napari_sem_sr.io.databar import find_databar
from napari_sem_sr.io.joined_source import JoinedSource
from napari_sem_sr.io.metadata.merged import databar_notice
from napari_sem_sr.io.read.folder import iter_open_files, iter_open_folder, open_file
from napari_sem_sr.io.read.omezarr import is_zarr, open_zarr
from napari_sem_sr.io.slice_source import Contents
from napari_sem_sr.stack import SemStack, Triple

_LONGEST_NAME = 200
# Rows of an output of ours that are read when it is opened.
_LOOKED_AT = 512
# Ten years of milling, one slice a minute.
_MOST_SLICES = 5_000_000

Source = str | os.PathLike[str]


def read_stack(
    source: Source | Sequence[Source],
    *,
    voxel_nm: Triple[float | None] | None = None,
    tilt_deg: float | None = None,
    without: Collection[int] = (),
    grey: bool = False,
    elsewhere: bool = False,
) -> SemStack:
    """Open an image or a stack of slices; the pixels stay in the files until they are asked for.

    Parameters
    ----------
    source
        A TIFF (single, multi-page, OME, ImageJ), PNG, BMP, JPEG, MRC, DM3, DM4, NRRD or HDF5 file
        (``file.h5::/dataset`` where it holds several), raw pixels as ``file::Z,Y,X,TYPE[,OFFSET]``, a folder of
        slices (read in natural order; files that are no images are skipped and named), a list of files (read in
        the order given), or OME-Zarr (0.4, 0.5: level 0) or a Zarr array.
    voxel_nm
        Voxel size (z, y, x) in nm; a number overrides what the files say, None leaves it.
    tilt_deg
        Angle in degrees between the beam and the normal of the imaged face; overrides what the files say, and
        undoes the foreshortening of a recorded y (see :func:`~napari_sem_sr.geometry.with_typed`).
    without
        Slices to leave out, counted from 0 in the whole stack: those that are damaged, of another size, doubled.
    grey
        Convert colour photographs to their luminance, in the file's dtype.
    elsewhere
        Also read pixels that a file keeps outside of its own folder (external storage, detached data). Such a file
        may name any other on the machine, so that it is refused unless asked for.

    Returns
    -------
    The stack, (z, y, x) in the file's dtype (1-bit becomes uint8 0 and 255), one lazy chunk per slice.
    ``notices`` holds sentences a person should read. ``paths`` are the files that are read, or the Zarr folder.

    Raises
    ------
    InputError
        If nothing is there, it is damaged, in colour, or no single stack; where only some slices are damaged or
        of another size, which ones. Damage that shows only when a slice is read is raised then, with the file
        and the slice.
    """
    return drain(
        iter_read_stack(
            source,
            voxel_nm=voxel_nm,
            tilt_deg=tilt_deg,
            without=without,
            grey=grey,
            elsewhere=elsewhere,
        )
    )


def iter_read_stack(
    source: Source | Sequence[Source],
    *,
    voxel_nm: Triple[float | None] | None = None,
    tilt_deg: float | None = None,
    without: Collection[int] = (),
    grey: bool = False,
    elsewhere: bool = False,
) -> Generator[Event, None, SemStack]:
    """Open as :func:`read_stack` does, and report each file of a folder or list: thousands take a while.

    Parameters
    ----------
    source
        As for `read_stack`.
    voxel_nm
        As for `read_stack`.
    tilt_deg
        As for `read_stack`.
    without
        As for `read_stack`.
    grey
        As for `read_stack`.
    elsewhere
        As for `read_stack`.

    Yields
    ------
    Event
        Progress before each file of several.
    """
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not given:
        raise InputError("No files were given; give at least one image.")
    paths, parts = zip(*(_split(one) for one in given), strict=True)
    for path in paths:
        _check_there(path)
    try:
        contents = yield from _iter_open(list(paths), parts, grey, elsewhere)
    except OSError as error:
        raise InputError(
            f"'{paths[0]}' cannot be opened ({error.strerror or error}); check the file."
        ) from error
    if contents.planes.shape[0] > _MOST_SLICES:
        raise InputError(
            f"'{paths[0]}' says it has {contents.planes.shape[0]} slices; the file is damaged: copy it again."
        )
    contents = _without(contents, without, paths[0])
    notices = contents.notices
    rows = None
    # a colour photograph or a damaged file should be known now, not in the middle of a long run
    if contents.provenance is None:
        first = contents.planes.plane(0)
        rows = _image_rows(contents, first)
    else:
        # ours are grey, and may be larger than memory
        contents.planes.rows(0, 0, min(contents.planes.shape[1], _LOOKED_AT))
    if rows is not None:
        notices += (databar_notice(paths[0], rows, contents.planes.shape[2]),)
    typed = voxel_nm or (None, None, None)
    if contents.question and tilt_deg is None and typed[1:2] == (None,):
        notices += (contents.question,)
    stack = SemStack(
        data=contents.planes.lazy(),
        name=_name(paths),
        voxel_nm=contents.voxel_nm,
        origin_nm=contents.origin_nm,
        pixel_step=contents.pixel_step,
        tilt_deg=contents.tilt_deg,
        sources=contents.sources,
        instrument=contents.instrument,
        paths=paths if is_zarr(paths[0]) else contents.planes.files,
        folder=paths[0] if paths[0].is_dir() and not is_zarr(paths[0]) else None,
        image_rows=rows,
        part=contents.part,
        provenance=contents.provenance,
        notices=notices,
    )
    return with_typed(stack, typed, tilt_deg)


def _image_rows(contents: Contents, image: npt.NDArray[Any]) -> tuple[int, int] | None:
    """Return the rows beside a databar; what the vendor says comes before what the pixels show."""
    if contents.databar_row is not None:
        return 0, contents.databar_row
    bar = find_databar(image)
    return None if bar is None else bar.image_rows


def _check_there(path: Path) -> None:
    try:
        # not pipes and devices, which one may wait for without end
        there = path.is_file() or path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        name = str(path)
        shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
        raise InputError(f"'{shown}' does not exist or is not a file; check the name.")


def _split(source: Source) -> tuple[Path, str]:
    """Split ``file::part``; a file whose own name has ``::`` in it is a file."""
    path = Path(source)
    name, mark, part = str(path).partition("::")
    return (Path(name), part) if mark and part and not os.path.lexists(path) else (path, "")


def _without(contents: Contents, left_out: Collection[int], path: Path) -> Contents:
    count = contents.planes.shape[0]
    for index in left_out:
        if not 0 <= index < count:
            raise InputError(f"There is no slice {index} to leave out; '{path}' has 0:{count}.")
    still = [(index, why) for index, why in contents.lost.items() if index not in left_out]
    if still and count > 1:
        index, why = still[0]
        numbers = ",".join(str(i) for i, _ in still)
        others = f" (and {len(still) - 1} more slices)" if len(still) > 1 else ""
        raise InputError(
            f"Slice {index} cannot be used: {why}{others}; or leave it out (--without {numbers})."
        )
    if len(set(left_out)) == count:
        raise InputError(f"All {count} slices of '{path}' are left out; keep at least one.")
    if not left_out:
        return contents
    return replace(
        contents,
        planes=JoinedSource.without(contents.planes, set(left_out)),
        part=f"{contents.part} without {','.join(str(i) for i in sorted(set(left_out)))}".strip(),
    )


def _iter_open(
    paths: list[Path], parts: tuple[str, ...], grey: bool, elsewhere: bool
) -> Generator[Event, None, Contents]:
    if len(paths) == 1 and paths[0].is_dir():
        if is_zarr(paths[0]):
            return open_zarr(paths[0], grey=grey)
        return (yield from iter_open_folder(paths[0], grey=grey, elsewhere=elsewhere))
    for path in paths:
        if path.is_dir():
            raise InputError(
                f"'{path}' is a folder in a list of files; give one folder, or files only."
            )
    if len(paths) > 1:
        return (yield from iter_open_files(paths, grey=grey, elsewhere=elsewhere))
    return open_file(paths[0], grey=grey, part=parts[0], elsewhere=elsewhere)


def _name(paths: Sequence[Path]) -> str:
    path = (paths[0] if len(paths) == 1 else paths[0].parent).absolute()
    stem = path.name if path.is_dir() and not is_zarr(path) else path.stem
    name = stem.removesuffix(".ome") or path.name
    # what a name in another encoding holds cannot be printed or written
    return os.fsencode(name).decode(errors="replace")
