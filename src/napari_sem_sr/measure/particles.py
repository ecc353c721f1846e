"""Particles and pores: found in two pictures under one segmentation, matched one to one, counted by diameter.

Segmentation is a threshold between the phases (Otsu 1979), taken from one picture and used for all, after a blur of one
pixel; an object must rise above the threshold by twice the noise that is left somewhere (hysteresis), and touching
objects are parted by a watershed of the distance to their rim. Particles are islands of the bright phase,
pores of the dark one; a phase that covers more than three quarters of the picture is the ground and has no objects. Objects at
the border are cut off and left out. Matching takes the nearest centres first; the centres of a match are
closer than half of the larger diameter, and the diameters within a factor of two.

What it can and cannot tell: whether objects are there, and of what size, for pictures whose phases differ in grey.
A matched object may still have the wrong shape. Diameters are those of the disc of equal area.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import (
    center_of_mass,
    distance_transform_edt,
    gaussian_filter,
    label,
    maximum_filter,
)
from scipy.spatial import cKDTree
from skimage.filters import apply_hysteresis_threshold, threshold_otsu
from skimage.segmentation import clear_border, watershed

from napari_sem_sr.metrics.noise import noise_sigma

Image = npt.NDArray[Any]
Polarity = Literal["bright", "dark"]
Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

SMOOTH_PX = 1.0
# A Gaussian blur of 1 pixel leaves this share of white noise.
NOISE_LEFT = 0.282
SIGMAS = 2.0
# Window in which the middle of an object is the farthest from its rim.
PARTED_PX = 5
# Share of the picture from which on a phase is the ground.
GROUND = 0.75
SMALLEST_PX = 5
# Classes of diameter in pixels, three to an octave.
OCTAVE = 3
EDGES_PX = 2.0 * 2 ** (np.arange(22) / OCTAVE)
# With fewer objects a class says nothing.
ENOUGH = 5
RECALLS = (0.9, 0.5)


@dataclass(frozen=True)
class Segmentation:
    """Which pixels belong to objects.

    Parameters
    ----------
    polarity
        "bright" for particles, "dark" for pores.
    threshold
        Grey level between the phases.
    rise
        Grey levels beyond it that every object reaches somewhere.
    """

    polarity: Polarity
    threshold: float
    rise: float = 0.0

    @classmethod
    def of(cls, image: Image, polarity: Polarity) -> "Segmentation":
        """Take it from one picture (y, x), HR or a teacher, for all that are compared with it; NaN left out.

        Parameters
        ----------
        image
            ``(y, x)``; may hold NaN.
        polarity
            Whether the phase is bright or dark.
        """
        smooth = _smooth(image)
        values = smooth[np.isfinite(smooth)]
        flat = values.size == 0 or float(np.ptp(values)) == 0
        middle = 0.0 if values.size == 0 else float(values[0])
        threshold = middle if flat else float(threshold_otsu(values))  # type: ignore[no-untyped-call]
        return cls(polarity, threshold, SIGMAS * NOISE_LEFT * noise_sigma(image))

    def mask(self, image: Image) -> npt.NDArray[np.bool_]:
        """Pixels (y, x) of the phase; NaN is ground.

        Parameters
        ----------
        image
            ``(y, x)``; may hold NaN.
        """
        sign = 1.0 if self.polarity == "bright" else -1.0
        level = np.nan_to_num(sign * (_smooth(image) - self.threshold), nan=-np.inf)
        if not (level > self.rise).any():
            return np.zeros(image.shape, bool)
        found = apply_hysteresis_threshold(level, 0.0, max(self.rise, 1e-12))  # type: ignore[no-untyped-call]
        return np.asarray(found, bool)


@dataclass(frozen=True, eq=False)
class Particles:
    """Objects of one picture.

    Parameters
    ----------
    centres
        (n, 2): y, x in pixels.
    diameters
        (n,): of the disc of equal area, in ``unit``.
    unit_px
        Pixels per unit of the diameters.
    labels
        (y, x): 0 on the ground, i + 1 on object i.
    """

    centres: Vector
    diameters: Vector
    unit_px: float
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.diameters)


@dataclass(frozen=True, eq=False)
class Matches:
    """Which objects of two pictures are the same.

    Parameters
    ----------
    pairs
        (n, 2): index in the truth, index in the other.
    missed
        Indices of the truth that the other lacks.
    invented
        Indices of the other that the truth lacks.
    """

    pairs: Index
    missed: Index
    invented: Index


def detect(
    image: Image,
    pixel_nm: float | None,
    polarity: Polarity = "bright",
    segmentation: Segmentation | None = None,
) -> Particles:
    """Find the objects of one picture.

    Parameters
    ----------
    image
        (y, x), any real dtype; NaN is ground.
    pixel_nm
        Diameters are in nm; in pixels where it is None.
    polarity
        "bright" for particles, "dark" for pores; that of ``segmentation`` where one is given.
    segmentation
        By default that of the picture itself; give one to compare pictures.
    """
    segmentation = segmentation or Segmentation.of(image, polarity)
    mask = segmentation.mask(image)
    unit = pixel_nm or 1.0
    if not mask.any() or mask.mean() > GROUND:
        return Particles(np.empty((0, 2)), np.empty(0), 1 / unit, np.zeros(image.shape, np.int32))
    distance = np.asarray(distance_transform_edt(mask))
    rounded = np.asarray(gaussian_filter(distance, SMOOTH_PX))
    tops, _ = label((rounded == maximum_filter(rounded, PARTED_PX)) & mask, np.ones((3, 3)))
    parted = clear_border(watershed(-rounded, tops, mask=mask))  # type: ignore[no-untyped-call]
    areas = np.bincount(parted.ravel())
    kept = np.flatnonzero(areas >= SMALLEST_PX)
    kept = kept[kept > 0]
    renumbered = np.zeros(areas.size, np.int32)
    renumbered[kept] = np.arange(1, kept.size + 1)
    labels = renumbered[parted]
    if kept.size == 0:
        return Particles(np.empty((0, 2)), np.empty(0), 1 / unit, labels)
    centres = center_of_mass(labels > 0, labels, np.arange(1, kept.size + 1))
    diameters = 2 * np.sqrt(areas[kept] / np.pi) * unit
    return Particles(np.array(centres, np.float64), diameters, 1 / unit, labels)


def match(truth: Particles, other: Particles) -> Matches:
    """Match two pictures' objects one to one, nearest centres first.

    Parameters
    ----------
    truth
        Objects of HR.
    other
        Objects of another picture of the same field.
    """
    everything = (np.arange(len(truth)), np.arange(len(other)))
    if len(truth) == 0 or len(other) == 0:
        return Matches(np.empty((0, 2), np.intp), *everything)
    a, b = truth.diameters * truth.unit_px, other.diameters * other.unit_px
    reach = float(max(a.max(), b.max())) / 2
    near = cKDTree(truth.centres).sparse_distance_matrix(
        cKDTree(other.centres), reach, output_type="ndarray"
    )
    larger = np.maximum(a[near["i"]], b[near["j"]])
    smaller = np.minimum(a[near["i"]], b[near["j"]])
    near = near[(near["v"] < larger / 2) & (larger <= 2 * smaller)]
    near = near[np.lexsort((near["j"], near["i"], near["v"]))]
    free = [np.ones(len(truth), bool), np.ones(len(other), bool)]
    pairs = []
    for i, j in zip(near["i"], near["j"], strict=True):
        if free[0][i] and free[1][j]:
            free[0][i] = free[1][j] = False
            pairs.append((int(i), int(j)))
    return Matches(
        np.array(pairs, np.intp).reshape(-1, 2), np.flatnonzero(free[0]), np.flatnonzero(free[1])
    )


def count(truth: Particles, other: Particles, matches: Matches) -> dict[str, list[int]]:
    """Objects by class of diameter (`EDGES_PX`): in the truth, of those found; in the other, of those right.

    Parameters
    ----------
    truth
        Objects of HR.
    other
        Objects of another picture of the same field.
    matches
        As `match` gives them.
    """

    def classes(particles: Particles, which: Index | slice = np.s_[:]) -> list[int]:
        diameters = particles.diameters[which] * particles.unit_px
        return [int(v) for v in np.histogram(diameters, EDGES_PX)[0]]

    return {
        "true": classes(truth),
        "found": classes(truth, matches.pairs[:, 0]),
        "drawn": classes(other),
        "right": classes(other, matches.pairs[:, 1]),
    }


def summarise_counts(
    counts: Sequence[Mapping[str, Sequence[int]]], pixel_nm: float | None
) -> dict[str, Any]:
    """Recall and precision by diameter, of `count` of one or many pictures.

    Parameters
    ----------
    counts
        `count` of each picture.
    pixel_nm
        Side of a pixel in nm; None where unknown.

    Returns
    -------
    ``diameter_edges`` (in ``unit``, "nm" or "px"), counts by class, ``recall`` and ``precision`` (None in classes with
    fewer than 5 objects), totals, and ``diameter_recall_90`` and ``diameter_recall_50``: the smallest diameter from which on
    the objects of every octave of diameter reach that recall together; None if there is none.
    """
    unit = pixel_nm or 1.0
    total = {key: np.sum([c[key] for c in counts], axis=0) for key in counts[0]}
    recall = _share(total["found"], total["true"])
    return {
        "unit": "px" if pixel_nm is None else "nm",
        "diameter_edges": [float(e * unit) for e in EDGES_PX],
        **{key: [int(v) for v in values] for key, values in total.items()},
        "recall": recall,
        "precision": _share(total["right"], total["drawn"]),
        "n_true": int(total["true"].sum()),
        "n_missed": int((total["true"] - total["found"]).sum()),
        "n_invented": int((total["drawn"] - total["right"]).sum()),
        **{
            f"diameter_recall_{round(100 * r)}": _smallest(total["found"], total["true"], r, unit)
            for r in RECALLS
        },
    }


def _share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> list[float | None]:
    return [float(p / w) if w >= ENOUGH else None for p, w in zip(part, whole, strict=True)]


def _smallest(found: Any, true: Any, wanted: float, unit: float) -> float | None:
    smallest = None
    for i in range(len(true) - 1, -1, -1):
        if true[i] < ENOUGH:
            continue
        # an octave at a time: single classes hold few objects and scatter
        if found[i : i + OCTAVE].sum() < wanted * true[i : i + OCTAVE].sum():
            break
        smallest = float(EDGES_PX[i] * unit)
    return smallest


def _smooth(image: Image) -> Vector:
    values = image.astype(np.float64)
    masked = ~np.isfinite(values)
    if not masked.any():
        return np.asarray(gaussian_filter(values, SMOOTH_PX))
    weight = gaussian_filter((~masked).astype(np.float64), SMOOTH_PX)
    smooth = gaussian_filter(np.where(masked, 0.0, values), SMOOTH_PX)
    return np.where(masked, np.nan, smooth / np.maximum(weight, 1e-9))
