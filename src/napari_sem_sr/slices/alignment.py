"""Slices laid over each other by whole pixels, without touching the files.

Whole pixels, because anything finer interpolates and so changes the noise that every later test relies on.

What it can and cannot tell: seen in the slices, a steady drift and a structure that runs obliquely through them are
the same, and aligning would straighten both. So what is irregular and what is steady are undone apart, and a person
chooses; where the tilt of an untracked stack is known, its shear is known too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.geometry import shear_nm
from napari_sem_sr.stack import SemStack

Interval = tuple[int, int]

# Fewer slices do not show what is steady and what is not.
FEWEST = 8
# Steps beyond so many median deviations are jumps.
_JUMP = 9.0


@dataclass(frozen=True)
class Alignment:
    """Where the content of each slice lies against that of the first.

    Parameters
    ----------
    wander
        (y, x) in pixels for each slice: content at (0, 0) of the first slice is at ``wander[z]`` of slice z.
    """

    wander: tuple[tuple[float, float], ...]

    @classmethod
    def of_steps(cls, steps: npt.NDArray[np.float64], *, steady_too: bool = False) -> "Alignment":
        """Add up how far, (z, 2) in pixels, each slice lies from the one before.

        Parameters
        ----------
        steps
            ``(z, 2)`` (y, x) in pixels; the first is 0.
        steady_too
            Undo what is steady as well, which straightens structure that runs obliquely.
        """
        total = np.cumsum(steps if steady_too else steps - steady(steps), axis=0)
        return cls(tuple((float(y), float(x)) for y, x in total - total[0]))

    @classmethod
    def of_shear(cls, stack: SemStack, direction: int = 1) -> "Alignment":
        """Undo the shear of a stack that the beam did not follow (:func:`~napari_sem_sr.geometry.shear_nm`).

        Parameters
        ----------
        stack
            With known tilt and known voxel size along z and y.
        direction
            1 where the face wanders towards larger y, -1 where it wanders towards smaller y.

        Raises
        ------
        InputError
            If the tilt, the slice thickness or the pixel size is unknown.
        """
        thickness, pixel, _ = stack.voxel_nm
        if stack.tilt_deg is None or thickness is None or pixel is None:
            raise InputError(
                f"The shear of '{stack.name}' follows from its tilt, slice thickness and pixel size; type in what is "
                "unknown."
            )
        step = direction * shear_nm(thickness, stack.tilt_deg) / pixel
        return cls(tuple((z * step, 0.0) for z in range(stack.shape[0])))

    @property
    def whole(self) -> npt.NDArray[np.intp]:
        """``wander`` in whole pixels, (z, 2)."""
        whole: npt.NDArray[np.intp] = np.rint(np.asarray(self.wander)).astype(np.intp)
        return whole

    def common(self, shape: tuple[int, int, int]) -> tuple[Interval, Interval]:
        """Rows and columns of the first slice (first, end) that all slices show.

        Parameters
        ----------
        shape
            (z, y, x) of the stack.

        Raises
        ------
        InputError
            If there are none, or the alignment is of another number of slices.
        """
        if len(self.wander) != shape[0]:
            raise InputError(
                f"The alignment is of {len(self.wander)} slices and the stack has {shape[0]}; align it again."
            )
        first = np.maximum(-self.whole.min(axis=0), 0)
        end = np.asarray(shape[1:]) - np.maximum(self.whole.max(axis=0), 0)
        if (end <= first).any():
            raise InputError(
                "Slices wander so far that no place is on all of them; align parts of the stack."
            )
        return (int(first[0]), int(end[0])), (int(first[1]), int(end[1]))

    def applied(self, stack: SemStack) -> SemStack:
        """Return the part of ``stack`` that all slices show, each slice at its place; lazily.

        Raises
        ------
        InputError
            If no part is common to all slices.
        """
        (y0, y1), (x0, x1) = self.common(stack.shape)
        data = da.map_blocks(
            _window,
            stack.data,
            starts=self.whole + np.array([y0, x0]),
            size=(y1 - y0, x1 - x0),
            chunks=(stack.data.chunks[0], (y1 - y0,), (x1 - x0,)),
            dtype=stack.dtype,
            meta=np.empty((0, 0, 0), stack.dtype),
        )
        origin, scale = stack.world.translate, stack.world.scale
        return replace(
            stack,
            data=data,
            name=f"{stack.name}_aligned",
            origin_nm=(origin[0], origin[1] + y0 * scale[1], origin[2] + x0 * scale[2]),
            # the pixels are no longer those of the files
            paths=(),
        )


def steady(steps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the steady part of ``steps`` (z, 2): one step for all slices, by which places move on the whole.

    Fitted to where slices lie and not to the steps, which say little where slices jitter; a single jump is no trend.
    """
    if len(steps) < FEWEST:
        return np.zeros_like(steps)
    # the first slice has none before it
    known = steps[1:]
    middle = np.median(known, axis=0)
    spread = np.median(np.abs(known - middle), axis=0)
    calm = np.where(np.abs(known - middle) > _JUMP * spread + 1, middle, known)
    slope = np.polyfit(np.arange(len(calm)), np.cumsum(calm, axis=0), 1)[0]
    return np.vstack([np.zeros((1, 2)), np.tile(slope, (len(known), 1))])


def _window(
    block: npt.NDArray[Any],
    starts: npt.NDArray[np.intp],
    size: tuple[int, int],
    block_info: Mapping[int, Any] | None = None,
) -> npt.NDArray[Any]:
    y, x = starts[block_info[0]["chunk-location"][0]] if block_info else starts[0]
    return block[:, y : y + size[0], x : x + size[1]]
