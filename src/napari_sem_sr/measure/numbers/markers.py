"""Where the objects of a phase are thickest, and which voxel belongs to which of them.

Touching objects are parted by a watershed of the distance to their border (Vincent & Soille 1991, IEEE PAMI 13, 583). Its markers are the
maxima of that distance, without those that lie within the largest sphere around a thicker one (Gostick 2017, Phys. Rev. E 96,
023307, trims likewise), so that an uneven border does not part an object.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter, label, maximum_filter
from scipy.spatial import cKDTree
from skimage.segmentation import watershed

from napari_sem_sr.stack import Triple

Mask = npt.NDArray[np.bool_]
SMOOTH = 1.0
WINDOW = 5


def distance(mask: Mask, voxel: Triple[float]) -> npt.NDArray[np.float32]:
    """Distance of each voxel of a phase to its border, in the unit of ``voxel``; what lies outside the array is no border.

    Parameters
    ----------
    mask
        Where the phase is, in two or three dimensions.
    """
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    return np.asarray(distance_transform_edt(mask, sampling=voxel), np.float32)


def part(mask: Mask, voxel: Triple[float]) -> npt.NDArray[np.int32]:
    """Part a phase into objects.

    Parameters
    ----------
    mask
        (z, y, x), with something outside the phase.
    voxel
        Voxel size (z, y, x).

    Returns
    -------
    0 outside the phase, and in each object one more than the flat index of its marker, which does not depend on where the array ends.
    """
    depth = distance(mask, voxel)
    # the same width in space along every axis
    smooth = gaussian_filter(depth, [SMOOTH * min(voxel) / v for v in voxel])
    window = [max(3, 2 * round(WINDOW // 2 * min(voxel) / v) + 1) for v in voxel]
    tops = (smooth == maximum_filter(smooth, window)) & mask
    flat, _ = label(tops, np.ones((3, 3, 3)))
    where = np.flatnonzero(flat)
    _, first = np.unique(flat.ravel()[where], return_index=True)
    places = where[first]
    kept = _trimmed(places, depth, voxel)
    markers = np.zeros(mask.shape, np.int32)
    markers.ravel()[kept] = kept + 1
    parted = np.asarray(watershed(-smooth, markers, mask=mask), np.int32)  # type: ignore[no-untyped-call]
    return _leftover(parted, mask)


def _trimmed(
    places: npt.NDArray[np.intp], depth: npt.NDArray[Any], voxel: Triple[float]
) -> npt.NDArray[np.intp]:
    """Markers (flat indices) that do not lie within the largest sphere around a thicker one."""
    if not places.size:
        return places
    radius = depth.ravel()[places]
    order = np.lexsort((places, -radius))
    places, radius = places[order], radius[order]
    points = np.column_stack(np.unravel_index(places, depth.shape)) * voxel
    tree = cKDTree(points)
    kept = np.ones(len(places), bool)
    for i in range(len(places)):
        if kept[i]:
            near = np.asarray(tree.query_ball_point(points[i], radius[i]))
            kept[near[near > i]] = False
    return places[kept]


def _leftover(parted: npt.NDArray[np.int32], mask: Mask) -> npt.NDArray[np.int32]:
    """Give objects to the specks so close to something thicker that they have no maximum of their own."""
    lost, n = label(mask & (parted == 0))
    if not n:
        return parted
    where = np.flatnonzero(lost)
    number, first = np.unique(lost.ravel()[where], return_index=True)
    ids = np.zeros(n + 1, np.int32)
    ids[number] = where[first] + 1
    return np.where(lost > 0, ids[lost], parted)
