"""What a model's answer checks are calibrated with: teachers held out from training, seen through its own networks."""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.checking.evidence.consistency import ROUNDING, lr_sigma, residual
from napari_sem_sr.checking.evidence.domain import fit_domain
from napari_sem_sr.checking.evidence.expected_error import example_of, fit_error
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.checking.evidence.invention import added, invention
from napari_sem_sr.checking.evidence.trust import fit_trust, image_curves
from napari_sem_sr.checking.suspects.background_model import Slice, by_kind, measure
from napari_sem_sr.checking.suspects.extreme_values import fit_tails
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.model.bundle import Which
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Split, Teacher
from napari_sem_sr.training.validation.evaluation import Pair, iter_upscaled, pair_of

PICTURES: tuple[Which, Which] = ("gan", "twin")
Arrays = dict[str, npt.NDArray[Any]]


def iter_calibrate(
    split: Split,
    networks: Mapping[Which, Network],
    factor: int,
    degradation: Degradation,
    device: torch.device,
    *,
    apart: Mapping[str, Mapping[Which, Network]] | None = None,
    until: float = math.inf,
) -> Generator[Event, None, Arrays]:
    """Make a model's calibration arrays.

    The domain is that of the teachers it was taught on and of those kept for calibration; trust masks and the
    scores of suspect places come from all that were held out.

    Parameters
    ----------
    split
        Teachers by purpose.
    networks
        ``"gan"`` and ``"twin"``.
    apart
        Networks by the specimen that was left out in training them: its teachers are seen through those.
    until
        Time on the monotonic clock after which no further held-out image is looked at; one always is.
    """
    known = (*split.train, *split.calibration)
    features = []
    for number, teacher in enumerate(known):
        yield Progress("describing teachers", number, len(known), "images")
        features.append(_features(pair_of(teacher, factor, degradation)))
    arrays: Arrays = fit_domain(np.stack(features), [t.group for t in known])
    held_out: Sequence[Teacher] = (*split.calibration, *split.test)
    curves, heights, examples = [], [], []
    for number, teacher in enumerate(held_out):
        if number and time.monotonic() > until:
            yield Notice(f"Time is up: calibrated with {number} of {len(held_out)} images.")
            held_out = held_out[:number]
            break
        yield Progress("calibrating", number, len(held_out), "images")
        pair = pair_of(teacher, factor, degradation)
        seen_by = (apart or {}).get(teacher.group, networks)
        gan = yield from iter_upscaled(pair, seen_by["gan"], device)
        twin = yield from iter_upscaled(pair, seen_by["twin"], device)
        width = pair.intensity.high - pair.intensity.low
        sigma = lr_sigma(SemStack.from_array(pair.lr, pair.name), factor)
        curves.append(image_curves(gan, twin, pair.hr, factor, sigma, width))
        heights.append(heights_of(pair, gan, twin, degradation))
        found = invention(gan, twin, factor)
        examples.append(example_of(gan, pair.hr, found, factor, width))
    # a part of an image that the networks were taught on is no specimen of its own
    independent = split.unit != "part of one image"
    if independent:
        groups = [t.group for t in held_out]
        arrays |= fit_trust(curves, groups) | fit_error(examples, groups)
    return arrays | fit_tails(heights)


def heights_of(
    pair: Pair, gan: npt.NDArray[Any], twin: npt.NDArray[Any], degradation: Degradation
) -> dict[str, npt.NDArray[Any]]:
    """Height of suspicion by kind of evidence on an image in which nothing was planted."""
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    unit = (pair.intensity.high - pair.intensity.low) / 255
    amounts = [a / unit for a in added(invention(gan, twin, factor), factor)]
    whole = Slice(pair.lr / unit, residual(gan, pair.lr, factor, degradation) / unit, amounts)
    rounding = ROUNDING**0.5 / factor / unit if gan.dtype.kind in "ui" else 0.0
    return by_kind(measure([whole], rounding).heights(whole))


def _features(pair: Pair) -> npt.NDArray[np.float64]:
    features: npt.NDArray[np.float64] = domain_features(pair.intensity.normalise(pair.lr))
    return features
