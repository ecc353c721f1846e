"""From teachers to a model: one course of training or several, their scores, and the bundle."""

import shutil
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor

from napari_sem_sr.errors import OutputError, TrainingError
from napari_sem_sr.events import CheckpointSaved, Event, Judged, Notice, drain
from napari_sem_sr.inference.devices import fast_precisions, pick_device
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.pairing.prepare import large_enough
from napari_sem_sr.pairing.teachers import Split, Teacher, split_teachers, without_databar
from napari_sem_sr.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from napari_sem_sr.training.course import Course, Plan
from napari_sem_sr.training.finish import iter_finish
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.unfinished import CHECKPOINT, keep_teachers, training_folder
from napari_sem_sr.training.verdict import judge

Precision = Literal["fp32", "bf16"]
# Part of a budget in minutes that the scores on whole held-out images and the card may take.
FINISHING_SHARE = 0.15


FABRIC_PRECISIONS: dict[Precision, Literal["32-true", "bf16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
}


def pick_precision(asked: Literal["auto", "fp32", "bf16"], device: torch.device) -> Precision:
    """Precision of the networks' arithmetic: bf16 where the device has it, unless told otherwise."""
    if asked == "auto":
        return "bf16" if "bf16" in fast_precisions(device) else "fp32"
    return asked


def iter_train(
    teachers: Sequence[Teacher],
    settings: TrainSettings,
    out: Path,
    *,
    name: str | None = None,
    split: Split | None = None,
    start: Model | None = None,
    licence: str = "unpublished",
    credits: Sequence[str] = (),
    resume: bool = False,
    watched: bool = False,
) -> Generator[Event, None, Model]:
    """Train a model and write its bundle to ``out``; see `train` for parameters.

    Yields an event for every step, and with ``watched`` a picture of one patch every few seconds; closing the
    generator leaves a checkpoint from which ``resume`` continues exactly (on the CPU bit for bit, with a
    budget in epochs).
    """
    folder = training_folder(out)
    if split is None:
        # a databar that nobody declined is no lesson, whoever calls
        cut = [without_databar(t) for t in teachers]
        teachers, notices = large_enough(cut, settings.patch_lr_px * settings.factor)
        for notice in notices:
            yield Notice(notice)
        split = split_teachers(teachers, settings.seed)
    if resume and out.exists():
        yield Notice(f"The training of '{out}' is finished already.")
        return _finished(out, split)
    _check_target(out, folder, resume=resume)
    device = pick_device(settings.device)
    precision = pick_precision(settings.precision, device)
    fabric = Fabric(accelerator=device.type, devices=1, precision=FABRIC_PRECISIONS[precision])
    everyone = (*split.train, *split.calibration, *split.test)
    fixed = {
        "settings": settings.model_dump(mode="json"),
        "start": start.content_hash if start else None,
        "teachers": [t.content_hash for t in everyone],
    }
    found = _checkpoint_of(folder, fixed) if resume else None

    def save(checkpoint: Checkpoint) -> CheckpointSaved:
        kept = Checkpoint(checkpoint.tensors, {**checkpoint.state, "fixed": fixed})
        save_checkpoint(folder / CHECKPOINT, kept)
        return CheckpointSaved(folder / CHECKPOINT, checkpoint.state["step"])

    course = Course(
        Plan(split.train, split.calibration or split.test, split.unit),
        settings,
        fabric,
        None if settings.minutes is None else 60 * settings.minutes * (1 - FINISHING_SHARE),
        save,
        None if start is None else _start_weights(start, settings),
        watched=watched,
    )
    _make_folder(folder)
    if found is None:
        keep_teachers(folder, teachers or everyone)
    else:
        yield from course.resume(found)
    if split.unit != "specimen":
        yield Notice(
            f"Only one specimen: scores are measured on a held-out {split.unit}, which is not independent."
        )
    outcome = yield from course.iter_run()
    verdict = judge(outcome.progress.curve, split.unit)
    yield Judged(verdict.sentence, verdict.sound, verdict.since_epoch)
    model = yield from iter_finish(
        split=split,
        settings=settings,
        outcome=outcome,
        verdict=verdict,
        device=fabric.device,
        precision=precision,
        start=start,
        out=out,
        name=name or out.name.removesuffix(".semsr"),
        licence=licence,
        credits=credits,
    )
    shutil.rmtree(folder)
    return model


def train(
    teachers: Sequence[Teacher],
    settings: TrainSettings,
    out: Path,
    *,
    name: str | None = None,
    split: Split | None = None,
    start: Model | None = None,
    licence: str = "unpublished",
    credits: Sequence[str] = (),
    resume: bool = False,
) -> Model:
    """Train a model from teacher images and write its bundle.

    Parameters
    ----------
    teachers
        High-resolution images; LR is made from them.
    settings
        Budget, architecture and recipe.
    out
        Bundle folder, or ``.semsr`` file, to write.
    name
        Name on the card; the file name of ``out`` where None.
    split
        Who is trained on and who is held out; by specimen where None.
    start
        A model of the same factor and architecture whose twin to start from, instead of from chance.
    licence, credits
        For the card: under which terms the model may be used, and whose images it learned from.
    resume
        Continue an interrupted training of the same teachers and settings.

    Raises
    ------
    InputError, OutputError, TrainingError
    """
    return drain(
        iter_train(
            teachers,
            settings,
            out,
            name=name,
            split=split,
            start=start,
            licence=licence,
            credits=credits,
            resume=resume,
        )
    )


def _start_weights(start: Model, settings: TrainSettings) -> Mapping[str, Tensor]:
    if (start.card.factor, start.card.architecture) != (settings.factor, settings.architecture):
        raise TrainingError(
            f"Model '{start.card.name}' has another factor or architecture than asked for, so training cannot "
            "start from it; ask for the same, or start from chance."
        )
    return start.network("twin").state_dict()


def _check_target(out: Path, folder: Path, *, resume: bool) -> None:
    if out.exists():
        raise OutputError(f"'{out}' exists; give another name for the model.")
    if (folder / CHECKPOINT).exists() and not resume:
        raise OutputError(
            f"An unfinished training is in '{folder}'; resume it, or remove that folder to begin anew."
        )


def _finished(out: Path, split: Split) -> Model:
    model = load_bundle(out)
    if model.card.teachers.hashes != [t.content_hash for t in split.train]:
        raise OutputError(
            f"'{out}' exists and was trained on other teachers; give another name for the model."
        )
    return model


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be made ({error.strerror}); give a place that you may write to."
        ) from error


def _checkpoint_of(folder: Path, fixed: Mapping[str, Any]) -> Checkpoint | None:
    if not (folder / CHECKPOINT).exists():
        return None
    checkpoint = load_checkpoint(folder / CHECKPOINT)
    if checkpoint.state["fixed"] != fixed:
        raise TrainingError(
            f"The training in '{folder}' was begun with other settings or teachers; "
            "resume with the same, or remove that folder to begin anew."
        )
    return checkpoint
