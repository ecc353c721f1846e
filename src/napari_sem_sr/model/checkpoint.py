"""Checkpoints from which training continues exactly.

Tensors (weights, averaged weights, optimiser and random states) go to one safetensors file, numbers
to its JSON header, with a checksum; nothing is pickled.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.optim import Optimizer

from napari_sem_sr.errors import OutputError, TrainingError
from napari_sem_sr.io.atomic_write import atomic_write
from napari_sem_sr.model.sealed import sealed, unsealed


@dataclass(frozen=True)
class Checkpoint:
    """``tensors`` by name, ``state`` as plain numbers and strings.

    Parameters
    ----------
    tensors
        By name, any shape.
    """

    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name begins with ``prefix.``, without it.

        Parameters
        ----------
        prefix
            As given to `named`.
        """
        return {
            k.removeprefix(f"{prefix}."): v
            for k, v in self.tensors.items()
            if k.startswith(f"{prefix}.")
        }


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under a common prefix, detached on the CPU.

    Parameters
    ----------
    prefix
        Without the point.
    tensors
        By name, any shape.
    """
    return {f"{prefix}.{k}": v.detach().cpu().clone().contiguous() for k, v in tensors.items()}


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Adam's state per parameter as a flat mapping.

    Parameters
    ----------
    optimizer
        Adam, after any number of steps.
    """
    return {
        f"{index}.{name}": value
        for index, entries in optimizer.state_dict()["state"].items()
        for name, value in entries.items()
    }


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` took.

    Parameters
    ----------
    optimizer
        Adam over the same parameters.
    tensors
        By name, each of the same shape as its parameter.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        like = parameters[int(index)]
        # the fused Adam walks weight and state side by side in memory: both must be laid out alike
        laid_out = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(index), {})[name] = laid_out
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically: an interrupted write leaves the checkpoint before.

    Parameters
    ----------
    path
        File to write.
    checkpoint
        State of a training.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            state = {"state": json.dumps(checkpoint.state)}
            temporary.write_bytes(sealed(save(dict(checkpoint.tensors), state)))
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"The checkpoint cannot be written to '{path}' ({error}); make room there and resume."
        ) from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path
        File that `save_checkpoint` wrote.

    Raises
    ------
    TrainingError
        If it is damaged.
    """
    try:
        content = path.read_bytes()
        state = json.loads(unsealed(content)["state"])
        tensors = load(content)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"The checkpoint '{path}' is damaged ({error}); remove its folder and train again."
        ) from error
    return Checkpoint(tensors, state)
