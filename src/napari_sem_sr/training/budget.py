"""How much of a training is done, and how long it still takes."""

from dataclasses import dataclass, field
from typing import Any

from napari_sem_sr.training.settings import TrainSettings

STAGES = ("twin", "gan")
# Against the discriminator a patch takes about this many times as long (both networks, two passes of the discriminator).
GAN_PATCH_COST = 1.6
# Steps after which the pace is known; the first are slow, as buffers are being laid out.
WARM_STEPS = 5


@dataclass
class TrainingProgress:
    """Where a training run stands; goes into its checkpoints.

    ``curve`` holds scores by stage, epoch and step; ``best`` those of the network that is kept.

    Parameters
    ----------
    seconds
        That the run took.
    pixels
        HR pixels shown.
    stage_seconds
        By stage.
    epochs
        By stage.
    steps
        By stage.
    retries
        How often the run was brought back to a sound state.
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
    # named as in checkpoints of earlier versions
    twin_annuli: dict[str, float] = field(default_factory=dict)
    """Its power and agreement with HR by spectral band there."""
    retries: int = 0

    def spend(self, stage: str, seconds: float) -> None:
        """Account for time that the stage took.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        seconds
            That it took.
        """
        self.seconds += seconds
        self.stage_seconds[stage] += seconds


@dataclass(frozen=True)
class Around:
    """What a training takes beside one of its runs.

    Parameters
    ----------
    before_s
        Seconds that earlier runs and preparing took.
    times_after
        How many times the time of this run later ones take together.
    finishing_s
        Seconds that are kept for the scores at the end; 0 where nothing is known of them.
    """

    before_s: float = 0.0
    times_after: float = 0.0
    finishing_s: float = 0.0

    def seconds_after(self, run: float) -> float:
        """Seconds from the end of this run, which takes ``run`` in all, to that of the training."""
        return self.times_after * run + self.finishing_s


ALONE = Around()


@dataclass(frozen=True)
class Budget:
    """What one training run may spend: ``seconds`` for both stages, or the epochs of the settings where None.

    Parameters
    ----------
    settings
        Minutes or epochs.
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
        """Epochs planned for a stage; 0 where the budget is in time.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        """
        if self.settings.epochs is None:
            return 0
        gan = round(self.settings.epochs * self.settings.gan_share)
        return gan if stage == "gan" else self.settings.epochs - gan

    def done(self, stage: str, progress: TrainingProgress) -> float:
        """Part of a stage's budget that is used, 0 to 1.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        progress
            Where the run stands.
        """
        if self.seconds is not None:
            return min(1.0, progress.stage_seconds[stage] / (self.seconds * self._share(stage)))
        total = self.epochs_of(stage) * self.epoch_steps[stage]
        return min(1.0, progress.steps[stage] / total) if total else 1.0

    def expected_epochs(self, stage: str, progress: TrainingProgress) -> int | None:
        """Epochs that the stage will have had, as far as its pace tells.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        progress
            Where the run stands.
        """
        if self.seconds is None:
            return self.epochs_of(stage)
        steps, done = progress.steps[stage], self.done(stage, progress)
        if steps < WARM_STEPS or done <= 0:
            return None
        return max(1, round(steps / done / self.epoch_steps[stage]))

    def seconds_left(self, stage: str, progress: TrainingProgress) -> float | None:
        """Seconds that the rest of the run takes; None before the pace is known.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        progress
            Where the run stands.
        """
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

    def whole_seconds(self, stage: str, progress: TrainingProgress) -> float | None:
        """Seconds that the whole run takes; None before the pace is known.

        Parameters
        ----------
        stage
            ``"twin"`` or ``"gan"``.
        progress
            Where the run stands.
        """
        left = self.seconds_left(stage, progress)
        return None if left is None else left + sum(progress.stage_seconds.values())

    @staticmethod
    def _step_seconds(stage: str, progress: TrainingProgress) -> float | None:
        steps = progress.steps[stage]
        return progress.stage_seconds[stage] / steps if steps >= WARM_STEPS else None
