"""Networks, optimisers and random state of a training, advanced one step at a time."""

import copy
import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from napari_sem_sr.model.checkpoint import (
    Checkpoint,
    named,
    optimizer_tensors,
    restore_optimizer,
)
from napari_sem_sr.model.discriminator import Discriminator
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.optimise import losses
from napari_sem_sr.training.optimise.network import LearningGenerator
from napari_sem_sr.training.optimise.start import Start
from napari_sem_sr.training.optimise.vgg import load_vgg
from napari_sem_sr.training.settings import TrainSettings

Stage = Literal["twin", "gan"]
AVERAGE_DECAY = 0.999
WARM_UP_STEPS = 50
FINAL_RATE = 0.01
MAX_GRADIENT_NORM = 1.0
# Part of the learning rate for weights that know their trade already.
START_RATE = 0.5


def learning_rate(base: float, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine down to 1 % at the end of the stage (Loshchilov & Hutter 2017).

    Parameters
    ----------
    base
        Highest rate.
    step
        Of the stage, from 0 on.
    progress
        Part of the stage's budget that is used, 0 to 1.
    """
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return base * warm * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))


class Learner:
    """A generator that learns: first alone (the twin), then against a discriminator (the GAN).

    Parameters
    ----------
    settings
        Architecture, recipe and seed.
    fabric
        Device and precision.
    """

    def __init__(self, settings: TrainSettings, fabric: Fabric) -> None:
        self.settings = settings
        self.fabric = fabric
        self.stage: Stage = "twin"
        self.step = 0
        self.random = torch.Generator().manual_seed(settings.seed)
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            a = settings.architecture
            self._network = LearningGenerator(
                settings.factor, a.channels, a.blocks, a.tail_channels
            )
            self._discriminator = Discriminator()
        self.average = copy.deepcopy(self._network).eval().requires_grad_(False)
        self.average.to(fabric.device)
        self.twin: dict[str, Tensor] = {}
        self.contrast = 1.0
        """Standard deviation of the last SR batch over that of its HR batch."""
        self._rate_factor = 1.0
        self._beyond: Mapping[str, Tensor] = {}
        self._vgg = None
        if settings.vgg is not None:
            self._vgg = load_vgg(settings.vgg).to(fabric.device)
        self._set_up(settings.learning_rate)

    def _set_up(self, rate: float) -> None:
        for network in (self._network, self._discriminator):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._generator, self._optimizer = self._prepared(self._network, rate, (0.9, 0.99))
        self._prepared_discriminator, self._discriminator_optimizer = self._prepared(
            self._discriminator, rate, (0.5, 0.99)
        )

    def _prepared(
        self, module: nn.Module, rate: float, betas: tuple[float, float]
    ) -> tuple[Any, Any]:
        # fused Adam saves a tenth of a step on the CPU and more on a GPU
        optimizer = torch.optim.Adam(module.parameters(), lr=rate, betas=betas, fused=True)
        prepared: tuple[Any, Any] = self.fabric.setup(module, optimizer)
        return prepared

    @property
    def batch(self) -> int:
        """Patches per step; fewer against the discriminator, where steps count more than their size."""
        return self.settings.gan_batch if self.stage == "gan" else self.settings.batch

    def advance(self, sampler: PatchSampler, progress: float) -> dict[str, float]:
        """One optimiser step at ``progress`` (0 to 1) of the stage; returns the losses by name.

        Where a loss is not finite, nothing is learned from it.

        Parameters
        ----------
        sampler
            Draws the patches.
        """
        lr, hr = sampler.draw(self.batch, self.random)
        lr = lr.contiguous(memory_format=torch.channels_last)
        s = self.settings
        base = s.learning_rate if self.stage == "twin" else s.gan_learning_rate
        self._set_rate(self._optimizer, learning_rate(base, self.step, progress))
        # a faster discriminator keeps up with the generator (Heusel et al. 2017, TTUR)
        rate = learning_rate(s.discriminator_learning_rate, self.step, progress)
        self._set_rate(self._discriminator_optimizer, rate)
        found = self._twin_step(lr, hr) if self.stage == "twin" else self._gan_step(lr, hr)
        self._follow()
        self.step += 1
        return found

    def _set_rate(self, optimizer: Any, rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate * self._rate_factor

    def halve_rate(self) -> None:
        """Learn half as fast from now on."""
        self._rate_factor /= 2

    def is_finite(self) -> bool:
        """Whether no weight has become NaN or infinite."""
        return all(
            bool(torch.isfinite(p).all())
            for network in (self._network, self.average, self._discriminator)
            for p in network.parameters()
        )

    def _update(self, *learners: tuple[Any, Any, Tensor]) -> None:
        """One step of each optimiser and module by its loss, all from the weights before it."""
        for number, (optimizer, module, loss) in enumerate(learners, 1):
            optimizer.zero_grad()
            self.fabric.backward(
                loss, inputs=list(module.parameters()), retain_graph=number < len(learners)
            )
        for optimizer, module, loss in learners:
            if math.isfinite(loss.item()):
                norm = self.fabric.clip_gradients(
                    module, optimizer, max_norm=MAX_GRADIENT_NORM, error_if_nonfinite=False
                )
                if norm is None or norm.isfinite():
                    optimizer.step()

    def _twin_step(self, lr: Tensor, hr: Tensor) -> dict[str, float]:
        sr = self._generator(lr)
        self._look(sr, hr)
        loss = losses.pixel_loss(sr, hr)
        self._update((self._optimizer, self._generator, loss))
        return {"pixel": loss.item()}

    def _gan_step(self, lr: Tensor, hr: Tensor) -> dict[str, float]:
        sr = self._generator(lr)
        self._look(sr, hr)
        logits_hr, features_hr = self._prepared_discriminator(hr)
        logits_sr, features_sr = self._prepared_discriminator(sr)
        judged = losses.discriminator_loss(logits_hr, logits_sr)
        pixel = losses.pixel_loss(sr, hr)
        adversarial = losses.adversarial_loss(logits_sr)
        feature = losses.feature_loss(features_sr, features_hr)
        weights = self.settings.weights
        spectrum = losses.spectrum_loss(sr, hr, self.settings.factor)
        total = (
            pixel
            + weights.adversarial * adversarial
            + weights.feature * feature
            + weights.spectrum * spectrum
        )
        perceptual = {}
        if self._vgg is not None:
            with self.fabric.autocast():
                vgg = self._vgg.loss(sr, hr)
            total = total + weights.vgg * vgg
            perceptual = {"vgg": vgg.item()}
        # both from one look of the discriminator, as in pix2pixHD (Wang et al. 2018)
        self._update(
            (self._discriminator_optimizer, self._prepared_discriminator, judged),
            (self._optimizer, self._generator, total),
        )
        return {
            **perceptual,
            "pixel": pixel.item(),
            "adversarial": adversarial.item(),
            "feature": feature.item(),
            "spectrum": spectrum.item(),
            "discriminator": judged.item(),
        }

    @torch.no_grad()
    def _look(self, sr: Tensor, hr: Tensor) -> None:
        self.contrast = float(sr.float().std() / (hr.std() + 1e-6))

    @torch.no_grad()
    def _follow(self) -> None:
        # a short memory at first, so that the average is worth looking at from the start
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        for kept, new in zip(self.average.parameters(), self._network.parameters(), strict=True):
            kept.lerp_(new.to(kept.dtype), 1 - decay)

    def begin_from(self, start: Start) -> None:
        """Start both stages from known weights of the same architecture, and learn with more care.

        Parameters
        ----------
        start
            Weights of twin and SRGAN.
        """
        self._network.load_state_dict(start.twin)
        self.average.load_state_dict(start.twin)
        self._beyond = start.beyond
        self._rate_factor = START_RATE

    def begin_gan(self, twin: dict[str, Tensor]) -> None:
        """Keep ``twin`` as the twin and go on from its weights against the discriminator.

        What an SRGAN that was started from had learned beyond its own twin is added to them.

        Parameters
        ----------
        twin
            Weights by name, any shape.
        """
        self.twin = twin
        begun = {k: v + self._beyond[k] if k in self._beyond else v for k, v in twin.items()}
        self._network.load_state_dict(begun)
        self.average.load_state_dict(begun)
        self.stage, self.step = "gan", 0
        self._set_up(self.settings.gan_learning_rate)

    def averaged_weights(self) -> dict[str, Tensor]:
        """Averaged weights (EMA) as they are now, copied to the CPU."""
        return {k: v.detach().cpu().clone() for k, v in self.average.state_dict().items()}

    def checkpoint(self, state: dict[str, Any]) -> Checkpoint:
        """Everything from which `restore` goes on exactly; ``state`` is kept with it."""
        tensors = {
            **named("generator", self._network.state_dict()),
            **named("average", self.average.state_dict()),
            **named("discriminator", self._discriminator.state_dict()),
            **named("optimizer", optimizer_tensors(self._optimizer)),
            **named("judge_optimizer", optimizer_tensors(self._discriminator_optimizer)),
            **named("twin", self.twin),
            "random": self.random.get_state(),
        }
        return Checkpoint(
            tensors,
            {**state, "stage": self.stage, "step": self.step, "rate_factor": self._rate_factor},
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where `checkpoint` was taken.

        Parameters
        ----------
        checkpoint
            Of a learner with the same settings.
        """
        if checkpoint.state["stage"] == "gan" and self.stage == "twin":
            self.begin_gan(checkpoint.part("twin"))
        self.step = checkpoint.state["step"]
        self._rate_factor = checkpoint.state["rate_factor"]
        self._network.load_state_dict(checkpoint.part("generator"))
        self.average.load_state_dict(checkpoint.part("average"))
        self._discriminator.load_state_dict(checkpoint.part("discriminator"))
        restore_optimizer(self._optimizer, checkpoint.part("optimizer"))
        restore_optimizer(self._discriminator_optimizer, checkpoint.part("judge_optimizer"))
        self.random.set_state(checkpoint.tensors["random"])
