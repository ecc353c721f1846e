"""How much of a training is done, and how long it still takes."""

from dataclasses import dataclass, field
from typing import Any

from napari_sem_sr.training.settings import TrainSettings

STAGES = ("twin", "gan")
# Against the discriminator a patch takes about this many times as long (both networks, two passes of the judge).
GAN_PATCH_COST = 1.6
# Steps after which the pace is known; the first are slow, as buffers are being laid out.
WARM_STEPS = 5


@dataclass
class Progress:
    """Where a course of training stands; goes into its checkpoints.

    ``curve`` holds scores by stage, epoch and step; ``best`` those of the network that is kept.
    """

    seconds: float = 0.0
    pixels: int = 0
    stage_seconds: dict[str, float] = field(default_factory=lambda: {"twin": 0.0, "gan": 0.0})
    epochs: dict[str, int] = field(default_factory=lambda: {"twin": 0, "gan": 0})
    steps: dict[str, int] = field(default_factory=lambda: {"twin": 0, "gan": 0})
    glanced: dict[str, int] = field(default_factory=lambda: {"twin": 0, "gan": 0})
    """Step at which images were last looked at."""
    looked_s: float = 0.0
    """Seconds that looking at images took."""
    curve: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, float] | None = None
    twin_psnr: float | None = None
    """PSNR of the twin on images never learned from, which the SRGAN is measured by."""
    twin_annuli: dict[str, float] = field(default_factory=dict)
    """Its power and agreement with HR by annulus there."""
    retries: int = 0

    def spend(self, stage: str, seconds: float) -> None:
        """Account for time that the stage took."""
        self.seconds += seconds
        self.stage_seconds[stage] += seconds


@dataclass(frozen=True)
class Around:
    """What a training takes beside one of its courses.

    Parameters
    ----------
    before_s
        Seconds that earlier courses and preparing took.
    times_after
        How many times the time of this course later ones take together.
    finishing_s
        Seconds that are kept for the scores at the end; 0 where nothing is known of them.
    """

    before_s: float = 0.0
    times_after: float = 0.0
    finishing_s: float = 0.0

    def seconds_after(self, course: float) -> float:
        """Seconds from the end of this course, which takes ``course`` in all, to that of the training."""
        return self.times_after * course + self.finishing_s


ALONE = Around()


@dataclass(frozen=True)
class Budget:
    """What one course may spend: ``seconds`` for both stages, or the epochs of the settings where None.

    Parameters
    ----------
    epoch_steps
        Steps by stage that show each teacher's share of patches once.
    """

    settings: TrainSettings
    seconds: float | None
    epoch_steps: dict[str, int]

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages in order."""
        return STAGES if self.settings.gan_share > 0 else STAGES[:1]

    def _share(self, stage: str) -> float:
        return self.settings.gan_share if stage == "gan" else 1 - self.settings.gan_share

    def epochs_of(self, stage: str) -> int:
        """Epochs planned for a stage; 0 where the budget is in time."""
        if self.settings.epochs is None:
            return 0
        gan = round(self.settings.epochs * self.settings.gan_share)
        return gan if stage == "gan" else self.settings.epochs - gan

    def done(self, stage: str, progress: Progress) -> float:
        """Part of a stage's budget that is used, 0 to 1."""
        if self.seconds is not None:
            return min(1.0, progress.stage_seconds[stage] / (self.seconds * self._share(stage)))
        total = self.epochs_of(stage) * self.epoch_steps[stage]
        return min(1.0, progress.steps[stage] / total) if total else 1.0

    def expected_epochs(self, stage: str, progress: Progress) -> int | None:
        """Epochs that the stage will have had, as far as its pace tells."""
        if self.seconds is None:
            return self.epochs_of(stage)
        steps, done = progress.steps[stage], self.done(stage, progress)
        if steps < WARM_STEPS or done <= 0:
            return None
        return max(1, round(steps / done / self.epoch_steps[stage]))

    def seconds_left(self, stage: str, progress: Progress) -> float | None:
        """Seconds that the rest of the course takes; None before the pace is known."""
        if self.seconds is not None:
            return max(0.0, self.seconds - sum(progress.stage_seconds.values()))
        pace = self._step_seconds(stage, progress)
        if pace is None:
            return None
        left = pace * (self.epochs_of(stage) * self.epoch_steps[stage] - progress.steps[stage])
        if stage == "twin" and "gan" in self.stages:
            s = self.settings
            pace *= GAN_PATCH_COST * s.gan_batch / s.batch
            left += pace * self.epochs_of("gan") * self.epoch_steps["gan"]
        return max(0.0, left)

    def whole_seconds(self, stage: str, progress: Progress) -> float | None:
        """Seconds that the whole course takes; None before the pace is known."""
        left = self.seconds_left(stage, progress)
        return None if left is None else left + sum(progress.stage_seconds.values())

    @staticmethod
    def _step_seconds(stage: str, progress: Progress) -> float | None:
        steps = progress.steps[stage]
        return progress.stage_seconds[stage] / steps if steps >= WARM_STEPS else None
