"""The end of a training: scores on whole held-out teachers, the card, the calibration, the bundle."""

import importlib.metadata
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.checking.baseline import upscale_bicubic
from napari_sem_sr.checking.consistency import lr_sigma
from napari_sem_sr.checking.domain import domain_features, fit_domain
from napari_sem_sr.checking.trust import Curves, detail_curves, fit_trust
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of
from napari_sem_sr.model.bundle import Model, built, interpolated, load_bundle, save_model
from napari_sem_sr.model.card import (
    Card,
    CurvePoint,
    Groups,
    ImageScore,
    Teachers,
    Training,
)
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.pairing.teachers import Split, Teacher
from napari_sem_sr.stack import SemStack
from napari_sem_sr.training.evaluation import (
    Pair,
    glances,
    mean_scores,
    pair_of,
    upscale_pair,
)
from napari_sem_sr.training.settings import TrainSettings

if TYPE_CHECKING:
    from napari_sem_sr.training.trainer import Progress as TrainProgress

SHARPNESS_STEP = 0.1
PREVIEW_PX = 192


def iter_finish(
    *,
    split: Split,
    settings: TrainSettings,
    twin: Mapping[str, Tensor],
    gan: Mapping[str, Tensor],
    progress: "TrainProgress",
    device: torch.device,
    precision: str,
    start: Model | None,
    out: Path,
    name: str,
    licence: str,
    credits: Sequence[str],
) -> Generator[Event, None, Model]:
    """Score both networks on whole test teachers, write the bundle and load it again."""
    networks = {"twin": _network(settings, twin), "gan": _network(settings, gan)}
    scores: list[ImageScore] = []
    preview: npt.NDArray[np.uint8] | None = None
    for number, teacher in enumerate(split.test):
        yield Progress("scoring held-out teachers", number, len(split.test), "images")
        pair = pair_of(teacher, settings.factor, settings.degradation)
        pictures = {which: upscale_pair(pair, net, device) for which, net in networks.items()}
        pictures["bicubic"] = upscale_bicubic(pair.lr, settings.factor)
        scores.append(_image_score(pair, pictures))
        if preview is None:
            preview = _preview(pair, pictures)
    yield Progress("scoring held-out teachers", len(split.test), len(split.test), "images")
    held_out = glances((*split.test, *split.calibration), settings.factor, settings.degradation)
    sharpness = _default_sharpness(held_out, settings, twin, gan, device)
    everyone = (*split.train, *split.calibration, *split.test)
    card = Card(
        name=name,
        factor=settings.factor,
        architecture=settings.architecture,
        teachers=_teachers(split, everyone),
        degradation=settings.degradation,
        training=_training(settings, progress, device, precision, start),
        scores=scores,
        default_sharpness=sharpness,
        domain={"specimens": len({t.group for t in split.train})},
        licence=licence,
        credits=list(credits),
    )
    features = np.stack([_features(t, settings) for t in split.train])
    calibration = fit_domain(features, [t.group for t in split.train])
    curves = []
    for number, teacher in enumerate(split.calibration):
        yield Progress("calibrating", number, len(split.calibration), "images")
        curves.append(
            _trust_curves(pair_of(teacher, settings.factor, settings.degradation), networks, device)
        )
    calibration |= fit_trust(curves, [t.group for t in split.calibration])
    save_model(out, card, gan, twin, calibration, preview)
    return load_bundle(out)


def _features(teacher: Teacher, settings: TrainSettings) -> npt.NDArray[np.float64]:
    pair = pair_of(teacher, settings.factor, settings.degradation)
    features: npt.NDArray[np.float64] = domain_features(pair.intensity.normalise(pair.lr))
    return features


def _trust_curves(pair: Pair, networks: Mapping[str, Network], device: torch.device) -> Curves:
    """Where the GAN's detail may be trusted, measured on a specimen held out for it."""
    gan, twin = (upscale_pair(pair, networks[which], device) for which in ("gan", "twin"))
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    sigma = lr_sigma(SemStack.from_array(pair.lr, pair.name), factor)
    return detail_curves(gan, twin, pair.hr, factor, sigma)


def _network(settings: TrainSettings, weights: Mapping[str, Tensor]) -> Network:
    return built(settings.factor, settings.architecture, weights)


def _image_score(pair: Pair, pictures: Mapping[str, npt.NDArray[np.generic]]) -> ImageScore:
    found: dict[str, float] = {}
    for kind, picture in pictures.items():
        found[f"{kind}_psnr"], found[f"{kind}_ssim"] = pair.score(picture)
    return ImageScore(name=pair.name, group=pair.group, **found)


def _default_sharpness(
    pairs: Sequence[Pair],
    settings: TrainSettings,
    twin: Mapping[str, Tensor],
    gan: Mapping[str, Tensor],
    device: torch.device,
) -> float:
    """Largest sharpness whose mean PSNR on held-out teachers is not under bicubic's; 0 if none is."""
    bicubic = float(np.mean([p.score(upscale_bicubic(p.lr, settings.factor))[0] for p in pairs]))
    for step in range(round(1 / SHARPNESS_STEP), 0, -1):
        sharpness = step * SHARPNESS_STEP
        blended = interpolated(twin, gan, sharpness)
        if mean_scores(pairs, _network(settings, blended), device)["psnr"] >= bicubic:
            return round(sharpness, 3)
    return 0.0


def _teachers(split: Split, everyone: Sequence[Teacher]) -> Teachers:
    def groups(teachers: Sequence[Teacher]) -> list[str]:
        return sorted({t.group for t in teachers})

    return Teachers(
        count=len(split.train),
        hashes=[t.content_hash for t in split.train],
        pixel_nm=sorted({t.pixel_nm for t in everyone if t.pixel_nm is not None}),
        instruments=sorted({t.instrument for t in everyone if t.instrument}),
        groups=Groups(
            train=groups(split.train),
            calibration=groups(split.calibration),
            test=groups(split.test),
        ),
        unit=split.unit,
    )


def _training(
    settings: TrainSettings,
    progress: "TrainProgress",
    device: torch.device,
    precision: str,
    start: Model | None,
) -> Training:
    return Training(
        epochs=progress.epochs,
        steps=progress.steps,
        seconds=round(progress.seconds, 1),
        batch=settings.batch,
        gan_batch=settings.gan_batch,
        patch_lr_px=settings.patch_lr_px,
        losses={"pixel": 1.0, **settings.weights.model_dump()},
        seed=settings.seed,
        device=device.type,
        precision=precision,
        started_from=start and f"{start.card.name} ({start.content_hash})",
        versions={
            package: importlib.metadata.version(package)
            for package in ("napari-sem-sr", "torch", "numpy")
        },
        curve=[CurvePoint(**point) for point in progress.curve],
    )


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
