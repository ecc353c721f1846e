"""Parts of stacks that fit into memory and cover one field, to be looked at in three dimensions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_sem_sr.stack import SemStack

Role = TypeVar("Role")
Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
# Voxels along an axis of the finest stack: what software rendering still turns smoothly.
LARGEST = 256
# Of the way from black to white: grey that still counts as something.
DARKEST = 1 / 64


def shared_part(
    stacks: Mapping[Role, SemStack], centre: tuple[float, float, float], largest: int = LARGEST
) -> dict[Role, SemStack]:
    """The same field of all stacks, lazily, around ``centre`` (z, y, x) of their common world.

    Parameters
    ----------
    stacks
        By role.
    largest
        Voxels along an axis of the finest stack at most.
    """
    bounds = []
    for axis in range(3):
        edges = [_edges(stack, axis) for stack in stacks.values()]
        low, high = max(e[0] for e in edges), min(e[1] for e in edges)
        span = min(high - low, largest * min(s.world.scale[axis] for s in stacks.values()))
        start = min(max(centre[axis] - span / 2, low), high - span)
        # on the edges of the coarsest, so that no pixel is cut
        coarse = max(stacks.values(), key=lambda s: s.world.scale[axis])
        first, step = _edges(coarse, axis)[0], coarse.world.scale[axis]
        start = first + round((start - first) / step) * step
        bounds.append((start, start + max(step, int(span / step + 1e-6) * step)))
    return {role: _cut(stack, (bounds[0], bounds[1], bounds[2])) for role, stack in stacks.items()}


def _edges(stack: SemStack, axis: int) -> tuple[float, float]:
    first = stack.world.translate[axis] - stack.world.scale[axis] / 2
    return first, first + stack.shape[axis] * stack.world.scale[axis]


def _cut(stack: SemStack, bounds: Bounds) -> SemStack:
    spans = []
    for axis, (low, high) in enumerate(bounds):
        first = _edges(stack, axis)[0]
        start, stop = (round((v - first) / stack.world.scale[axis]) for v in (low, high))
        start = min(max(0, start), stack.shape[axis] - 1)
        spans.append((start, min(max(start + 1, stop), stack.shape[axis])))
    return stack.cropped(spans[0], (spans[1], spans[2]))


def opaque(
    volume: npt.NDArray[Any],
    low: float,
    high: float,
    trust: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """The volume without black, which is left for what is not trusted and is to vanish.

    Parameters
    ----------
    volume
        ``(z, f * y, f * x)``.
    low, high
        Grey values that are rendered black and white; nothing trusted is darker than `DARKEST` of the way.
    trust
        ``(z, y, x)`` on the LR grid: 1 trusted, 0 not, NaN unknown; None trusts everything.
    """
    darkest = low + DARKEST * (high - low)
    lifted: npt.NDArray[Any] = np.maximum(volume, np.asarray(np.ceil(darkest)).astype(volume.dtype))
    if trust is not None:
        f = volume.shape[-1] // trust.shape[-1]
        fine = np.repeat(np.repeat(trust == 1, f, axis=-2), f, axis=-1)
        lifted[~fine] = np.asarray(np.floor(low)).astype(volume.dtype)
    return lifted


def in_memory(stack: SemStack, planes: npt.NDArray[Any]) -> SemStack:
    """The stack with pixels that are held in memory, where it lies.

    Parameters
    ----------
    stack
        Whose place and name are kept.
    planes
        ``(z, y, x)``.
    """
    return replace(stack, data=SemStack.from_array(planes, stack.name).data, paths=())
