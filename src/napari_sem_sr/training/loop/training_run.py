"""One training run: from teachers to both networks, watched all along and brought back when it goes astray."""

import contextlib
import copy
import math
import time
from collections.abc import Callable, Generator
from math import ceil
from typing import Any

from lightning_fabric import Fabric

from napari_sem_sr.errors import TrainingError
from napari_sem_sr.events import (
    CheckpointSaved,
    Evaluated,
    Event,
    Judged,
    Notice,
    PatchSeen,
    StageStarted,
    StepDone,
)
from napari_sem_sr.model.checkpoint import Checkpoint
from napari_sem_sr.training.budget import ALONE, Around, Budget, TrainingProgress
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.finish.outcome import Outcome, Weights
from napari_sem_sr.training.loop.fold import Fold
from napari_sem_sr.training.optimise.learner import Learner
from napari_sem_sr.training.optimise.start import Start
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.divergence_monitor import DivergenceMonitor
from napari_sem_sr.training.validation.model_selection import agreement_lost, is_best
from napari_sem_sr.training.validation.overfitting import judge
from napari_sem_sr.training.validation.validation_images import ValidationImages

# Held-out images are looked at after this many steps; less often as learning slows.
STEPS_BETWEEN_GLANCES = 150
GLANCES_PER_STAGE = 30
# The first looks come early, so that a person soon sees that it learns.
FIRST_GLANCES = (20, 60)
# Part of a budget in minutes for which held-out images may be looked at, but for the end of each stage.
LOOKING_SHARE = 0.2
SECONDS_BETWEEN_CHECKPOINTS = 120.0
SECONDS_BETWEEN_PATCHES = 4.0
MAX_RETRIES = 4


Save = Callable[[Checkpoint], CheckpointSaved]


class TrainingRun:
    """Advances a learner through both stages, step by step.

    Parameters
    ----------
    fold
        Teachers.
    settings
        Recipe and budget.
    fabric
        Device and precision.
    seconds
        Budget of both stages where it is in time.
    save
        Keeps a checkpoint.
    start
        Weights to start from.
    watched
        Whether to show a patch every few seconds.
    around
        What else the training takes, for the estimate of the time left.
    """

    def __init__(
        self,
        fold: Fold,
        settings: TrainSettings,
        fabric: Fabric,
        seconds: float | None,
        save: Save,
        start: Start | None = None,
        *,
        watched: bool = False,
        around: Around = ALONE,
    ) -> None:
        self.fold = fold
        self.settings = settings
        self.learner = Learner(settings, fabric)
        if start is not None:
            self.learner.begin_from(start)
        self.sampler = PatchSampler(
            fold.train, settings.factor, settings.patch_lr_px, fabric.device, settings.degradation
        )
        per_epoch = self.sampler.patches_per_epoch
        steps = {
            "twin": ceil(per_epoch / settings.batch),
            "gan": ceil(per_epoch / settings.gan_batch),
        }
        self.budget = Budget(settings, seconds, steps)
        self.progress = TrainingProgress()
        self._best: Weights = {}
        self._write = save
        self._watched = watched
        self._around = around
        self._validation = ValidationImages(fold.unseen, fold.train, settings, fabric.device)
        self._patch_shown = -math.inf
        self._divergence = DivergenceMonitor()
        self._sound = (self.learner.checkpoint({}), copy.deepcopy(self.progress), self._best)

    def resume(self, checkpoint: Checkpoint) -> Generator[Event, None, None]:
        """Go on from a checkpoint, telling again how it went before.

        Parameters
        ----------
        checkpoint
            Of a run with the same settings and teachers.
        """
        self.learner.restore(checkpoint)
        self.progress = TrainingProgress(**checkpoint.state["progress"])
        self._best = checkpoint.part("best")
        self._keep_sound()
        told = ""
        for point in self.progress.curve:
            if point["stage"] != told:
                told = point["stage"]
                yield self._started(told)
            yield Evaluated(**point)
        yield Notice(f"Resumed stage '{self.learner.stage}' at step {self.learner.step}.")

    def iter_run(self) -> Generator[Event, None, Outcome]:
        """Train both stages. Closing the generator leaves a checkpoint."""
        saved = time.monotonic()
        try:
            for stage in self.budget.stages[self.budget.stages.index(self.learner.stage) :]:
                if stage == "gan" and self.learner.stage == "twin":
                    self._begin_gan()
                    yield self.save()
                yield self._started(stage)
                yield from self._charged(stage, self._iter_patch())
                if self._glance_due(stage):  # a look that was interrupted
                    yield from self._iter_charged_glance(stage)
                while self.budget.done(stage, self.progress) < 1:
                    yield from self._iter_step(stage)
                    if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                        yield self.save()
                        saved = time.monotonic()
        except GeneratorExit:
            self.save()
            raise
        yield self.save()
        gan = self.learner.stage == "gan"
        kept = self._best or self.learner.averaged_weights()
        twin = self.learner.twin if gan else kept
        return Outcome(twin, kept if gan else twin, self.progress)

    def save(self) -> CheckpointSaved:
        """Write a checkpoint: of now, or of the last sound state where now is not."""
        if not self.learner.is_finite():
            self._go_back()
        kept = self.learner.checkpoint(
            {
                "progress": copy.deepcopy(vars(self.progress)),
                "done": self.budget.done(self.learner.stage, self.progress),
            }
        )
        tensors = {**kept.tensors, **{f"best.{k}": v for k, v in self._best.items()}}
        return self._write(Checkpoint(tensors, kept.state))

    def _started(self, stage: str) -> StageStarted:
        return StageStarted(
            stage, self.budget.epochs_of(stage), self.budget.epoch_steps[stage], self.fold.name
        )

    def _begin_gan(self) -> None:
        self.learner.begin_gan(self._best or self.learner.averaged_weights())
        best = self.progress.best or {}
        self.progress.twin_psnr = best.get("psnr")
        self.progress.twin_annuli = {k: v for k, v in best.items() if k[-1].isdigit()}
        self._best = {}
        self.progress.best = None
        self._keep_sound()

    def _iter_step(self, stage: str) -> Generator[Event, None, None]:
        progress = self.progress
        began = time.perf_counter()
        losses = self.learner.advance(self.sampler, self.budget.done(stage, progress))
        progress.spend(stage, time.perf_counter() - began)
        reason = self._divergence.reason(losses, self.learner.contrast)
        if reason is not None:
            yield self._recover(reason)
            return
        progress.steps[stage] += 1
        progress.epochs[stage] = progress.steps[stage] // self.budget.epoch_steps[stage]
        progress.pixels += self.learner.batch * self.sampler.patch**2
        yield StepDone(
            stage=stage,
            epoch=progress.epochs[stage],
            step=progress.steps[stage],
            done=self.budget.done(stage, progress),
            seconds=self._around.before_s + progress.seconds,
            pixels=progress.pixels,
            losses=losses,
            epochs=self.budget.expected_epochs(stage, progress),
            left_s=self._seconds_left(stage),
        )
        if self._glance_due(stage):
            yield from self._iter_charged_glance(stage)
        if self._watched and time.monotonic() - self._patch_shown > SECONDS_BETWEEN_PATCHES:
            yield from self._charged(stage, self._iter_patch())

    def _seconds_left(self, stage: str) -> float | None:
        left = self.budget.seconds_left(stage, self.progress)
        whole = self.budget.whole_seconds(stage, self.progress)
        return None if left is None or whole is None else left + self._around.seconds_after(whole)

    # ---- looking

    def _charged(
        self, stage: str, work: Generator[Event, None, None]
    ) -> Generator[Event, None, None]:
        """Account for the time that ``work`` takes, without that between its events."""
        with contextlib.closing(work):
            while True:
                began = time.perf_counter()
                event = next(work, None)
                self.progress.spend(stage, time.perf_counter() - began)
                if event is None:
                    return
                yield event

    def _glance_due(self, stage: str) -> bool:
        step = self.progress.steps[stage]
        since = step - self.progress.glanced[stage]
        if since == 0:
            return False
        if self.budget.done(stage, self.progress) >= 1:
            return True
        regular = since >= max(STEPS_BETWEEN_GLANCES, step / GLANCES_PER_STAGE)
        return (step in FIRST_GLANCES or regular) and self._may_look()

    def _may_look(self) -> bool:
        """Whether there is time for it; with a budget in epochs nothing may depend on time."""
        if self.budget.seconds is None or not self.progress.curve:
            return True
        looked = self.progress.looked_s
        return looked + looked / len(self.progress.curve) <= LOOKING_SHARE * self.progress.seconds

    def _iter_charged_glance(self, stage: str) -> Generator[Event, None, None]:
        before = self.progress.seconds
        yield from self._charged(stage, self._iter_glance(stage))
        self.progress.looked_s += self.progress.seconds - before

    def _iter_glance(self, stage: str) -> Generator[Event, None, None]:
        """Look at images never learned from and, for the gap, at images learned from."""
        if not self.learner.is_finite():
            yield self._recover("a weight was not a finite number")
            return
        if not self._validation.hold_out:
            self.progress.glanced[stage] = self.progress.steps[stage]
            if not self._best or stage == "gan" or not self._is_past_its_best():
                self._best = self.learner.averaged_weights()
            self._keep_sound()
            return
        progress = self.progress
        scores = yield from self._validation.iter_scores(self.learner.average)
        if stage == "gan" and progress.twin_psnr is not None:
            scores["twin_psnr"] = progress.twin_psnr
            scores["agreement_lost"] = agreement_lost(scores, progress.twin_annuli)
        earlier = [p["scores"] for p in progress.curve if p["stage"] == stage]
        if is_best(stage, scores, earlier):
            self._best, progress.best = self.learner.averaged_weights(), dict(scores)
        point: dict[str, Any] = {
            "stage": stage,
            "epoch": progress.epochs[stage],
            "step": progress.steps[stage],
            "scores": scores,
        }
        progress.curve.append(point)
        progress.glanced[stage] = point["step"]
        self._keep_sound()
        yield Evaluated(**point)
        verdict = judge(progress.curve, self.fold.unit)
        yield Judged(verdict.sentence, verdict.sound, verdict.since_epoch)

    def _is_past_its_best(self) -> bool:
        planned = self.fold.keep_epoch
        return planned is not None and self.progress.epochs["twin"] > planned

    def _iter_patch(self) -> Generator[Event, None, None]:
        if not self._watched:
            return
        pair = self._validation.patch
        sr = yield from self._validation.iter_patch(self.learner.average)
        self._patch_shown = time.monotonic()
        yield PatchSeen(
            stage=self.learner.stage,
            step=self.learner.step,
            name=f"{self.fold.name}/{pair.name}",
            held_out=self._validation.hold_out,
            lr=pair.lr,
            sr=sr,
            hr=pair.hr,
            pixel_nm=self._validation.patch_nm,
        )

    # ---- going back

    def _keep_sound(self) -> None:
        self._sound = (self.learner.checkpoint({}), copy.deepcopy(self.progress), self._best)

    def _go_back(self) -> None:
        state, progress, self._best = self._sound
        self.learner.restore(state)
        spent = self.progress
        self.progress = copy.deepcopy(progress)
        # time that was spent is spent
        self.progress.seconds, self.progress.stage_seconds = spent.seconds, spent.stage_seconds
        self.progress.retries = spent.retries
        self._divergence = DivergenceMonitor()

    def _recover(self, reason: str) -> Notice:
        stage, step = self.learner.stage, self.progress.steps[self.learner.stage]
        self.progress.retries += 1
        self._go_back()
        if self.progress.retries > MAX_RETRIES:
            self.save()
            raise TrainingError(
                f"Training diverged at step {step} of stage '{stage}': {reason}, and again after going back "
                f"{MAX_RETRIES} times with half the learning rate each time. Its last sound state is kept; give it "
                "more teachers, or train the twin alone."
            )
        self.learner.halve_rate()
        return Notice(
            f"At step {step} of stage '{stage}' {reason}; training went back to step "
            f"{self.progress.steps[stage]} and goes on with half the learning rate."
        )
