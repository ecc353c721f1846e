"""BigTIFF with OME-XML, written slice by slice; whole, or not there."""

import json
import uuid
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors
from napari_sem_sr.io.bands import iter_bands
from napari_sem_sr.io.metadata.tiff import NAMESPACE
from napari_sem_sr.stack import SemStack

# What OME-XML 2016-06 has a name for.
TIFF_DTYPES = {"int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64"}


def write_tiff(stack: SemStack, path: str | Path, *, provenance: Mapping[str, Any]) -> Path:
    """Write a stack as OME-BigTIFF; see :func:`iter_write_tiff`.

    Parameters
    ----------
    stack
        Read slice by slice.
    path
        File to write.
    provenance
        As for `iter_write_tiff`.
    """
    return drain(iter_write_tiff(stack, path, provenance=provenance))


def iter_write_tiff(
    stack: SemStack, path: str | Path, *, provenance: Mapping[str, Any], overwrite: bool = False
) -> Generator[Event, None, Path]:
    """Write a stack as OME-BigTIFF, uncompressed, one page per slice, in constant memory.

    The physical sizes (nm) and the resolution tags (pixels per cm) are those of the stack, and left out
    where its voxel size is unknown. ``provenance`` (JSON values; ``synthetic`` is true unless it says
    otherwise), origin and pixel step are kept as JSON in an OME-XML comment annotation, from where
    ``read_stack`` takes them back. The file appears under its name when all of it is on disk; with ``overwrite`` another
    one keeps its place until then.

    Parameters
    ----------
    stack
        Read slice by slice.
    path
        File to write.

    Yields
    ------
    Event
        Progress after each slice.

    Returns
    -------
    The path.

    Raises
    ------
    OutputError
        If something is there already, the disk refuses, or OME-TIFF cannot hold the stack's dtype.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputError(f"'{path}' exists already; choose another name, or --overwrite it.")
    if stack.dtype.name not in TIFF_DTYPES:
        raise OutputError(
            f"OME-TIFF cannot hold {stack.dtype} pixels; write '{path.stem}.zarr' instead."
        )
    with translate_os_errors(path):
        make_folder(path.parent.absolute())
        with atomic_write(path) as unfinished:
            places = _laid_out(unfinished, stack, provenance)
            with unfinished.open("rb+") as stream:
                for index, place in enumerate(places):
                    stream.seek(place)
                    for number, band in enumerate(iter_bands(stack, index)):
                        if number:
                            yield Progress("writing", index, len(places), "slices")
                        band.astype(band.dtype.newbyteorder("<"), copy=False).tofile(stream)
                    yield Progress("writing", index + 1, len(places), "slices")
    return path


def _laid_out(path: Path, stack: SemStack, provenance: Mapping[str, Any]) -> list[int]:
    """Write everything but the pixels; returns where those of each slice begin."""
    places = []
    with tifffile.TiffWriter(path, bigtiff=True, byteorder="<") as writer:
        for index in range(stack.shape[0]):
            laid = writer.write(
                shape=stack.shape[1:],
                dtype=stack.dtype,
                photometric="minisblack",
                contiguous=True,
                description=_ome_xml(stack, provenance) if index == 0 else None,
                metadata=None,
                software=False,
                returnoffset=True,
                **_resolution(stack),
            )
            assert laid is not None, "what is contiguous has a place"
            places.append(int(laid[0]))
    return places


def _resolution(stack: SemStack) -> dict[str, Any]:
    _, y, x = stack.voxel_nm
    if y is None or x is None:
        return {}
    return {"resolution": (1e7 / x, 1e7 / y), "resolutionunit": tifffile.RESUNIT.CENTIMETER}


def _ome_xml(stack: SemStack, provenance: Mapping[str, Any]) -> bytes:
    provenance = {"synthetic": True, **provenance}
    ours = {
        "provenance": provenance,
        "origin": stack.origin_nm,
        "pixel_step": stack.pixel_step,
        **({} if stack.tilt_deg is None else {"tilt": stack.tilt_deg}),
    }
    sizes: dict[str, Any] = {}
    for axis, size in zip("ZYX", stack.voxel_nm, strict=True):
        if size is not None:
            sizes |= {f"PhysicalSize{axis}": float(size), f"PhysicalSize{axis}Unit": "nm"}
    z, y, x = stack.shape
    # by default a new one for every file, which would make equal pictures unequal files
    ome = tifffile.OmeXml(UUID=str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([ours, stack.name]))))
    ome.addimage(
        dtype=np.dtype(stack.dtype),
        shape=(z, y, x),
        storedshape=(z, 1, 1, y, x, 1),
        axes="ZYX",
        Name=stack.name,
        Description="super-resolved (synthetic)" if provenance["synthetic"] else "",
        CommentAnnotation={"Namespace": NAMESPACE, "Value": json.dumps(ours, allow_nan=False)},
        **sizes,
    )
    xml: str = ome.tostring(declaration=True)
    return xml.encode()
