"""What a training run leaves: the weights of both networks, and how it went."""

from dataclasses import dataclass

from torch import Tensor

from napari_sem_sr.training.budget import TrainingProgress

Weights = dict[str, Tensor]


@dataclass
class Outcome:
    """Weights of both networks and how it went.

    Parameters
    ----------
    twin
        Weights by name.
    gan
        Weights by name.
    progress
        Where the run stood at its end.
    """

    twin: Weights
    gan: Weights
    progress: TrainingProgress
