"""What is known of two finished networks: scores on whole held-out teachers, default sharpness, calibration.

It needs the weights and the split, not the training, so a bundle can be assessed again at any time.
"""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.checking.evidence.resolving_power import resolving_power
from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.degradation.noise_steps import DetectorNoise
from napari_sem_sr.degradation.steps import BeamBlur
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.intensity import range_of
from napari_sem_sr.metrics.psnr_ssim import psnr
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Which, built
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.card_parts import Architecture, ImageScore, SharpnessUnder
from napari_sem_sr.model.conditioning import is_conditioned
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.model.recovery import ResolvingPower
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Split
from napari_sem_sr.training.finish.check_calibration import (
    Arrays,
    NetworksFor,
    blended,
    iter_calibrate,
)
from napari_sem_sr.training.validation.evaluation import Pair, iter_upscaled, pair_of

Weights = Mapping[Which, Mapping[str, Tensor]]

SHARPNESS_STEP = 0.1
PREVIEW_PX = 192
# Images into which features are planted; more only take time.
RESOLVED_IMAGES = 4


@dataclass(frozen=True, eq=False)
class Assessment:
    """What goes into a bundle beside the weights and how they came about.

    Parameters
    ----------
    scores
        Of every test teacher.
    default_sharpness, sharpness_by_conditions, domain, resolving_power
        As on the card.
    calibration
        Arrays for ``calibration.safetensors``.
    preview
        ``(y, x)``, LR | twin | GAN | HR of one test teacher, 8 bit.
    """

    scores: list[ImageScore]
    default_sharpness: float
    sharpness_by_conditions: list[SharpnessUnder]
    domain: dict[str, float | int | str]
    resolving_power: ResolvingPower | None
    calibration: Arrays
    preview: npt.NDArray[np.uint8] | None

    def on_card(self, card: Card) -> Card:
        """``card`` with what was found.

        Parameters
        ----------
        card
            Of the model that was assessed.
        """
        return card.model_copy(
            update={
                "scores": self.scores,
                "default_sharpness": self.default_sharpness,
                "sharpness_by_conditions": self.sharpness_by_conditions,
                "domain": self.domain,
                "resolving_power": self.resolving_power,
            }
        )


def iter_assess(
    split: Split,
    weights: Weights,
    architecture: Architecture,
    factor: int,
    degradation: Degradation,
    device: torch.device,
    *,
    left_out: Mapping[str, Weights] | None = None,
    conditioned: Sequence[Degradation] = (),
    seconds: float | None = None,
) -> Generator[Event, None, Assessment]:
    """Score both networks on whole test teachers and calibrate the answer checks.

    Parameters
    ----------
    split
        Teachers by purpose.
    weights
        Of the GAN and of its twin.
    architecture
        Of both networks.
    factor
        HR pixels per LR pixel.
    degradation
        How LR is made.
    device
        Where it is computed.
    left_out
        Weights by the specimen that was left out in training them: its teachers are seen through those.
    conditioned
        Further ways to degrade, of a model that has learned what noise and blur are; the default sharpness is found
        for each, and the checks are calibrated with all.
    seconds
        Time after which no further image is looked at; one always is.
    """
    until = math.inf if seconds is None else time.monotonic() + seconds

    def networks_for(pair: Pair) -> dict[Which, Network]:
        conditions = conditions_of(pair) if is_conditioned(weights["gan"]) else CLEAN
        state = (left_out or {}).get(pair.group, weights)
        return {which: built(factor, architecture, w, conditions) for which, w in state.items()}

    pairs: list[Pair] = []
    scores: list[ImageScore] = []
    preview: npt.NDArray[np.uint8] | None = None
    for number, teacher in enumerate(split.test):
        yield Progress("scoring held-out teachers", number, len(split.test), "images")
        if scores and time.monotonic() > until:
            yield Notice(f"Time is up: {number} of {len(split.test)} held-out images were scored.")
            break
        pair = pair_of(teacher, factor, degradation)
        pictures: dict[str, npt.NDArray[Any]] = {}
        for which, network in networks_for(pair).items():
            pictures[which] = yield from iter_upscaled(pair, network, device)
        pictures["bicubic"] = upscale_bicubic(pair.lr, factor)
        pairs.append(pair)
        scores.append(_image_score(pair, pictures))
        if preview is None:
            preview = _preview(pair, pictures)
    yield Progress("scoring held-out teachers", len(split.test), len(split.test), "images")
    table = []
    for number, how in enumerate(ways := (degradation, *conditioned)):
        yield Progress("finding the default sharpness", number, len(ways), "conditions")
        seen = pairs if how is degradation else [pair_of(t, factor, how) for t in split.test]
        sharpness = yield from _iter_default_sharpness(seen, networks_for, factor, device)
        noise, blur = _named(how)
        table.append(SharpnessUnder(noise=noise, blur_px=blur, sharpness=sharpness))

    def usual(pair: Pair) -> float:
        noise = conditions_of(pair).noise
        nearest = min(table, key=lambda entry: abs(entry.noise - noise))
        return min(entry.sharpness for entry in table if entry.noise <= nearest.noise)

    calibration = yield from iter_calibrate(
        split, networks_for, factor, ways, usual, device, until=until
    )
    domain: dict[str, float | int | str] = {
        "specimens": len({t.group for t in (*split.train, *split.calibration)})
    }
    # all of one specimen where each has networks of its own
    one = min(left_out) if left_out else None
    held = [t for t in (*split.test, *split.calibration) if one is None or t.group == one]
    unseen = [t.image for t in held[:RESOLVED_IMAGES]]
    state = weights if left_out is None or one is None else left_out[one]
    networks = {which: built(factor, architecture, w) for which, w in state.items()}
    power = yield from in_background(
        lambda: resolving_power(networks, unseen, factor, device.type),
        "measuring the resolving power",
    )
    return Assessment(
        scores,
        table[0].sharpness,
        table if conditioned else [],
        domain,
        power,
        calibration,
        preview,
    )


def conditions_of(pair: Pair) -> Conditions:
    """Conditions of a held-out image, measured from its LR alone, as a person's stack is.

    Parameters
    ----------
    pair
        LR and HR.
    """
    lr = SemStack.from_array(pair.lr, pair.name)
    return measure_conditions(lr, pair.intensity).conditions


def _named(degradation: Degradation) -> tuple[float, float]:
    """Noise at mid range and blur in LR pixels of a degradation with lengths in LR pixels."""
    noise = blur = 0.0
    for step in degradation.steps:
        if isinstance(step, DetectorNoise):
            noise = math.sqrt((step.black**2 + step.white**2) / 2)
        elif isinstance(step, BeamBlur):
            blur = step.sigma
    return noise, blur


def _image_score(pair: Pair, pictures: Mapping[str, npt.NDArray[np.generic]]) -> ImageScore:
    found: dict[str, float] = {}
    for kind, picture in pictures.items():
        found[f"{kind}_psnr"], found[f"{kind}_ssim"] = pair.score(picture)
    return ImageScore(name=pair.name, group=pair.group, **found)


def _iter_default_sharpness(
    pairs: Sequence[Pair],
    networks_for: NetworksFor,
    factor: int,
    device: torch.device,
) -> Generator[Event, None, float]:
    """Largest sharpness at which PSNR is not under bicubic's on any specimen; 0 if there is none.

    Images of one specimen are taken together. Once under bicubic's, PSNR stays so towards the GAN: a search by halves
    looks at four of eleven steps, and on no specimen further than the worst so far allows.
    """
    limit = round(1 / SHARPNESS_STEP)
    for group in dict.fromkeys(pair.group for pair in pairs):
        seen = [(p, networks_for(p)) for p in pairs if p.group == group]
        bicubic = float(np.mean([psnr(upscale_bicubic(p.lr, factor), p.hr) for p, _ in seen]))
        good, bad = 0, limit + 1
        while bad - good > 1:
            # the limit itself first: most specimens allow as much as the one before
            step = limit if bad > limit else (good + bad) // 2
            found = yield from _iter_psnr(seen, step * SHARPNESS_STEP, device)
            good, bad = (step, bad) if found >= bicubic else (good, step)
        limit = good
    return round(limit * SHARPNESS_STEP, 3)


def _iter_psnr(
    seen: Sequence[tuple[Pair, Mapping[Which, Network]]], sharpness: float, device: torch.device
) -> Generator[Event, None, float]:
    """Mean PSNR of images at one sharpness, each seen through its own networks."""
    found = []
    for pair, networks in seen:
        picture = yield from iter_upscaled(pair, blended(networks, sharpness), device)
        found.append(psnr(picture, pair.hr))
    return float(np.mean(found))


def _preview(pair: Pair, pictures: Mapping[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.uint8]:
    """LR | twin | GAN | HR of the centre of one held-out teacher, 8 bit."""
    top, left = (max(0, (n - PREVIEW_PX) // 2) for n in pair.hr.shape)
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    lr = pair.lr.repeat(factor, 0).repeat(factor, 1)
    row = np.concatenate(
        [
            image[top : top + PREVIEW_PX, left : left + PREVIEW_PX]
            for image in (lr, pictures["twin"], pictures["gan"], pair.hr)
        ],
        axis=1,
    )
    shown = range_of(pair.hr).normalise(row)
    return (np.clip(shown, 0, 1) * 255).astype(np.uint8)
