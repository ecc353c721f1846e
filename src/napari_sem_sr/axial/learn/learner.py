"""An axial network that learns, one step at a time."""

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.axial.patch_sampler import PatchSampler
from napari_sem_sr.axial.settings import Recipe
from napari_sem_sr.model.checkpoint import (
    Checkpoint,
    named,
    optimizer_tensors,
    restore_optimizer,
)

# Errors below this part of the intensity range count squared, larger ones as they are (Huber 1964): the mean of what
# noise makes possible, but not of what lies on either side of an edge.
ROUNDED_BELOW = 0.1
AVERAGE_DECAY = 0.999
WARM_UP_STEPS = 50
FINAL_RATE = 0.01
MAX_GRADIENT_NORM = 1.0


class AxialLearner:
    """Learns to fill in rows, in fp32.

    Parameters
    ----------
    sampler
        Where questions and answers come from.
    recipe
        Size and rate.
    seed
        Of the first weights and of the patches drawn.
    device
        Where it learns.
    """

    def __init__(
        self, sampler: PatchSampler, recipe: Recipe, seed: int, device: torch.device
    ) -> None:
        self._sampler = sampler
        self._recipe = recipe
        self._device = device
        self.step = 0
        self.pixels = 0
        self._random = np.random.default_rng(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = AxialGenerator(sampler.phases, recipe.channels, recipe.blocks)
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = copy.deepcopy(self._network).eval().requires_grad_(False)
        self._optimizer = torch.optim.Adam(
            self._network.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99), fused=True
        )

    def begin_from(self, weights: Mapping[str, Tensor]) -> None:
        """Start from the weights of a network that fills in other distances.

        Of its last layer the rows are taken that lie nearest to the same parts of the way to the next slice.

        Parameters
        ----------
        weights
            By name, any shape; of a network of the same channels and blocks.
        """
        phases = self._sampler.phases
        known = weights["tail.weight"].shape[0]
        nearest = [round(i * known / phases) % known for i in range(phases)]
        fitted = {k: v[nearest] if k.startswith("tail.") else v for k, v in weights.items()}
        self._network.load_state_dict(fitted)
        self._average.load_state_dict(fitted)

    def advance(self, progress: float) -> float:
        """One optimiser step at ``progress`` (0 to 1) of the budget; returns the loss.

        Where the loss is not finite, nothing is learned from it.
        """
        question, answer = self._sampler.draw(self._recipe.batch, self._random)
        question = question.to(self._device, memory_format=torch.channels_last)
        answer = answer.to(self._device)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._recipe.learning_rate, self.step, progress)
        # rows below the last slice have no answer
        predicted = self._network(question)[:, :, : answer.shape[2]]
        loss = nn.functional.smooth_l1_loss(predicted, answer, beta=ROUNDED_BELOW)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), MAX_GRADIENT_NORM)
        value = loss.item()
        if math.isfinite(value) and bool(norm.isfinite()):
            self._optimizer.step()
        self._follow()
        self.step += 1
        self.pixels += answer.numel()
        return value

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.step) / (10 + self.step))
        for kept, new in zip(self._average.parameters(), self._network.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """Averaged weights (EMA) as they are now, copied to the CPU."""
        return {
            k: v.detach().cpu().clone().contiguous() for k, v in self._average.state_dict().items()
        }

    def checkpoint(self, state: Mapping[str, Any]) -> Checkpoint:
        """Everything from which `restore` goes on exactly; ``state`` is kept with it."""
        tensors = {
            **named("network", self._network.state_dict()),
            **named("average", self._average.state_dict()),
            **named("optimizer", optimizer_tensors(self._optimizer)),
        }
        random = self._random.bit_generator.state
        return Checkpoint(
            tensors, {**state, "step": self.step, "pixels": self.pixels, "random": random}
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to where ``checkpoint`` was taken."""
        self.step = checkpoint.state["step"]
        self.pixels = checkpoint.state["pixels"]
        self._random.bit_generator.state = checkpoint.state["random"]
        self._network.load_state_dict(checkpoint.part("network"))
        self._average.load_state_dict(checkpoint.part("average"))
        restore_optimizer(self._optimizer, checkpoint.part("optimizer"))


def learning_rate(base: float, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine down to 1 % at the end of the budget (Loshchilov & Hutter 2017).

    Parameters
    ----------
    base
        Highest rate.
    step
        Of the stage, from 0 on.
    progress
        Part of the budget that is used, 0 to 1.
    """
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return base * warm * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))
