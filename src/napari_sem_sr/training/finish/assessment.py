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
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.intensity import range_of
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Which, built, interpolated
from napari_sem_sr.model.card import Architecture, ImageScore, ResolvingPower
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.teachers.teacher import Split
from napari_sem_sr.training.finish.check_calibration import Arrays, iter_calibrate
from napari_sem_sr.training.validation.evaluation import Pair, iter_upscaled, mean_psnr, pair_of

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
    default_sharpness, domain, resolving_power
        As on the card.
    calibration
        Arrays for ``calibration.safetensors``.
    preview
        LR | twin | GAN | HR of one test teacher, 8 bit.
    """

    scores: list[ImageScore]
    default_sharpness: float
    domain: dict[str, float | int | str]
    resolving_power: ResolvingPower | None
    calibration: Arrays
    preview: npt.NDArray[np.uint8] | None


def iter_assess(
    split: Split,
    weights: Weights,
    architecture: Architecture,
    factor: int,
    degradation: Degradation,
    device: torch.device,
    *,
    in_turn: Mapping[str, Weights] | None = None,
    seconds: float | None = None,
) -> Generator[Event, None, Assessment]:
    """Score both networks on whole test teachers and calibrate the answer checks.

    Parameters
    ----------
    split
        Teachers by purpose.
    weights
        Of the GAN and of its twin.
    in_turn
        Weights by the specimen that was left out in training them: its teachers are seen through those.
    seconds
        Time after which no further image is looked at; one always is.
    """
    until = math.inf if seconds is None else time.monotonic() + seconds

    def build(state: Weights) -> dict[Which, Network]:
        return {which: built(factor, architecture, w) for which, w in state.items()}

    networks = build(weights)
    apart = {group: build(state) for group, state in (in_turn or {}).items()}
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
        for which, network in apart.get(teacher.group, networks).items():
            pictures[which] = yield from iter_upscaled(pair, network, device)
        pictures["bicubic"] = upscale_bicubic(pair.lr, factor)
        pairs.append(pair)
        scores.append(_image_score(pair, pictures))
        if preview is None:
            preview = _preview(pair, pictures)
    yield Progress("scoring held-out teachers", len(split.test), len(split.test), "images")
    sharpness = _default_sharpness(
        pairs, scores, architecture, factor, weights, in_turn or {}, device
    )
    calibration = yield from iter_calibrate(
        split, networks, factor, degradation, device, apart=apart, until=until
    )
    domain: dict[str, float | int | str] = {
        "specimens": len({t.group for t in (*split.train, *split.calibration)})
    }
    # all of one specimen where each has networks of its own
    held = [t for t in (*split.test, *split.calibration) if not apart or t.group == min(apart)]
    unseen = [t.image for t in held[:RESOLVED_IMAGES]]
    networks = apart[min(apart)] if apart else networks
    power = yield from in_background(
        lambda: resolving_power(networks, unseen, factor, device.type),
        "measuring the resolving power",
    )
    return Assessment(scores, sharpness, domain, power, calibration, preview)


def _image_score(pair: Pair, pictures: Mapping[str, npt.NDArray[np.generic]]) -> ImageScore:
    found: dict[str, float] = {}
    for kind, picture in pictures.items():
        found[f"{kind}_psnr"], found[f"{kind}_ssim"] = pair.score(picture)
    return ImageScore(name=pair.name, group=pair.group, **found)


def _default_sharpness(
    pairs: Sequence[Pair],
    scores: Sequence[ImageScore],
    architecture: Architecture,
    factor: int,
    weights: Weights,
    in_turn: Mapping[str, Weights],
    device: torch.device,
) -> float:
    """Largest sharpness whose mean PSNR on the test teachers is not under bicubic's; 0 if none is.

    Once under bicubic's, PSNR stays so towards the GAN: a search by halves looks at four of eleven steps.
    """
    bicubic = float(np.mean([s.bicubic_psnr for s in scores]))
    if float(np.mean([s.gan_psnr for s in scores])) >= bicubic:
        return 1.0
    good, bad = 0, round(1 / SHARPNESS_STEP)
    while bad - good > 1:
        step = (good + bad) // 2
        found = []
        for pair in pairs:
            state = in_turn.get(pair.group, weights)
            blended = interpolated(state["twin"], state["gan"], step * SHARPNESS_STEP)
            found.append(mean_psnr([pair], built(factor, architecture, blended), device))
        good, bad = (step, bad) if float(np.mean(found)) >= bicubic else (good, step)
    return round(good * SHARPNESS_STEP, 3)


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
