"""Two stages from teachers to a model: the twin by pixel loss, then the GAN against a discriminator."""

import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor

from napari_sem_sr.errors import OutputError, TrainingError
from napari_sem_sr.events import (
    CheckpointSaved,
    Evaluated,
    Event,
    Notice,
    StageStarted,
    StepDone,
    drain,
)
from napari_sem_sr.inference.devices import fast_precisions, pick_device
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.pairing.prepare import large_enough
from napari_sem_sr.pairing.teachers import Split, Teacher, split_teachers
from napari_sem_sr.training.checkpoint import load_checkpoint, save_checkpoint
from napari_sem_sr.training.evaluation import (
    Pair,
    baseline_scores,
    glances,
    is_better,
    mean_scores,
)
from napari_sem_sr.training.finish import iter_finish
from napari_sem_sr.training.learner import Learner, Stage
from napari_sem_sr.training.lessons import Lessons
from napari_sem_sr.training.settings import TrainSettings

Precision = Literal["fp32", "bf16"]
CHECKPOINT = "checkpoint.safetensors"
# Held-out images are looked at after this many steps, at the end of an epoch; less often as learning slows.
STEPS_BETWEEN_GLANCES = 150
GLANCES_PER_STAGE = 30
SECONDS_BETWEEN_CHECKPOINTS = 120.0
# Part of a budget in minutes that the scores on whole held-out images and the card may take.
FINISHING_SHARE = 0.15


@dataclass
class Progress:
    """Where a training stands; goes into its checkpoints."""

    seconds: float = 0.0
    pixels: int = 0
    stage_seconds: dict[str, float] = field(default_factory=lambda: {"twin": 0.0, "gan": 0.0})
    epochs: dict[str, int] = field(default_factory=lambda: {"twin": 0, "gan": 0})
    steps: dict[str, int] = field(default_factory=lambda: {"twin": 0, "gan": 0})
    curve: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, float] | None = None


FABRIC_PRECISIONS: dict[Precision, Literal["32-true", "bf16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
}


def pick_precision(asked: Literal["auto", "fp32", "bf16"], device: torch.device) -> Precision:
    """Precision of the networks' arithmetic: bf16 where the device has it, unless told otherwise."""
    if asked == "auto":
        return "bf16" if "bf16" in fast_precisions(device) else "fp32"
    return asked


def training_folder(out: Path) -> Path:
    """Folder beside the model in which an unfinished training is kept."""
    return out.with_name(f"{out.name}.training")


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
) -> Generator[Event, None, Model]:
    """Train a model and write its bundle to ``out``; see `train` for parameters.

    Yields an event for every step; closing the generator leaves a checkpoint from which ``resume``
    continues exactly (on the CPU bit for bit, with a budget in epochs).
    """
    folder = training_folder(out)
    if split is None:
        teachers, notices = large_enough(teachers, settings.patch_lr_px * settings.factor)
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
    learner = Learner(settings, fabric)
    if start is not None:
        learner.begin_from(_start_weights(start, settings))
    lessons = Lessons(
        split.train, settings.factor, settings.patch_lr_px, fabric.device, settings.degradation
    )
    progress = Progress()
    best: dict[str, Tensor] = {}
    fixed = {
        "settings": settings.model_dump(mode="json"),
        "start": start.content_hash if start else None,
        "teachers": [t.content_hash for t in (*split.train, *split.calibration, *split.test)],
    }
    if resume and (folder / CHECKPOINT).exists():
        checkpoint = load_checkpoint(folder / CHECKPOINT)
        if checkpoint.state["fixed"] != fixed:
            raise TrainingError(
                f"The training in '{folder}' was begun with other settings or teachers; "
                "resume with the same, or remove that folder to begin anew."
            )
        learner.restore(checkpoint)
        progress = Progress(**checkpoint.state["progress"])
        best = checkpoint.part("best")
        yield Notice(f"Resumed stage '{learner.stage}' at step {learner.step}.")

    _make_folder(folder)
    unseen = glances(split.calibration or split.test, settings.factor, settings.degradation)
    known = glances(split.train, settings.factor, settings.degradation)
    if split.unit != "specimen":
        yield Notice(
            f"Only one specimen: scores are measured on a held-out {split.unit}, which is not independent."
        )

    def save() -> CheckpointSaved:
        kept = learner.checkpoint({"fixed": fixed, "progress": vars(progress)})
        tensors = {**kept.tensors, **{f"best.{k}": v for k, v in best.items()}}
        save_checkpoint(folder / CHECKPOINT, type(kept)(tensors, kept.state))
        return CheckpointSaved(folder / CHECKPOINT, progress.steps[learner.stage])

    run = _Run(settings, learner, lessons, progress, unseen, known, fabric.device)
    saved = time.monotonic()
    try:
        for stage in _stages(settings, learner.stage):
            if stage == "gan" and learner.stage == "twin":
                learner.begin_gan(best or learner.averaged_weights())
                best = {}
                progress.best = None
                yield save()
            yield StageStarted(stage, run.epochs_of(stage), run.steps_per_epoch)
            while not run.finished(stage):
                yield run.step()
                if run.glance_due():
                    event = run.glance()
                    if stage == "twin" and is_better(event.scores, progress.best):
                        best, progress.best = learner.averaged_weights(), dict(event.scores)
                    yield event
                if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    yield save()
                    saved = time.monotonic()
    except GeneratorExit:
        save()
        raise
    twin = learner.twin or best or learner.averaged_weights()
    gan = learner.averaged_weights() if learner.stage == "gan" else twin
    yield save()
    model = yield from iter_finish(
        split=split,
        settings=settings,
        twin=twin,
        gan=gan,
        progress=progress,
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


def _stages(settings: TrainSettings, current: Stage) -> list[Stage]:
    stages: list[Stage] = ["twin", "gan"] if settings.gan_share > 0 else ["twin"]
    return stages[stages.index(current) :]


class _Run:
    """Budget and pace of one training."""

    def __init__(
        self,
        settings: TrainSettings,
        learner: Learner,
        lessons: Lessons,
        progress: Progress,
        unseen: Sequence[Pair],
        known: Sequence[Pair],
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.learner = learner
        self.lessons = lessons
        self.progress = progress
        self.unseen = unseen
        self.known = known
        self.device = device
        self.baseline = baseline_scores(unseen, settings.factor)

    def _share(self, stage: str) -> float:
        return self.settings.gan_share if stage == "gan" else 1 - self.settings.gan_share

    @property
    def steps_per_epoch(self) -> int:
        """Steps that show each teacher's share of patches once."""
        return ceil(self.lessons.patches_per_epoch / self.learner.batch)

    def epochs_of(self, stage: str) -> int:
        """Epochs planned for a stage; 0 where the budget is in minutes."""
        if self.settings.epochs is None:
            return 0
        gan = round(self.settings.epochs * self.settings.gan_share)
        return gan if stage == "gan" else self.settings.epochs - gan

    def done(self, stage: str) -> float:
        """Part of a stage's budget that is used, 0 to 1."""
        if self.settings.minutes is not None:
            seconds = 60 * self.settings.minutes * (1 - FINISHING_SHARE) * self._share(stage)
            return min(1.0, self.progress.stage_seconds[stage] / seconds)
        total = self.epochs_of(stage) * self.steps_per_epoch
        return min(1.0, self.progress.steps[stage] / total) if total else 1.0

    def finished(self, stage: str) -> bool:
        """Whether the stage's budget is used up."""
        return self.done(stage) >= 1.0

    def step(self) -> StepDone:
        """Take one step and account for it."""
        stage, progress = self.learner.stage, self.progress
        began = time.perf_counter()
        losses = self.learner.advance(self.lessons, self.done(stage))
        self._spend(stage, time.perf_counter() - began)
        progress.steps[stage] += 1
        progress.epochs[stage] = progress.steps[stage] // self.steps_per_epoch
        progress.pixels += self.learner.batch * self.lessons.patch**2
        return StepDone(
            stage=stage,
            epoch=progress.epochs[stage],
            step=progress.steps[stage],
            done=self.done(stage),
            seconds=progress.seconds,
            pixels=progress.pixels,
            losses=losses,
        )

    def _spend(self, stage: str, seconds: float) -> None:
        self.progress.seconds += seconds
        self.progress.stage_seconds[stage] += seconds

    def glance_due(self) -> bool:
        """Whether held-out images are to be looked at now."""
        stage = self.learner.stage
        ends = self.progress.steps[stage] % self.steps_per_epoch == 0
        seen = [p["step"] for p in self.progress.curve if p["stage"] == stage]
        since = self.progress.steps[stage] - (seen[-1] if seen else 0)
        pause = max(STEPS_BETWEEN_GLANCES, self.progress.steps[stage] / GLANCES_PER_STAGE)
        return (ends and since >= pause) or self.finished(stage)

    def glance(self) -> Evaluated:
        """Look at held-out images and, for the gap, at images trained on."""
        stage, progress = self.learner.stage, self.progress
        began = time.perf_counter()
        network: Network = self.learner.average
        scores: Mapping[str, float] = {
            **mean_scores(self.unseen, network, self.device),
            **self.baseline,
            "train_psnr": mean_scores(self.known, network, self.device)["psnr"],
        }
        self._spend(stage, time.perf_counter() - began)
        event = Evaluated(stage, progress.epochs[stage], progress.steps[stage], dict(scores))
        progress.curve.append(
            {"stage": stage, "epoch": event.epoch, "step": event.step, "scores": dict(scores)}
        )
        return event
