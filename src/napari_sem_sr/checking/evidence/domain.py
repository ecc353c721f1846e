"""Whether an LR image looks like the images the model was taught on.

Source: our own comparison of image-level statistics, network activations and tile maps on real SEM images of
several materials. Statistics of the whole LR image carried the alarm; maps of single tiles and activations of
the network misled as soon as the teachers were diverse. The distance is that to the two nearest teacher specimens
(nearest-neighbour novelty detection, Pimentel et al. 2014, Signal Process. 99, 215), each measured by how far that
teacher lies from those of other specimens (local outlier factor, Breunig et al. 2000, Proc. SIGMOD, 93), in the teachers'
standard deviations: once by spectrum, noise, gradients and grey values, once by the patterns of neighbouring pixels
(see `patterns`); the geometric mean of both counts. It is judged against the distances that the teachers' own specimens
have when each is left out in turn.

What it can and cannot tell: it notices another material, more noise or more blur. It does not notice another
pixel size, which hardly changes these statistics and has to be compared from the metadata. With few teacher
specimens it cannot give a probability: the smallest conformal p-value of n specimens is 1/(n + 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.evidence.image_features import (
    FEATURES,
    FLOOR,
    NOISE,
    STATISTICS,
    Vector,
    fineness_of,
)
from napari_sem_sr.metrics.robust import middle_and_scatter

# 0.05 is out of reach with fewer: the smallest conformal p-value is 1/(n + 1).
MIN_SPECIMENS_FOR_P = 19
# MARGIN was chosen on simulated tin and superalloys, as the smallest with at most 15 % false alarms on both.
# The alarm is raised beyond this times the distance that hardly any specimen left out has: its 0.9 quantile, or
# what lies two robust standard deviations (of the logarithm) above its median where one odd specimen sets the quantile.
MARGIN, QUANTILE, DEVIATIONS = 1.15, 0.9, 2.0
NEAREST = 2
# Teachers of other specimens by which the surroundings of a teacher are measured.
AROUND = 3
# Specimens from which on an odd one among them can be told.
ENOUGH = 6
# Gates, beside the distance: log10 of noise above the noisiest teacher, and log10 of the power next to the Nyquist
# frequency over that at half of it below the softest. On held-out specimens of three materials they were
# never raised; noise that costs the twin its gain over bicubic, or a blur of 0.6 LR pixels, raised them.
NOISE_MARGIN = 0.1
BLUR_MARGIN = 0.2
# Keeps a feature that all teachers happen to share from deciding alone.
SMALLEST_SPREAD = 0.02


def fit_domain(
    features: npt.NDArray[np.float64], specimen_ids: Sequence[str]
) -> dict[str, npt.NDArray[Any]]:
    """Calibration arrays of a model's domain, for ``calibration.safetensors``.

    Parameters
    ----------
    features
        ``(n, d)``, one :func:`domain_features` per degraded teacher image.
    specimen_ids
        Specimen of each image: images of one specimen are not independent, so specimens are counted.

    Raises
    ------
    ValueError
        If there is no image, or not one specimen per image.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) == 0 or len(features) != len(specimen_ids):
        raise ValueError(f"features {features.shape} for {len(specimen_ids)} specimen names")
    _, numbers = np.unique(list(specimen_ids), return_inverse=True)
    return {"domain_features": features, "domain_specimens": numbers.astype(np.int64)}


@dataclass(frozen=True, eq=False)
class Domain:
    """What a model was taught on, as statistics of its degraded teachers.

    Parameters
    ----------
    features
        ``(n, FEATURES)``, one row per teacher image; ``(n, STATISTICS)`` in models calibrated before patterns were
        looked at, whose alarm is less sharp.
    specimens
        ``(n,)`` number of the specimen that each image shows.
    """

    features: npt.NDArray[np.float64]
    specimens: npt.NDArray[np.int64]

    @classmethod
    def of(cls, calibration: Mapping[str, npt.NDArray[Any]]) -> "Domain | None":
        """Domain kept in a model's calibration arrays; None where there is none that can be used.

        Parameters
        ----------
        calibration
            By name, any shape.
        """
        features, specimens = (calibration.get(f"domain_{k}") for k in ("features", "specimens"))
        if features is None or specimens is None or features.ndim != 2:
            return None
        if features.shape[1] not in (STATISTICS, FEATURES) or len(features) != len(specimens):
            return None
        return cls(np.asarray(features, np.float64), np.asarray(specimens, np.int64))

    @property
    def knows_patterns(self) -> bool:
        """Whether the teachers' patterns are known; not so in models calibrated by an early version."""
        return bool(self.features.shape[1] == FEATURES)

    @property
    def n_specimens(self) -> int:
        """Number of independent specimens."""
        return len(np.unique(self.specimens))

    def distance(self, features: Vector) -> float:
        """Distance from the teachers; 1 is what a teacher specimen typically has from the others.

        Parameters
        ----------
        features
            ``(d,)``, as of `image_features`.
        """
        described = features[: self.features.shape[1]]
        found = _novelty(self.features, self.specimens, described[None])[0]
        return float(_together(found / self._typical))

    @cached_property
    def _left_out(self) -> npt.NDArray[np.float64]:
        """``(specimens, kinds)``: of each specimen the median novelty of its images to the teachers without it."""
        rows = []
        for number in np.unique(self.specimens):
            own = self.specimens == number
            found = _novelty(self.features[~own], self.specimens[~own], self.features[own])
            rows.append(np.median(found, axis=0))
        return np.array(rows)

    @cached_property
    def _typical(self) -> Vector:
        if self.n_specimens < 2:
            return np.ones(1)
        return np.asarray(np.maximum(np.median(self._left_out, axis=0), 1e-9))

    @cached_property
    def left_out(self) -> Vector:
        """Distance of each specimen from the others; () for one."""
        if self.n_specimens < 2:
            return np.empty(0)
        return _together(self._left_out / self._typical)

    @property
    def threshold(self) -> float | None:
        """Distance beyond which the alarm is raised; None with fewer than two specimens."""
        if not self.left_out.size:
            return None
        logs = np.log(np.maximum(self.left_out, 1e-9))
        middle, spread = middle_and_scatter(logs, 0.0)
        robust = float(np.exp(middle + DEVIATIONS * spread))
        high = float(np.quantile(self.left_out, QUANTILE))
        # few specimens show too little spread to tell an odd one by it
        return MARGIN * (min(high, robust) if self.n_specimens >= ENOUGH else high)

    @property
    def noise(self) -> tuple[float, float]:
        """Least and largest noise of the teachers, as a share of the intensity range."""
        found = 10 ** self.features[:, NOISE] - FLOOR
        return float(found.min()), float(found.max())

    def is_noisier(self, features: Vector) -> bool:
        """Whether the image is clearly noisier than every teacher.

        Parameters
        ----------
        features
            ``(d,)``, as of `image_features`.
        """
        return bool(features[NOISE] > self.features[:, NOISE].max() + NOISE_MARGIN)

    def is_softer(self, features: Vector) -> bool:
        """Whether the image is clearly more blurred than every teacher.

        Parameters
        ----------
        features
            ``(d,)``, as of `image_features`.
        """
        return bool(fineness_of(features) < fineness_of(self.features).min() - BLUR_MARGIN)

    def unlike(self, features: Vector) -> list[str]:
        """What the pixels of an LR image say against the model, in words; the alarm is raised if anything.

        Parameters
        ----------
        features
            ``(d,)``, as of `image_features`.
        """
        reasons = []
        if self.threshold is not None and self.distance(features) > self.threshold:
            reasons.append("its LR looks unlike every teacher specimen")
        if self.is_noisier(features):
            reasons.append("its LR is noisier than every teacher's")
        if self.is_softer(features):
            reasons.append("its LR is more blurred than every teacher's")
        return reasons

    def p_value(self, distance: float) -> float | None:
        """Conformal p-value of ``distance``; None below ``MIN_SPECIMENS_FOR_P`` specimens.

        Source: Vovk, Gammerman, Shafer 2005, "Algorithmic Learning in a Random World"; leave-one-out
        scores make it approximate.
        """
        if self.n_specimens < MIN_SPECIMENS_FOR_P:
            return None
        at_least = int(np.count_nonzero(self.left_out >= distance))
        return (1 + at_least) / (1 + self.n_specimens)


def _together(distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Geometric mean over the last axis: one kind of statistic alone, out of chance, does not raise the alarm."""
    return np.asarray(np.exp(np.log(np.maximum(distances, 1e-9)).mean(axis=-1)))


def _by_kind(features: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Columns of the statistics, and of the patterns if there are any."""
    return [f for f in np.split(features, [STATISTICS], axis=1) if f.shape[1]]


def _novelty(
    teachers: npt.NDArray[np.float64],
    specimens: npt.NDArray[np.int64],
    images: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """``(images, kinds)``: distance to the nearest teachers by statistics, and by patterns where they are known."""
    # a specimen counts once, however many images show it
    _, which, count = np.unique(specimens, return_inverse=True, return_counts=True)
    weight = 1 / count[which]
    weight /= weight.sum()
    centre = weight @ teachers
    spread = np.sqrt(weight @ (teachers - centre) ** 2) + SMALLEST_SPREAD
    a, b = (teachers - centre) / spread, (images - centre) / spread
    found = []
    for own, new in zip(_by_kind(a), _by_kind(b), strict=True):
        apart = _to_specimens(own, own, which)
        apart[np.arange(len(own)), which] = np.inf
        others = np.sort(apart, axis=1)[:, : min(AROUND, len(count) - 1)]
        around = np.maximum(others.mean(axis=1), 1e-9) if others.size else np.ones(len(own))
        nearest = np.sort(_to_specimens(new, own, which, around), axis=1)[:, :NEAREST]
        found.append(nearest.mean(axis=1))
    return np.stack(found, axis=1)


def _to_specimens(
    images: npt.NDArray[np.float64],
    teachers: npt.NDArray[np.float64],
    which: npt.NDArray[np.intp],
    units: npt.NDArray[np.float64] | float = 1.0,
) -> npt.NDArray[np.float64]:
    """``(images, specimens)``: distance to the nearest image of each, in the ``units`` of that image."""
    apart = np.linalg.norm(images[:, None] - teachers, axis=2) / units
    return np.stack([apart[:, which == s].min(axis=1) for s in range(int(which.max()) + 1)], axis=1)
