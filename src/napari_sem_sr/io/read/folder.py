"""A folder or a list of slices, each a file; files of several slices are joined."""

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from natsort import natsorted, ns

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io.joined_source import JoinedSource, LostSource
from napari_sem_sr.io.metadata import sidecars_of
from napari_sem_sr.io.metadata.thermofisher import PROJECT
from napari_sem_sr.io.read import picture, tiff
from napari_sem_sr.io.read.raw import open_raw
from napari_sem_sr.io.read.volumes import HEAD_BYTES, SLICE_SUFFIXES, opener
from napari_sem_sr.io.slice_source import Contents, SliceSource

SUFFIXES = frozenset({".tif", ".tiff", ".btf", ".tf8", ".png", ".bmp", ".jpg", ".jpeg", ".jpe"})
# More names than this help nobody.
_NAMED = 5


def open_file(
    path: Path,
    *,
    grey: bool,
    metadata: bool = True,
    part: str = "",
    alone: bool = False,
    elsewhere: bool = False,
) -> Contents:
    """Open one image or volume file by what it holds, whatever it is called.

    Parameters
    ----------
    path
        Of the file.
    grey
        Consent to converting a colour photograph.
    metadata
        Whether what the file says about itself is wanted too.
    part
        What stood after ``::``: the dataset of an HDF5 file, or the header of a file of raw pixels.
    alone
        Read this file's own slices, where it is one of several of an OME-TIFF.
    elsewhere
        Pixels may lie in files outside of this one's folder.

    Raises
    ------
    InputError
        If it is no image that can be read.
    """
    head = _head(path)
    if volume := opener(head, path):
        return volume(path, grey=grey, metadata=metadata, part=part, elsewhere=elsewhere)
    if head.startswith(tiff.MAGIC) and not part:
        return tiff.open_tiff(path, grey=grey, metadata=metadata, alone=alone, elsewhere=elsewhere)
    if head.startswith(picture.MAGIC) and not part:
        return picture.open_picture(path, grey=grey, metadata=metadata)
    if part:
        return open_raw(path, part, grey=grey)
    raise InputError(
        f"'{path}' is {'empty' if not head else 'no image of a kind that can be read'}; give a TIFF, PNG, BMP, JPEG, "
        "MRC, DM3, DM4, HDF5 or NRRD file, a folder of images, OME-Zarr, or raw pixels as 'file::Z,Y,X,TYPE'."
    )


def iter_open_folder(
    folder: Path, *, grey: bool, elsewhere: bool = False
) -> Generator[Event, None, Contents]:
    """Open a folder's images in natural order (slice 2 before slice 10); name the files that are none.

    Parameters
    ----------
    folder
        One that is there.
    grey
        Consent to converting a colour photograph.
    elsewhere
        Whether pixels may lie outside of the folder.

    Yields
    ------
    Event
        Progress before each file.

    Raises
    ------
    InputError
        If there is no image, one is damaged, or they differ in size or type.
    """
    images, skipped = list_images(folder)
    contents = yield from iter_open_files(images, grey=grey, elsewhere=elsewhere)
    return replace(contents, notices=(*skipped, *contents.notices))


def list_images(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Images of a folder in natural order, and a sentence naming the files that are none.

    Parameters
    ----------
    folder
        One that is there.

    Raises
    ------
    InputError
        If there is no image.
    """
    files = natsorted(
        # a link that leads nowhere is a slice that is lost, not one that was never there
        (
            p
            for p in folder.iterdir()
            if not p.name.startswith(".") and (p.is_file() or (p.is_symlink() and not p.exists()))
        ),
        key=lambda p: p.name,
        alg=ns.IGNORECASE,
    )
    images = [p for p in files if _is_image(p)]
    if not images:
        held = "none of its files is an image" if files else "it is empty"
        raise InputError(f"The folder '{folder}' holds no slices: {held}; give a folder of images.")
    understood = {PROJECT, *(side.name for p in images for side in sidecars_of(p))}
    understood.update(p.name for p in images)
    skipped = [p.name for p in files if p.name not in understood]
    if not skipped:
        return images, ()
    names = ", ".join(f"'{n}'" for n in skipped[:_NAMED])
    more = f" and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
    return images, (f"Skipped in '{folder.name}', as they are no images: {names}{more}.",)


def iter_open_files(
    paths: Sequence[Path], *, grey: bool, elsewhere: bool = False
) -> Generator[Event, None, Contents]:
    """Join files in the order given; what is known about the first holds for all.

    Files that cannot be read or are of another size or type than most are kept as lost slices. The files of one
    OME-TIFF are one stack in its own order, where all of them are given; else each stands for its own slices.

    Parameters
    ----------
    paths
        In the order of the slices.
    grey
        Consent to converting a colour photograph.
    elsewhere
        Whether pixels may lie outside of the files' folders.

    Yields
    ------
    Event
        Progress before each file.

    Raises
    ------
    InputError
        If none can be read.
    """
    if len(paths) == 1:
        return open_file(paths[0], grey=grey, elsewhere=elsewhere)
    opened: list[Contents | InputError] = []
    ends: list[Path] = []
    whole: set[Path] = set()
    given = {path.resolve() for path in paths}
    for done, path in enumerate(paths):
        yield Progress("reading", done, len(paths), "files")
        if path.resolve() in whole:
            continue
        part = _open_or_lose(path, grey, elsewhere)
        files = {f.resolve() for f in part.planes.files} if isinstance(part, Contents) else set()
        if len(files) > 1 and path.resolve() in files:
            if files <= given:
                whole |= files
            else:
                part = _open_or_lose(path, grey, elsewhere, alone=True)
        opened.append(part)
        ends.append(path)
    good = [part for part in opened if isinstance(part, Contents)]
    if not good:
        raise next(part for part in opened if isinstance(part, InputError))
    first = next(p for p, part in zip(ends, opened, strict=True) if isinstance(part, Contents))
    described = open_file(first, grey=grey, elsewhere=elsewhere)
    kinds = Counter((part.planes.shape[1:], part.planes.dtype) for part in good)
    ((usual, _),) = kinds.most_common(1)
    like = next(p.planes for p in good if (p.planes.shape[1:], p.planes.dtype) == usual)
    parts: list[SliceSource] = []
    planes: SliceSource
    lost: dict[int, str] = {}
    start = 0
    for path, part in zip(ends, opened, strict=True):
        if isinstance(part, InputError):
            planes, why = LostSource.of(path, like, str(part).rstrip(".")), dict[int, str]()
            why[0] = planes.why
        else:
            planes, why = part.planes, dict(part.lost)
            kind = (planes.shape[1:], planes.dtype)
            if kind != usual:
                said = (
                    f"'{path}' is {_described(kind)}, but the other slices are {_described(usual)}"
                )
                why |= dict.fromkeys(range(planes.shape[0]), said)
        parts.append(planes)
        lost.update({start + index: sentence for index, sentence in why.items()})
        start += planes.shape[0]
    return replace(described, planes=JoinedSource.of(tuple(parts), like), lost=lost)


def _open_or_lose(
    path: Path, grey: bool, elsewhere: bool, *, alone: bool = False
) -> Contents | InputError:
    try:
        return open_file(path, grey=grey, metadata=False, alone=alone, elsewhere=elsewhere)
    except InputError as error:
        return error


def _described(kind: tuple[tuple[int, ...], np.dtype[Any]]) -> str:
    (height, width), dtype = kind
    return f"{width} x {height} pixels of {dtype}"


def _is_image(path: Path) -> bool:
    # a slice that lost its content must not be left out silently, so its name counts too
    return path.suffix.lower() in SUFFIXES | SLICE_SUFFIXES or (
        path.exists() and _head(path).startswith((*tiff.MAGIC, *picture.MAGIC))
    )


def _head(path: Path) -> bytes:
    if path.is_symlink() and not path.exists():
        raise InputError(
            f"'{path}' is a link to '{path.readlink()}', which is not there: fetch that file."
        )
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be opened ({error.strerror}); check the file."
        ) from error
