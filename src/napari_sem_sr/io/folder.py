"""A folder or a list of slices, each a file; files of several slices are joined."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from natsort import natsorted, ns

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import picture, tiff
from napari_sem_sr.io.metadata import sidecars_of
from napari_sem_sr.io.metadata.thermofisher import PROJECT
from napari_sem_sr.io.planes import Contents, JoinedPlanes, Planes

SUFFIXES = frozenset({".tif", ".tiff", ".btf", ".tf8", ".png", ".bmp", ".jpg", ".jpeg", ".jpe"})
# More names than this help nobody.
_NAMED = 5


def open_file(path: Path, *, grey: bool, metadata: bool = True) -> Contents:
    """Open one image file by what it holds, whatever it is called.

    Raises
    ------
    InputError
        If it is no image that can be read.
    """
    head = _head(path)
    if head.startswith(tiff.MAGIC):
        return tiff.open_tiff(path, grey=grey, metadata=metadata)
    if head.startswith(picture.MAGIC):
        return picture.open_picture(path, grey=grey, metadata=metadata)
    raise InputError(
        f"'{path}' is {'empty' if not head else 'no image of a kind that can be read'}; give a TIFF, PNG, BMP or "
        "JPEG file, a folder of them, or OME-Zarr."
    )


def open_folder(folder: Path, *, grey: bool) -> Contents:
    """Open a folder's images in natural order (slice 2 before slice 10); name the files that are none.

    Raises
    ------
    InputError
        If there is no image, one is damaged, or they differ in size or type.
    """
    images, skipped = list_images(folder)
    contents = open_files(images, grey=grey)
    return replace(contents, notices=(*skipped, *contents.notices))


def list_images(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Images of a folder in natural order, and a sentence naming the files that are none.

    Raises
    ------
    InputError
        If there is no image.
    """
    files = natsorted(
        (p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")),
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


def open_files(paths: Sequence[Path], *, grey: bool) -> Contents:
    """Join files in the order given; what is known about the first holds for all.

    Raises
    ------
    InputError
        If one is damaged, or they differ in size or type.
    """
    first = open_file(paths[0], grey=grey)
    if len(paths) == 1:
        return first
    parts: list[Planes] = [first.planes]
    parts += [open_file(p, grey=grey, metadata=False).planes for p in paths[1:]]
    _check_alike(parts)
    return replace(first, planes=JoinedPlanes.of(tuple(parts)))


def _check_alike(parts: Sequence[Planes]) -> None:
    kinds = [(part.shape[1:], part.dtype) for part in parts]
    ((usual, _),) = Counter(kinds).most_common(1)
    for part, kind in zip(parts, kinds, strict=True):
        if kind != usual:
            raise InputError(
                f"'{part.files[0]}' is {_described(kind)}, but the other slices are {_described(usual)}; leave it "
                "out or give slices of one size and type."
            )


def _described(kind: tuple[tuple[int, ...], np.dtype[Any]]) -> str:
    (height, width), dtype = kind
    return f"{width} x {height} pixels of {dtype}"


def _is_image(path: Path) -> bool:
    # a slice that lost its content must not be left out silently, so its name counts too
    return path.suffix.lower() in SUFFIXES or _head(path).startswith((*tiff.MAGIC, *picture.MAGIC))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(8)
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be opened ({error.strerror}); check the file."
        ) from error
