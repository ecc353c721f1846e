"""The end of a training: scores on whole held-out teachers, the card, the calibration, the bundle."""

import importlib.metadata
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import torch

from napari_sem_sr.events import Event
from napari_sem_sr.model.bundle import Model, load_bundle, save_model
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.card_parts import CurvePoint, Groups, Teachers, Tested, Training
from napari_sem_sr.teachers.teacher import Split, Teacher
from napari_sem_sr.training.finish.assessment import Weights, iter_assess
from napari_sem_sr.training.finish.outcome import Outcome
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.overfitting import Verdict

# Part of a budget in minutes that the scores on whole held-out images and the card may take.
FINISHING_SHARE = 0.15


def iter_finish(
    *,
    split: Split,
    settings: TrainSettings,
    outcome: Outcome,
    left_out: Mapping[str, Outcome],
    verdict: Verdict,
    device: torch.device,
    precision: str,
    start: Model | None,
    out: Path,
    name: str,
    licence: str,
    credits: Sequence[str],
) -> Generator[Event, None, Model]:
    """Write the bundle, score both networks on whole test teachers, write it again with the scores and load it.

    Whatever happens while they are scored, there is a model: a card without scores, at the sharpness of the twin.

    Parameters
    ----------
    split
        Teachers by purpose.
    settings
        Of the training.
    outcome
        Of the run that ships.
    left_out
        Of the runs that left a specimen out, by its name.
    verdict
        What the curves say.
    device
        Where it is computed.
    precision
        Of the arithmetic while training.
    start
        Model that the training started from; None for chance.
    out
        Bundle to write.
    name
        Of the model.
    licence
        Of the weights.
    credits
        Whose images the model rests on.
    """
    everyone = (*split.train, *split.calibration, *split.test)
    card = Card(
        name=name,
        factor=settings.factor,
        architecture=settings.architecture,
        teachers=_teachers(split, everyone, left_out=bool(left_out)),
        degradation=settings.degradation,
        training=_training(settings, outcome, left_out, verdict, device, precision, start),
        scores=[],
        default_sharpness=0.0,
        domain={},
        licence=licence,
        credits=list(credits),
    )
    save_model(out, card, outcome.gan, outcome.twin, {}, overwrite=True)
    weights: Weights = {"gan": outcome.gan, "twin": outcome.twin}
    found = yield from iter_assess(
        split,
        weights,
        settings.architecture,
        settings.factor,
        settings.degradation,
        device,
        left_out={group: {"gan": o.gan, "twin": o.twin} for group, o in left_out.items()},
        seconds=None if settings.minutes is None else 60 * settings.minutes * FINISHING_SHARE,
    )
    save_model(
        out,
        found.on_card(card),
        outcome.gan,
        outcome.twin,
        found.calibration,
        found.preview,
        overwrite=True,
    )
    return load_bundle(out)


def _teachers(split: Split, everyone: Sequence[Teacher], *, left_out: bool) -> Teachers:
    def groups(teachers: Sequence[Teacher]) -> list[str]:
        return sorted({t.group for t in teachers})

    return Teachers(
        count=len(split.train),
        measured_pairs=sum(t.lr is not None for t in split.train),
        hashes=[t.content_hash for t in split.train],
        pixel_nm=sorted({t.pixel_nm for t in everyone if t.pixel_nm is not None}),
        instruments=sorted({t.instrument for t in everyone if t.instrument}),
        groups=Groups(
            train=groups(split.train),
            calibration=groups(split.calibration),
            test=groups(split.test),
        ),
        unit=split.unit,
        left_out_in_turn=left_out,
    )


def _training(
    settings: TrainSettings,
    outcome: Outcome,
    left_out: Mapping[str, Outcome],
    verdict: Verdict,
    device: torch.device,
    precision: str,
    start: Model | None,
) -> Training:
    progress = outcome.progress
    # the run that ships has nothing left to be tested on
    runs = left_out or {"": outcome}
    return Training(
        epochs=progress.epochs,
        steps=progress.steps,
        seconds=round(progress.seconds, 1),
        batch=settings.batch,
        gan_batch=settings.gan_batch,
        patch_lr_px=settings.patch_lr_px,
        losses={
            "pixel": 1.0,
            **settings.weights.model_dump(exclude=None if settings.vgg else {"vgg"}),
        },
        seed=settings.seed,
        device=device.type,
        precision=precision,
        started_from=start and f"{start.card.name} ({start.content_hash})",
        versions={
            package: importlib.metadata.version(package)
            for package in ("napari-sem-sr", "torch", "numpy")
        },
        curve=[
            CurvePoint(**point, without=group)
            for group, run in runs.items()
            for point in run.progress.curve
        ],
        verdict=verdict.sentence,
        overfitted_since=verdict.since_epoch,
        in_turn={
            group: Tested(
                epochs=o.progress.epochs,
                steps=o.progress.steps,
                seconds=round(o.progress.seconds, 1),
            )
            for group, o in left_out.items()
        },
    )
