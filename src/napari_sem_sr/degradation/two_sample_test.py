"""How well two sets of images can be told apart by what they look like.

A classifier two-sample test (Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests): a shrunk linear
discriminant (Fisher 1936; Ledoit and Wolf 2004 for why to shrink) on statistics of tiles, judged on images it was not
fitted to. The null says that images are exchangeable; it is drawn by shuffling which set each whole image belongs to,
since tiles of one image are not independent.

What it can and cannot tell: 0.5 means that this classifier cannot tell them apart, not that nothing could. Different
places of a specimen differ too: the same test between the teachers' own specimens says how much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

FOLDS = 5
SHUFFLES = 99
SHRINKAGE = 0.1


@dataclass(frozen=True)
class TwoSampleTest:
    """Result of the test.

    Parameters
    ----------
    auroc
        Chance that the classifier ranks a tile of one set above a tile of the other; 0.5 where it cannot tell.
    null_95
        95th percentile of ``auroc`` with images shuffled between the sets.
    p_value
        Share of shuffles, this arrangement included, that are told apart as well.
    images
        Images in either set.
    """

    auroc: float
    null_95: float
    p_value: float
    images: tuple[int, int]


def two_sample_test(
    one: Sequence[Values], other: Sequence[Values], *, shuffles: int = SHUFFLES, seed: int = 0
) -> TwoSampleTest | None:
    """Compare two sets of images, each ``(tiles, d)``; None where a set has fewer than two.

    Parameters
    ----------
    one
        A set of images, each as the statistics ``(tiles, d)`` of its tiles.
    other
        The other set, in the same way.
    shuffles
        Arrangements drawn for the null.
    seed
        Of the folds and the shuffles.
    """
    if min(len(one), len(other)) < 2:
        return None
    images = [*one, *other]
    labels = np.array([0] * len(one) + [1] * len(other))
    random = np.random.default_rng(seed)
    found = _auroc_of(images, labels, random)
    null = [_auroc_of(images, random.permutation(labels), random) for _ in range(shuffles)]
    return TwoSampleTest(
        auroc=found,
        null_95=float(np.percentile(null, 95)),
        p_value=(1 + sum(n >= found for n in null)) / (1 + shuffles),
        images=(len(one), len(other)),
    )


def _auroc_of(
    images: Sequence[Values], labels: npt.NDArray[np.int64], random: np.random.Generator
) -> float:
    """Over tiles of images that the discriminant was not fitted to, each image counting alike."""
    folds = _folds(labels, random)
    scores: list[Values] = [np.empty(0)] * len(images)
    for fold in range(folds.max() + 1):
        known = [n for n in range(len(images)) if folds[n] != fold]
        direction = _discriminant(
            *([images[n] for n in known if labels[n] == label] for label in (0, 1))
        )
        for n in np.flatnonzero(folds == fold).tolist():
            scores[n] = images[n] @ direction
    pairs = [
        _ranked_above(scores[b], scores[a])
        for a in np.flatnonzero(labels == 0).tolist()
        for b in np.flatnonzero(labels == 1).tolist()
        # only scores of one discriminant can be compared
        if folds[a] == folds[b]
    ]
    return float(np.mean(pairs))


def _folds(labels: npt.NDArray[np.int64], random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Fold of each image, both sets in each fold."""
    count = min(FOLDS, *np.bincount(labels))
    folds = np.empty(len(labels), np.int64)
    for label in (0, 1):
        members = random.permutation(np.flatnonzero(labels == label))
        folds[members] = np.arange(len(members)) % count
    return folds


def _discriminant(one: Sequence[Values], other: Sequence[Values]) -> Values:
    means = [np.mean([image.mean(axis=0) for image in s], axis=0) for s in (one, other)]
    within = np.mean(
        [np.cov(np.concatenate(s), rowvar=False) for s in (one, other)], axis=0
    ) + 1e-9 * np.eye(one[0].shape[1])
    spread = np.sqrt(np.diag(within))
    correlation = within / np.outer(spread, spread)
    shrunk = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(spread))
    return np.asarray(np.linalg.solve(shrunk, (means[1] - means[0]) / spread) / spread)


def _ranked_above(high: Values, low: Values) -> float:
    """Chance that one of ``high`` is above one of ``low``."""
    order = np.searchsorted(np.sort(low), high, side="left")
    ties = np.searchsorted(np.sort(low), high, side="right")
    return float((order + ties).sum() / (2 * len(low) * len(high)))
