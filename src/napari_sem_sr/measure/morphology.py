"""What an analysis would take from a picture: area fraction, sizes, chord lengths, spectrum; in 3D the connectivity.

All are sums over pictures, kept as plain numbers, so that a stack of any length is added up slice by slice. The phase is
that of `particles.Segmentation`. Chords are the straight runs inside the phase along y and x that do not touch the border
(Delesse 1847 for area fractions, Underwood 1970 for chords). Connectivity in 3D: components of the phase (edges in
the plane, faces between slices) from the labels of each slice and their overlaps with the slice before.

What it can and cannot tell: averages over a field, which is what an analysis reports; not whether one structure is true.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_sem_sr.measure.particles import EDGES_PX, Segmentation, detect
from napari_sem_sr.metrics.rings import frequency, ring_numbers, ring_totals

Image = npt.NDArray[Any]
Numbers = dict[str, Any]

# Classes of frequency up to half a cycle per pixel.
RINGS = 48
# Classes of diameter are those of particles, down to one pixel.
EDGES = np.concatenate([[1.0, 1.5], EDGES_PX])
# Chords are whole pixels long, so that their classes end between them.
CHORD_EDGES = np.unique(np.floor(2.0 ** (np.arange(1, 28) / 3))) - 0.5


def measure(image: Image, segmentation: Segmentation) -> Numbers:
    """Sums over one picture (y, x); lengths in its pixels, NaN is ground and does not count.

    Parameters
    ----------
    image
        ``(y, x)``; may hold NaN.
    segmentation
        The one that all pictures share.
    """
    mask, valid = segmentation.mask(image), np.isfinite(image)
    objects = detect(image, None, segmentation=segmentation)
    chords = np.concatenate([_runs(mask), _runs(mask.T)])
    return {
        "pixels": int(np.count_nonzero(valid)),
        "phase": int(np.count_nonzero(mask)),
        "objects": _classes(objects.diameters, EDGES),
        "chords": _classes(chords, CHORD_EDGES),
        "chord_sum": float(chords.sum()),
        "chord_count": int(chords.size),
        "power": _power(image),
    }


def summarise_morphology(slices: Sequence[Mapping[str, Any]], pixel: float) -> dict[str, Any]:
    """Fraction, densities and spectrum of several pictures together.

    Parameters
    ----------
    slices
        Of `measure`.
    pixel
        Size of a pixel in the unit that lengths are wanted in.

    Returns
    -------
    ``fraction`` of the phase; ``objects`` per unit of area by class and ``objects_density`` in all; ``diameter_median``;
    ``chord_mean``, ``chords`` (share of all chords, per octave of length, by class); ``power`` (share of all power per class of frequency, without
    the mean). ``edges`` and ``chord_edges`` are those of the classes.
    """
    t = {key: np.sum([s[key] for s in slices], axis=0) for key in slices[0]}
    octaves = np.diff(np.log2(CHORD_EDGES))
    area = max(1.0, float(t["pixels"])) * pixel**2
    return {
        "fraction": float(t["phase"] / max(1, t["pixels"])),
        "objects_density": float(t["objects"].sum() / area),
        "objects": [float(v / area) for v in t["objects"]],
        "diameter_median": _median(t["objects"], pixel),
        "chord_mean": float(t["chord_sum"] / t["chord_count"]) * pixel if t["chord_count"] else None,
        "chords": [float(v) for v in t["chords"] / max(1, t["chords"].sum()) / octaves],
        "power": [float(v) for v in t["power"] / max(1e-12, t["power"].sum())],
        "edges": [float(e * pixel) for e in EDGES],
        "chord_edges": [float(e * pixel) for e in CHORD_EDGES],
    }  # fmt: skip


def slice_links(mask: npt.NDArray[np.bool_], before: npt.NDArray[np.bool_] | None) -> Numbers:
    """Components of one slice: their sizes, and which components of the slice ``before`` they lie on.

    Parameters
    ----------
    mask
        ``(y, x)``, where the phase is.
    """
    labels, n = label(mask)
    found: Numbers = {"sizes": [int(v) for v in np.bincount(labels.ravel(), minlength=n + 1)[1:]]}
    if before is not None:
        other = label(before)[0]
        both = (labels > 0) & (other > 0)
        pairs = np.unique(other[both].astype(np.int64) * (n + 1) + labels[both])
        found["links"] = [[int(p // (n + 1)) - 1, int(p % (n + 1)) - 1] for p in pairs]
    return found


def connectivity(slices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Components of the phase in 3D, from `slice_links` of every slice in order.

    Parameters
    ----------
    slices
        `slice_links` of each slice.

    Returns
    -------
    ``components``; ``largest_share`` of the phase's voxels in the largest one (None without any); ``through``: whether one
    component reaches from the first slice to the last.
    """
    sizes = [np.asarray(s["sizes"], np.int64) for s in slices]
    first = np.concatenate([[0], np.cumsum([len(s) for s in sizes])])
    links = [
        np.asarray(s["links"], np.int64).reshape(-1, 2) + first[z - 1 : z + 1]
        for z, s in enumerate(slices)
        if z > 0
    ]
    n = int(first[-1])
    if n == 0:
        return {"components": 0, "largest_share": None, "through": False}
    ends = np.concatenate(links) if links else np.empty((0, 2), np.int64)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape=(n, n))
    count, component = connected_components(graph, directed=False)
    voxels = np.bincount(component, np.concatenate(sizes))
    top, bottom = component[: len(sizes[0])], component[first[-2] :]
    return {
        "components": int(count),
        "largest_share": float(voxels.max() / voxels.sum()),
        "through": bool(np.intersect1d(top, bottom).size),
    }


def _runs(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Lengths of the runs of True along rows that do not touch the border."""
    steps = np.diff(mask.astype(np.int8), axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    width = mask.shape[1]
    # a row that begins inside has an end without a start, and the other way round
    rows = np.flatnonzero(mask[:, 0])
    opened = np.column_stack([rows, np.full(rows.size, -1)])
    rows = np.flatnonzero(mask[:, -1])
    closed = np.column_stack([rows, np.full(rows.size, width - 1)])
    begin, stop = np.concatenate([opened, starts]), np.concatenate([ends, closed])
    begin = begin[np.lexsort((begin[:, 1], begin[:, 0]))]
    stop = stop[np.lexsort((stop[:, 1], stop[:, 0]))]
    inside = (begin[:, 1] >= 0) & (stop[:, 1] < width - 1)
    return np.asarray((stop[:, 1] - begin[:, 1])[inside], np.float64)


def _classes(lengths: npt.NDArray[np.float64], edges: npt.NDArray[np.float64]) -> list[int]:
    return [int(v) for v in np.histogram(lengths, edges)[0]]


def _median(counts: npt.NDArray[Any], pixel: float) -> float | None:
    if counts.sum() == 0:
        return None
    middles = np.sqrt(EDGES[1:] * EDGES[:-1])
    return float(middles[np.searchsorted(np.cumsum(counts), counts.sum() / 2)] * pixel)


def _power(image: Image) -> list[float]:
    """Power per class of frequency, per pixel of the image, without the mean; NaN is taken as the mean."""
    values = image.astype(np.float64)
    valid = np.isfinite(values)
    if not valid.any():
        return [0.0] * RINGS
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in image.shape))
    centred = np.where(valid, values - values[valid].mean(), 0.0) * window
    spectrum = np.abs(np.fft.rfft2(centred)) ** 2
    ring = ring_numbers(frequency(image.shape, half=True), 0.5, RINGS)
    counts = np.maximum(1, ring_totals(np.ones_like(spectrum), ring, RINGS))
    density = ring_totals(spectrum, ring, RINGS) / counts / (window**2).sum()
    # the first ring holds the mean and the window's own width
    density[0] = 0.0
    return [float(v) for v in density]
