"""What a model's answer checks are calibrated with: teachers held out from training, seen through its own networks."""

import copy
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.checking.evidence.consistency import ROUNDING, lr_sigma, residual
from napari_sem_sr.checking.evidence.domain import fit_domain
from napari_sem_sr.checking.evidence.expected_error import example_of, fit_error
from napari_sem_sr.checking.evidence.expected_gain import Distances, fit_gain
from napari_sem_sr.checking.evidence.expected_gain import HeldOutErrors as GainExample
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.checking.evidence.invention import added
from napari_sem_sr.checking.evidence.trust import fit_trust, image_curves
from napari_sem_sr.checking.suspects.background_model import Slice, by_kind, measure
from napari_sem_sr.checking.suspects.extreme_values import fit_tails
from napari_sem_sr.checking.view.invention_maps import Invention, invention
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Which, interpolated
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Split
from napari_sem_sr.training.validation.evaluation import Pair, iter_upscaled, pair_of

# Networks as they see one held-out image: of a model that knows conditions, folded for those measured in it.
NetworksFor = Callable[[Pair], Mapping[Which, Network]]
SharpnessFor = Callable[[Pair], float]

PICTURES: tuple[Which, Which] = ("gan", "twin")
Arrays = dict[str, npt.NDArray[Any]]


def iter_calibrate(
    split: Split,
    networks: NetworksFor,
    factor: int,
    degradations: Sequence[Degradation],
    sharpness: SharpnessFor,
    device: torch.device,
    *,
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
        ``"gan"`` and ``"twin"``, with which a pair is seen.
    factor
        HR pixels per LR pixel.
    degradations
        How LR is made of teachers: one way, or several for a model that knows noise.
    sharpness
        That of the default output of a pair.
    device
        Where it is computed.
    until
        Time on the monotonic clock after which no further held-out image is looked at; one always is.
    """
    known = (*split.train, *split.calibration)
    shown = [(teacher, how) for how in degradations for teacher in known]
    features = []
    for number, (teacher, how) in enumerate(shown):
        yield Progress("describing teachers", number, len(shown), "images")
        features.append(_features(pair_of(teacher, factor, how)))
    arrays: Arrays = fit_domain(np.stack(features), [t.group for t, _ in shown])
    held_out = [(t, how) for t in (*split.calibration, *split.test) for how in degradations]
    curves, z_scores, examples, gains = [], [], [], []
    for number, (teacher, how) in enumerate(held_out):
        if number and time.monotonic() > until:
            yield Notice(f"Time is up: calibrated with {number} of {len(held_out)} images.")
            held_out = held_out[:number]
            break
        yield Progress("calibrating", number, len(held_out), "images")
        pair = pair_of(teacher, factor, how)
        seen_by = networks(pair)
        gan = yield from iter_upscaled(pair, seen_by["gan"], device)
        twin = yield from iter_upscaled(pair, seen_by["twin"], device)
        chosen = sharpness(pair)
        usual = gan if chosen == 1 else twin
        if 0 < chosen < 1:
            usual = yield from iter_upscaled(pair, blended(seen_by, chosen), device)
        width = pair.intensity.high - pair.intensity.low
        sigma = lr_sigma(SemStack.from_array(pair.lr, pair.name), factor)
        found = invention(gan, twin, factor, pair.intensity, device)
        curves.append(image_curves(gan, pair.hr, factor, sigma, width, found))
        z_scores.append(z_scores_of(pair, gan, found, how))
        examples.append(example_of(gan, pair.hr, found, factor, width))
        gains.append(gain_example(pair, usual, twin, factor))
    # a part of an image that the networks were taught on is no specimen of its own
    independent = split.unit != "part of one image"
    if independent:
        groups = [t.group for t, _ in held_out]
        arrays |= fit_trust(curves, groups) | fit_error(examples, groups) | fit_gain(gains, groups)
    return arrays | fit_tails(z_scores)


def blended(networks: Mapping[Which, Network], sharpness: float) -> Network:
    """Network between the twin (0) and the GAN (1).

    Parameters
    ----------
    networks
        Both, of the same architecture.
    sharpness
        0 to 1.
    """
    network = copy.deepcopy(networks["twin"])
    twin, gan = (networks[which].state_dict() for which in ("twin", "gan"))
    network.load_state_dict(interpolated(twin, gan, sharpness))
    return network


def gain_example(
    pair: Pair, sr: npt.NDArray[Any], twin: npt.NDArray[Any], factor: int
) -> GainExample:
    """What is foreseen of a held-out image from LR, SR and twin, and what HR says.

    Parameters
    ----------
    pair
        LR and HR.
    sr
        ``(f y, f x)``.
    twin
        ``(f y, f x)``.
    factor
        HR pixels per LR pixel.
    """
    measured = measure_conditions(SemStack.from_array(pair.lr, pair.name), pair.intensity)
    noise = measured.conditions.noise_grey(pair.intensity) ** 2
    distances = Distances.of(pair.lr, sr, twin, factor, noise)
    assert distances is not None  # teachers are finite
    hr = pair.hr.astype(np.float64)
    errors = [
        float(np.mean(np.square(picture - hr)))
        for picture in (upscale_bicubic(pair.lr, factor), sr, twin)
    ]
    return GainExample(distances, *errors)


def z_scores_of(
    pair: Pair, gan: npt.NDArray[Any], found: Invention, degradation: Degradation
) -> dict[str, npt.NDArray[Any]]:
    """Height of suspicion by kind of evidence on an image in which nothing was planted.

    Parameters
    ----------
    pair
        LR and HR.
    gan
        ``(f y, f x)``.
    found
        Where the SRGAN differs from the twin.
    degradation
        How LR was made.
    """
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    unit = (pair.intensity.high - pair.intensity.low) / 255
    amounts = [a / unit for a in added(found)]
    whole = Slice.of(pair.lr / unit, residual(gan, pair.lr, factor, degradation) / unit, amounts)
    rounding = ROUNDING**0.5 / factor / unit if gan.dtype.kind in "ui" else 0.0
    return by_kind(measure([whole], rounding).z_scores(whole))


def _features(pair: Pair) -> npt.NDArray[np.float64]:
    features: npt.NDArray[np.float64] = domain_features(pair.intensity.normalise(pair.lr))
    return features
