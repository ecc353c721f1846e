"""What is known of two finished networks: scores on whole held-out teachers, default sharpness, calibration.

It needs the weights and the split, not the training, so a bundle can be assessed again at any time.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.checking.baseline import upscale_bicubic
from napari_sem_sr.checking.resolving import resolving_power
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.intensity import range_of
from napari_sem_sr.model.bundle import Which, built, interpolated
from napari_sem_sr.model.card import Architecture, ImageScore, ResolvingPower
from napari_sem_sr.pairing.degradation import Degradation
from napari_sem_sr.pairing.teachers import Split
from napari_sem_sr.training.calibration import Arrays, iter_calibrate
from napari_sem_sr.training.evaluation import Pair, mean_psnr, pair_of, upscale_pair

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
) -> Generator[Event, None, Assessment]:
    """Score both networks on whole test teachers and calibrate the answer checks.

    Parameters
    ----------
    split
        Teachers by purpose.
    weights
        Of the GAN and of its twin.
    """
    networks = {which: built(factor, architecture, state) for which, state in weights.items()}
    pairs: list[Pair] = []
    scores: list[ImageScore] = []
    preview: npt.NDArray[np.uint8] | None = None
    for number, teacher in enumerate(split.test):
        yield Progress("scoring held-out teachers", number, len(split.test), "images")
        pair = pair_of(teacher, factor, degradation)
        pictures: dict[str, npt.NDArray[Any]] = {
            which: upscale_pair(pair, network, device) for which, network in networks.items()
        }
        pictures["bicubic"] = upscale_bicubic(pair.lr, factor)
        pairs.append(pair)
        scores.append(_image_score(pair, pictures))
        if preview is None:
            preview = _preview(pair, pictures)
    yield Progress("scoring held-out teachers", len(split.test), len(split.test), "images")
    sharpness = _default_sharpness(pairs, scores, architecture, factor, weights, device)
    calibration = yield from iter_calibrate(split, networks, factor, degradation, device)
    domain: dict[str, float | int | str] = {
        "specimens": len({t.group for t in (*split.train, *split.calibration)})
    }
    unseen = [t.image for t in (*split.test, *split.calibration)[:RESOLVED_IMAGES]]
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
    device: torch.device,
) -> float:
    """Largest sharpness whose mean PSNR on the test teachers is not under bicubic's; 0 if none is."""
    bicubic = float(np.mean([s.bicubic_psnr for s in scores]))
    if float(np.mean([s.gan_psnr for s in scores])) >= bicubic:
        return 1.0
    for step in range(round(1 / SHARPNESS_STEP) - 1, 0, -1):
        sharpness = step * SHARPNESS_STEP
        blended = interpolated(weights["twin"], weights["gan"], sharpness)
        if mean_psnr(pairs, built(factor, architecture, blended), device) >= bicubic:
            return round(sharpness, 3)
    return 0.0


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
