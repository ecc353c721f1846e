"""Whether the images of a folder can be slices of one specimen at all.

Neighbouring slices of a stack show nearly the same: of FIB-SEM at 10 nm a slice, slices 80 nm apart still correlate
by 0.4 to 0.5, while neighbours in folders of unrelated micrographs (ceramics, metal powder, silica, plants, a
superalloy) correlate by -0.05 to 0.05.
"""

from collections.abc import Generator
from itertools import pairwise
from math import hypot
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.registration import phase_cross_correlation

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io.read.folder import open_file
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

# Neighbours in the middle of the list that correlate by less have no common content.
_ALIKE = 0.2
_PAIRS = 7
# Shorter side in pixels to which slices are reduced: noise averages out, content stays.
_SMALL = 96
# Structure between these two widths, in reduced pixels, is compared; broader is shading.
_FINE, _BROAD = 1.0, 12.0
# Neighbours that share less of their field than this share nothing that could be compared.
_SHARED = 0.5


def iter_unrelated(stack: SemStack) -> Generator[Event, None, str | None]:
    """Say why a stack of several files looks like separate images, or None where it looks like a stack.

    Stage positions that lie further apart than the field is wide tell, and so does content: the median
    correlation of neighbours, laid over each other by phase correlation (Kuglin and Hines 1975).

    Parameters
    ----------
    stack
        One slice for each of its ``paths``; anything else, and fewer than three slices, is not doubted.

    Yields
    ------
    Event
        Progress after each pair of neighbours.
    """
    count = stack.shape[0]
    if count < 3 or len(stack.paths) != count:
        return None
    firsts = evenly_spaced(count - 1, _PAIRS)
    apart = _stage_apart_mm([stack.paths[z] for z in (*firsts, count - 1)])
    width_nm = stack.voxel_nm[2]
    if apart is not None and width_nm is not None and apart * 1e6 > width_nm * stack.shape[2]:
        return f"the stage moved by {apart:.3g} mm between them, more than the width of an image"
    alike = []
    for done, z in enumerate(firsts):
        yield Progress("comparing neighbours", done, len(firsts), "pairs")
        found = _likeness(stack, z)
        if found is not None:
            alike.append(found)
    if alike and float(np.median(alike)) < _ALIKE:
        return "neighbouring images show nothing in common"
    return None


def _stage_apart_mm(paths: list[Path]) -> float | None:
    """Median distance of the stage between neighbours of a list, in mm; None where files do not say."""
    places = [_place_mm(path) for path in paths]
    steps = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places) if a and b]
    return float(np.median(steps)) if steps else None


def _place_mm(path: Path) -> tuple[float, float] | None:
    try:
        stage = open_file(path, grey=True).instrument.stage_mm
    except InputError:
        return None
    x, y, _ = stage or (None, None, None)
    return None if x is None or y is None else (x, y)


def _likeness(stack: SemStack, z: int) -> float | None:
    """Correlation of slices ``z`` and ``z + 1``; None where one is blank or cannot be read."""
    try:
        first, second = (_reduced(stack, index) for index in (z, z + 1))
    except InputError:
        return None
    if first.std() == 0 or second.std() == 0:
        return None
    align: Any = phase_cross_correlation
    dy, dx = (round(float(v)) for v in align(first, second)[0])
    one = first[_overlap(first.shape[0], dy), _overlap(first.shape[1], dx)]
    other = second[_overlap(first.shape[0], -dy), _overlap(first.shape[1], -dx)]
    if one.size < _SHARED * first.size or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _reduced(stack: SemStack, z: int) -> npt.NDArray[np.float32]:
    first, end = stack.image_rows or (0, stack.shape[1])
    image = np.nan_to_num(stack.slice(z)[first:end].astype(np.float32))
    step = max(1, min(image.shape) // _SMALL)
    height, width = (n // step for n in image.shape)
    blocks = image[: height * step, : width * step].reshape(height, step, width, step)
    small = blocks.mean(axis=(1, 3))
    found: Any = gaussian_filter(small, _FINE) - gaussian_filter(small, _BROAD)
    return np.asarray(found, np.float32)


def _overlap(size: int, shift: int) -> slice:
    return slice(max(0, shift), size + min(0, shift))
