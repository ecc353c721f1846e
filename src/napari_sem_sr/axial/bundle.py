"""What was learned on a stack, kept so that it can be applied again: one safetensors file.

The networks' weights, and in the file's JSON header the card. Nothing is pickled.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pydantic
import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.network import AxialGenerator, network_of
from napari_sem_sr.axial.settings import Recipe, Section
from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors

FILE = "axial.safetensors"
LEARNING = "learning.safetensors"
LEFT_OUT_FILES = ("left_out.csv", "left_out.tif", "left_out.png")
FOLDER_SUFFIX = ".axial"
Which = Literal["volume", "test"]
# A stack's ratio may differ by this part from that a model was learned for.
_SAME_RATIO = 0.01


class AxialCard(BaseModel):
    """What is known about an axial model.

    ``leave_out`` is how many slices there are for each one that the test network saw; 0 if there is none.

    Parameters
    ----------
    ratio
        Slice spacing over pixel size.
    section
        How a slice averages over its depth.
    channels
        Features of the blocks.
    blocks
        Residual blocks.
    steps
        Optimiser steps of each network.
    seed
        Of all that was random.
    source_name
        Of the stack it was learned on.
    source_hash
        Of that stack.
    software_version
        Of this package.
    """

    model_config = ConfigDict(frozen=True)
    schema_version: Literal[1] = 1
    ratio: float
    section: Section
    channels: int
    blocks: int
    leave_out: int
    steps: dict[str, int]
    seed: int
    source_name: str
    source_hash: str
    software_version: str


@dataclass(frozen=True, eq=False)
class AxialModel:
    """The volume's network and, where there is one, the one that the test on left-out slices used.

    Parameters
    ----------
    card
        What is known about it.
    weights
        By network, then by name, any shape.
    """

    card: AxialCard
    weights: Mapping[Which, Mapping[str, Tensor]]

    def network(self, which: Which) -> AxialGenerator:
        """Fp32 network in eval mode: (N, 1, n, W) in [0, 1] -> (N, 1, n * phases, W).

        Parameters
        ----------
        which
            The volume's, or that of the test.
        """
        recipe = Recipe(channels=self.card.channels, blocks=self.card.blocks)
        return network_of(self.weights[which], recipe)

    @cached_property
    def content_hash(self) -> str:
        """Hash over card and weights, ``blake2b:...``."""
        digest = hashlib.blake2b(self.card.model_dump_json().encode(), digest_size=20)
        for which in sorted(self.weights):
            for name in sorted(self.weights[which]):
                digest.update(f"{which}.{name}".encode())
                digest.update(self.weights[which][name].contiguous().numpy().tobytes())
        return f"blake2b:{digest.hexdigest()}"

    def check_fits(self, grid: AxialGrid) -> None:
        """Make sure that the model bridges the distance between this stack's slices.

        Parameters
        ----------
        grid
            Where the slices of a volume lie.

        Raises
        ------
        ModelError
            If it was learned for another one.
        """
        if abs(self.card.ratio / grid.ratio - 1) > _SAME_RATIO:
            raise ModelError(
                f"The axial model was learned for slices {self.card.ratio:.3g} pixels apart and these are "
                f"{grid.ratio:.3g}; leave --model out to learn from the stack itself."
            )


@dataclass(frozen=True)
class Companion:
    """The folder beside a volume that holds what it was made with, and what its test found.

    Parameters
    ----------
    folder
        Its path.
    """

    folder: Path

    @classmethod
    def of(cls, output: Path) -> "Companion":
        """Folder of the volume at ``output``; touches nothing."""
        return cls(output.with_name(f"{output.name}{FOLDER_SUFFIX}"))

    @property
    def model(self) -> Path:
        """Where the model is kept."""
        return self.folder / FILE

    @property
    def learning(self) -> Path:
        """Where unfinished learning is kept."""
        return self.folder / LEARNING

    def make(self) -> None:
        """Make it empty: what an earlier run left there is removed.

        Raises
        ------
        OutputError
            If something else is there, or the disk refuses.
        """
        if self.folder.exists() and not self._is_ours():
            raise OutputError(
                f"'{self.folder}', where the model of the volume is kept, holds something else; choose another name "
                "for the output."
            )
        with translate_os_errors(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)
            make_folder(self.folder.absolute())

    def settle(self, place: "Companion") -> None:
        """Go to ``place``, where the finished volume is; what is there belongs to a volume that was overwritten."""
        if self == place or not self.folder.exists():
            return
        place.make()
        with translate_os_errors(place.folder):
            place.folder.rmdir()
            self.folder.rename(place.folder)

    def _is_ours(self) -> bool:
        names = {p.name for p in self.folder.iterdir()} if self.folder.is_dir() else {""}
        return names <= {FILE, LEARNING, *LEFT_OUT_FILES}


def save_axial_model(path: Path, model: AxialModel) -> None:
    """Write atomically.

    Parameters
    ----------
    path
        File to write.
    model
        What was learned.
    """
    tensors = {
        f"{which}.{name}": tensor.contiguous()
        for which, weights in model.weights.items()
        for name, tensor in weights.items()
    }
    with translate_os_errors(path), atomic_write(path) as temporary:
        temporary.write_bytes(save(tensors, {"card": model.card.model_dump_json()}))


def load_axial_model(path: str | Path) -> AxialModel:
    """Load a model from its file, or from an isotropic volume (``*.zarr``) that was made with it.

    Parameters
    ----------
    path
        Of the model, or of a volume.

    Raises
    ------
    ModelError
        If there is none, or it is damaged.
    """
    path = Path(path)
    file = path
    if path.is_dir():
        file = path / FILE if path.name.endswith(FOLDER_SUFFIX) else Companion.of(path).model
    if not file.is_file():
        raise ModelError(
            f"There is no axial model at '{path}'; give a volume made by sem-sr isotropic or its {FILE}."
        )
    try:
        with safe_open(file, framework="pt") as opened:
            card = AxialCard.model_validate_json((opened.metadata() or {})["card"])
            names = list(opened.keys())
            tensors = {name: opened.get_tensor(name) for name in names}
        parts: dict[Which, dict[str, Tensor]] = {}
        for which in ("volume", "test"):
            found = {
                k.removeprefix(f"{which}."): v
                for k, v in tensors.items()
                if k.startswith(f"{which}.")
            }
            if found:
                parts[which] = found
        model = AxialModel(card, parts)
        for which in parts:
            model.network(which)
    except (SafetensorError, OSError, KeyError, RuntimeError, pydantic.ValidationError) as error:
        raise ModelError(
            f"The axial model '{file}' is damaged or is not one ({str(error).splitlines()[0]}); learn it again."
        ) from error
    if "volume" not in parts or not all(
        bool(torch.isfinite(t).all()) for weights in parts.values() for t in weights.values()
    ):
        raise ModelError(f"The axial model '{file}' has no usable weights; learn it again.")
    return model
