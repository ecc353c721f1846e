"""Which axis of an array is which: as the file names them, or by the custom that z, y, x are the last three."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError

# What programs call the three axes; others are left as they are.
_CALLED = {
    **dict.fromkeys(("z", "depth", "plane", "slice", "slices", "section", "sections"), "z"),
    **dict.fromkeys(("y", "height", "row", "rows", "line", "lines"), "y"),
    **dict.fromkeys(("x", "width", "col", "cols", "column", "columns"), "x"),
}
_OTHERS = {"c": "channels", "channel": "channels", "t": "time points", "time": "time points"}
# Red, green, blue, alpha: a last axis as short as this is no row of pixels.
_MOST_SAMPLES = 4


def named(names: Sequence[str], shape: Sequence[int], where: str) -> tuple[str, ...]:
    """Return "z", "y", "x" or "" (of length 1, to be left out) for each axis of an array.

    Parameters
    ----------
    names
        One for each axis, as the file writes them.
    shape
        Of the array.
    where
        The array, as a person is told of it.

    Raises
    ------
    InputError
        If y or x is not among them, or another axis is longer than 1.
    """
    known = tuple(_CALLED.get(name.strip().lower(), name.strip().lower()) for name in names)
    if not {"y", "x"} <= set(known) or any(known.count(axis) > 1 for axis in "zyx"):
        raise InputError(
            f"{where} has the axes {', '.join(names)}; give an image with axes y and x."
        )
    for name, count in zip(known, shape, strict=True):
        if name not in ("z", "y", "x") and count > 1:
            what = _OTHERS.get(name, f"images along '{name}'")
            raise InputError(
                f"{where} holds {count} {what}; save the one you mean as a stack of its own."
            )
    return tuple(axis if axis in ("z", "y", "x") else "" for axis in known)


def guessed(shape: Sequence[int], where: str) -> tuple[str, ...]:
    """Take the last two axes of an array whose axes have no names for y, x, and one longer than 1 before for z.

    Parameters
    ----------
    shape
        Of the array.
    where
        The array, as a person would name it.

    Raises
    ------
    InputError
        If there are several such, or the last axis is so short that it rather holds colours.
    """
    before = [axis for axis, count in enumerate(shape[:-2]) if count != 1]
    if len(shape) < 2 or len(before) > 1 or min(shape) < 1:
        raise InputError(
            f"{where} has the shape {tuple(shape)}; give an image (y, x) or one stack (z, y, x)."
        )
    if len(shape) > 2 and shape[-1] <= _MOST_SAMPLES < min(shape[-3], shape[-2]):
        raise InputError(
            f"{where} has the shape {tuple(shape)} and does not say which axis is which; its last one looks like "
            "colours: save it with the axes z, y, x."
        )
    # of several of length 1, that next to y
    z = before[0] if before else len(shape) - 3
    return tuple(
        "y" if a == len(shape) - 2 else "x" if a == len(shape) - 1 else "z" if a == z else ""
        for a in range(len(shape))
    )


def size_of(axes: Sequence[str], shape: Sequence[int]) -> tuple[int, int, int]:
    """Return the number of voxels (z, y, x).

    Parameters
    ----------
    axes
        "z", "y", "x" or "" for each axis.
    shape
        Of the array.
    """
    size = dict(zip(axes, shape, strict=True))
    return int(size.get("z", 1)), int(size["y"]), int(size["x"])


def block(axes: Sequence[str], first: int, end: int, rows: slice = slice(None)) -> tuple[Any, ...]:
    """Return the index of slices ``first`` to ``end`` of an array, or of some of their rows.

    Parameters
    ----------
    axes
        "z", "y", "x" or "" for each axis.
    rows
        Of each slice.
    """
    place: dict[str, Any] = {"z": slice(first, end), "y": rows, "": 0}
    return tuple(place.get(axis, slice(None)) for axis in axes)


def in_order(values: npt.NDArray[Any], axes: Sequence[str]) -> npt.NDArray[Any]:
    """Return what `block` picked as (z, y, x).

    Parameters
    ----------
    values
        Of as many axes as the array.
    axes
        "z", "y", "x" or "" for each axis.
    """
    kept = [axis for axis in axes if axis]
    order = [kept.index(axis) for axis in "zyx" if axis in kept]
    turned = np.transpose(values, order)
    return turned if "z" in kept else turned[np.newaxis]
