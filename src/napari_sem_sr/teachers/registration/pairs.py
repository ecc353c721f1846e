"""Real LR and HR recordings of one field, made into pairs that lie pixel on pixel.

A pair is a folder with three files:

``lr.tif``
    the part of LR that HR shows, pixels as they were recorded;
``hr.tif``
    HR resampled to LR's grid divided by the factor, on LR's grey scale (gain × HR + offset) and in LR's dtype; exactly
    factor × factor of its pixels lie on one pixel of ``lr.tif``, slice by slice where there are several;
``registration.json``
    how it came about: what `iter_register` returns.

``sem-sr train --pairs DIR`` takes such a folder, or a folder of them.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors
from napari_sem_sr.io.write.tiff import iter_write_tiff
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.registration.placement import Picture, inner_box
from napari_sem_sr.teachers.registration.register import Registration, register

LR, HR, REGISTRATION = "lr.tif", "hr.tif", "registration.json"
# Pixel sizes are written with a few digits.
TOLERANCE = 0.01
# Slices of a stack that are registered to find one place for all.
SAMPLED_SLICES = 8
# SR pixels that a slice may lie from the place that is taken for all.
DRIFT_PX = 1.0


@dataclass(frozen=True)
class PairGrid:
    """SR pixels per LR pixel, and HR pixels per SR pixel.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    pixel_ratio
        HR pixels per SR pixel; need not be whole.
    """

    factor: int
    pixel_ratio: float


def grid_of(lr: SemStack, hr: SemStack, factor: int | None = None) -> PairGrid:
    """Find the grid of SR from pixel sizes, or from shapes where no pixel size is known.

    Parameters
    ----------
    lr
        As recorded.
    hr
        The same field on the better microscope.
    factor
        SR pixels per LR pixel; None chooses the one nearest to the ratio of pixel sizes.

    Raises
    ------
    InputError
        If HR's pixels are not finer than LR's, or nothing says how much finer.
    """
    sizes = list(zip(lr.voxel_nm[1:], hr.voxel_nm[1:], strict=True))
    known = [a / b for a, b in sizes if a is not None and b is not None]
    shapes = [n / m for n, m in zip(hr.shape[1:], lr.shape[1:], strict=True)]
    if len(known) == 2:
        ratios, said = known, "of their pixel sizes"
    elif round(shapes[0]) == round(shapes[1]) >= 2:
        # nothing but their shapes: rows that do not fill an LR pixel are no sign of another scale
        ratios, said = [float(round(shapes[0]))] * 2, "of their shapes"
    else:
        raise InputError(
            f"The pixel sizes of '{lr.name}' and '{hr.name}' are not both known, and their shapes {lr.shape} and {hr.shape} "
            "do not say it either; give files with pixel sizes."
        )
    if abs(ratios[0] / ratios[1] - 1) > TOLERANCE:
        raise InputError(
            f"The pixels of '{hr.name}' are {ratios[0]:.3g} times finer along y and {ratios[1]:.3g} times along x; give pictures "
            "whose pixels have the same proportions."
        )
    found = round(ratios[1]) if factor is None else factor
    if found < 2:
        raise InputError(
            f"The pixels of '{hr.name}' are {ratios[1]:.3g} times finer than those of '{lr.name}' by the ratio {said}; HR has to be "
            "at least twice as fine."
        )
    ratio = ratios[1] / found
    return PairGrid(found, 1.0 if abs(ratio - 1) < TOLERANCE else ratio)


def iter_register(
    lr: SemStack,
    hr: SemStack,
    out: str | Path,
    *,
    factor: int | None = None,
    scale_and_rotation: bool = False,
) -> Generator[Event, None, dict[str, Any]]:
    """Register ``hr`` with ``lr`` slice by slice and write the pair.

    Parameters
    ----------
    lr, hr
        As many slices each, of the same field.
    out
        Folder for the pair.
    factor
        SR pixels per LR pixel; by default that of the pixel sizes, or of the shapes.
    scale_and_rotation
        Also find how HR is stretched and turned.

    Returns
    -------
    ``shift_px`` and the other fields of `Registration` (medians over the slices), ``slices`` (each slice's own),
    ``region`` (the part of LR that is in the pair, ((y0, y1), (x0, x1)) in LR pixels) and ``clipped_fraction`` (of HR's
    pixels, that LR's dtype cannot hold).

    Raises
    ------
    InputError
        If a slice cannot be registered.
    OutputError
        If ``out`` holds something already, or cannot be written.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"'{out}' holds something already; give a new folder for the pair.")
    _check_slices(lr, hr)
    grid = grid_of(lr, hr, factor)
    shape = (grid.factor * lr.shape[1], grid.factor * lr.shape[2])
    found: list[Registration] = []
    covered = np.ones(shape, bool)
    for index in range(lr.shape[0]):
        yield Progress("registering", index, lr.shape[0], "slices")
        plane = hr.slice(index)
        found.append(_one(lr, hr, index, grid, scale_and_rotation=scale_and_rotation))
        picture = Picture.of(plane, grid.pixel_ratio)
        covered &= np.isfinite(picture.placed(found[-1].placement, shape))
    box = inner_box(covered, grid.factor)
    if box is None:
        raise InputError(
            f"The slices of '{hr.name}' have no part of '{lr.name}' in common; give recordings of one field."
        )
    region = _coarse(box, grid.factor)
    part = lr.cropped(region=region)
    clipped: dict[int, int] = {}

    def look(index: int) -> npt.NDArray[Any]:
        one = found[index]
        seen = Picture.of(hr.slice(index), grid.pixel_ratio).placed(one.placement, shape)[box]
        image, clipped[index] = to_dtype(
            (one.gain * seen + one.offset).astype(np.float32), lr.dtype
        )
        return image

    fine = part.upscaled(_lazily(look, lr.shape[0], box, lr.dtype), grid.factor)
    with translate_os_errors(out):
        make_folder(out.absolute())
    yield from iter_write_tiff(
        replace(part, name=lr.name), out / LR, provenance={"synthetic": False}
    )
    about = {
        "synthetic": False,
        "registered_from": hr.content_hash,
        "registered_to": lr.content_hash,
    }
    yield from iter_write_tiff(replace(fine, name=hr.name), out / HR, provenance=about)
    described = {
        **typical(found).describe(),
        "region": [list(side) for side in region],
        "clipped_fraction": sum(clipped.values()) / (fine.shape[0] * fine.shape[1] * fine.shape[2]),
        "slices": [one.describe() for one in found],
        "lr": {"name": lr.name, "hash": lr.content_hash},
        "hr": {"name": hr.name, "hash": hr.content_hash},
    }
    with translate_os_errors(out), atomic_write(out / REGISTRATION) as path:
        path.write_text(
            json.dumps(described, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return described


def iter_register_stack(
    lr: SemStack, hr: SemStack, *, sampled: int = SAMPLED_SLICES, scale_and_rotation: bool = False
) -> Generator[Event, None, Registration]:
    """Find one place for a whole stack, from up to ``sampled`` of its slices.

    Parameters
    ----------
    lr
        As recorded.
    hr
        The same fields, slice by slice.
    scale_and_rotation
        Whether HR may be turned and stretched as well as shifted.

    Raises
    ------
    InputError
        If a slice cannot be registered, or a slice lies more than an SR pixel from the others.
    """
    _check_slices(lr, hr)
    grid = grid_of(lr, hr)
    picks = evenly_spaced(lr.shape[0], sampled)
    found = []
    for number, index in enumerate(picks):
        yield Progress("registering HR with LR", number, len(picks), "slices")
        found.append(_one(lr, hr, index, grid, scale_and_rotation=scale_and_rotation))
    middle = typical(found)
    apart = max(float(np.hypot(*np.subtract(f.shift_px, middle.shift_px))) for f in found)
    if apart > DRIFT_PX:
        raise InputError(
            f"The slices of '{hr.name}' drift by {apart:.1f} SR pixels against '{lr.name}', so no single place fits all of them; "
            "make a pair with sem-sr register first, which places each slice on its own."
        )
    return middle


def registered(lr: SemStack, hr: SemStack, found: Registration) -> SemStack:
    """HR on SR's grid, where LR lies, cropped to whole LR pixels that it covers; its own grey values and dtype, lazy.

    Parameters
    ----------
    lr
        As recorded.
    hr
        As recorded.
    found
        Where HR lies over LR.

    Raises
    ------
    InputError
        If it covers none.
    """
    shape = (found.factor * lr.shape[1], found.factor * lr.shape[2])
    picture = Picture.of(hr.slice(0), found.pixel_ratio)
    box = inner_box(np.isfinite(picture.placed(found.placement, shape)), found.factor)
    if box is None:
        raise InputError(f"'{hr.name}' covers no part of '{lr.name}'; give HR of the same field.")

    def look(index: int) -> npt.NDArray[Any]:
        plane = Picture.of(hr.slice(index), found.pixel_ratio)
        seen = plane.placed(found.placement, shape)[box]
        return to_dtype(seen.astype(np.float32), hr.dtype)[0]

    data = _lazily(look, hr.shape[0], box, hr.dtype)
    return replace(
        lr.cropped(region=_coarse(box, found.factor)).upscaled(data, found.factor),
        name=hr.name,
        instrument=hr.instrument,
        provenance=hr.provenance,
        paths=(),
    )


def typical(found: list[Registration]) -> Registration:
    """Median of several registrations, one value at a time.

    Parameters
    ----------
    found
        Of slices of one stack.
    """
    if len(found) == 1:
        return found[0]

    def middle(name: str) -> Any:
        values = np.median([getattr(f, name) for f in found], axis=0)
        return (float(values[0]), float(values[1])) if np.ndim(values) else float(values)

    names = ("shift_px", "rotation_deg", "scale", "gain", "offset", "residual_rms", "correlation")
    worst = max(found, key=lambda f: f.bend_px)
    return replace(worst, **{name: middle(name) for name in names})


def _check_slices(lr: SemStack, hr: SemStack) -> None:
    if lr.shape[0] != hr.shape[0]:
        raise InputError(
            f"'{lr.name}' has {lr.shape[0]} slices and '{hr.name}' {hr.shape[0]}; give recordings of the same slices."
        )


def _one(
    lr: SemStack, hr: SemStack, index: int, grid: PairGrid, *, scale_and_rotation: bool
) -> Registration:
    try:
        return register(
            lr.slice(index),
            hr.slice(index),
            grid.factor,
            pixel_ratio=grid.pixel_ratio,
            scale_and_rotation=scale_and_rotation,
        )
    except InputError as error:
        if lr.shape[0] == 1:
            raise
        raise InputError(f"Slice {index}: {error}") from error


def _coarse(box: tuple[slice, slice], factor: int) -> tuple[tuple[int, int], tuple[int, int]]:
    y, x = box
    return (y.start // factor, y.stop // factor), (x.start // factor, x.stop // factor)


def _lazily(look: Any, slices: int, box: tuple[slice, slice], dtype: np.dtype[Any]) -> da.Array:
    shape = (1, box[0].stop - box[0].start, box[1].stop - box[1].start)

    def block(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(look(int(numbers.ravel()[0])))[np.newaxis]

    numbers = da.arange(slices, chunks=1)[:, None, None]
    data: da.Array = da.map_blocks(
        block,
        numbers,
        dtype=dtype,
        chunks=((1,) * slices, shape[1:2], shape[2:]),
        meta=np.empty((0, 0, 0), dtype),
    )
    return data
