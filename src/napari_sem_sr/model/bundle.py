"""A model as loaded: both networks, the card and the calibration."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.model.conditioning import fold, is_conditioned
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.model.parts import (
    CALIBRATION,
    CARD,
    GENERATOR,
    PREVIEW,
    TWIN,
    content_hash,
    parse_card,
    read_parts,
    renamed,
    write_parts,
)

Which = Literal["gan", "twin"]
Arrays = Mapping[str, npt.NDArray[Any]]

WEIGHT_DTYPES = {f"torch.{name}" for name in ("float16", "bfloat16", "float32", "float64")}
# Width of the picture that every network is tried on, and how far from its middle no sound one gets.
PROBE, FURTHEST = 16, 1e3


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model as loaded: its card, both networks' weights and its calibration data.

    Parameters
    ----------
    card
        What is known about it.
    weights
        State by network: ``"gan"`` (after the adversarial stage) and ``"twin"`` (before it).
    calibration
        Arrays from which the answer checks are made (domain statistics, conformal tables).
    content_hash
        Hash over card, weights and calibration, ``blake2b:...``.
    path
        Where it was loaded from.
    preview
        PNG bytes, or None.
    """

    card: Card
    weights: Mapping[Which, Mapping[str, Tensor]]
    calibration: Arrays
    content_hash: str
    path: Path
    preview: bytes | None = field(default=None, repr=False)

    @cached_property
    def default_sharpness(self) -> float:
        """Sharpness that is used unless someone asks for another."""
        return self.card.default_sharpness

    @property
    def is_conditioned(self) -> bool:
        """Whether the networks take noise and blur of a stack into account."""
        return is_conditioned(self.weights["gan"])

    def under(self, conditions: Conditions) -> "Model":
        """The model for one stack: plain networks and the default sharpness as they are under ``conditions``.

        A model that knows of no conditions is returned as it is.
        """
        if not self.is_conditioned:
            return self
        folded: dict[Which, Mapping[str, Tensor]] = {
            which: self.network(which, conditions).state_dict() for which in self.weights
        }
        sharpness = self.card.sharpness_under(conditions)
        card = self.card.model_copy(update={"default_sharpness": sharpness})
        return replace(self, card=card, weights=folded)

    def network(self, which: Which, conditions: Conditions = CLEAN) -> Generator:
        """Fp32 generator in eval mode: (N, 1, H, W) in [0, 1] -> (N, 1, fH, fW).

        Parameters
        ----------
        which
            ``"gan"`` or ``"twin"``.
        conditions
            Of the LR stack; folded into the weights where the model knows of them.
        """
        if which not in self.weights:
            raise ModelError(f"A model has no network '{which}'; ask for 'gan' or 'twin'.")
        return self._built(self.weights[which], conditions)

    def blended(self, sharpness: float, conditions: Conditions = CLEAN) -> Generator:
        """Generator with weights between the twin (0) and the GAN (1).

        Interpolation of weights as in Wang et al. 2018 (ESRGAN): it makes sense because the GAN
        starts from the twin's weights and neither uses BatchNorm.

        Parameters
        ----------
        sharpness
            0 for the twin, 1 for the GAN.
        conditions
            Noise and blur of the stack; of no effect on a model that does not know conditions.
        """
        if not 0 <= sharpness <= 1:
            raise ModelError(f"Sharpness {sharpness} is not between 0 (twin) and 1 (SRGAN).")
        twin, gan = (self.network(which, conditions).state_dict() for which in ("twin", "gan"))
        return self._built(interpolated(twin, gan, sharpness), CLEAN)

    def _built(self, weights: Mapping[str, Tensor], conditions: Conditions) -> Generator:
        return built(self.card.factor, self.card.architecture, weights, conditions)


def built(
    factor: int,
    architecture: Architecture,
    weights: Mapping[str, Tensor],
    conditions: Conditions = CLEAN,
) -> Generator:
    """Fp32 generator in eval mode with these weights, as they are under ``conditions``.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    architecture
        As on the card.
    weights
        By name, of any shape that the architecture asks for.
    """
    a = architecture
    network = Generator(factor, a.channels, a.blocks, a.tail_channels)
    fold(network, weights, conditions)
    return network.eval().requires_grad_(False)


def interpolated(
    twin: Mapping[str, Tensor], gan: Mapping[str, Tensor], sharpness: float
) -> dict[str, Tensor]:
    """Fp32 weights between the twin's (0) and the GAN's (1).

    Parameters
    ----------
    twin
        Weights by name, any shape.
    gan
        Weights of the same names, each of the same shape.
    sharpness
        0 to 1.
    """
    return {k: torch.lerp(twin[k].float(), gan[k].float(), sharpness) for k in gan}


def save_model(
    path: Path,
    card: Card,
    gan: Mapping[str, Tensor],
    twin: Mapping[str, Tensor],
    calibration: Arrays,
    preview: npt.NDArray[np.uint8] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a bundle; a folder, or zipped where ``path`` ends in ``.semsr``. Appears whole or not at all.

    Parameters
    ----------
    card
        With what a person must know; its ``name`` is that of the model.
    gan
        Weights of the SRGAN by name, any shape.
    twin
        Weights of the twin, in the same way.
    calibration
        Domain statistics and conformal tables by name, any shape.
    preview
        ``(y, x, 3)``; None for none.

    Raises
    ------
    OutputError
        If something is there already (and ``overwrite`` is not given), or it cannot be written.
    """
    if path.exists() and not overwrite:
        raise OutputError(f"'{path}' exists; give another name for the model or allow overwriting.")
    parts = {
        CARD: card.model_dump_json(indent=1).encode(),
        GENERATOR: save_tensors({k: v.contiguous() for k, v in gan.items()}),
        TWIN: save_tensors({k: v.contiguous() for k, v in twin.items()}),
        CALIBRATION: save_arrays({k: np.ascontiguousarray(v) for k, v in calibration.items()}),
    }
    if preview is not None:
        stream = io.BytesIO()
        Image.fromarray(preview).save(stream, "PNG")
        parts[PREVIEW] = stream.getvalue()
    write_parts(path, parts)


def load_bundle(path: Path) -> Model:
    """Load a bundle from its folder or ``.semsr`` file.

    Parameters
    ----------
    path
        Folder or ``.semsr`` file.

    Raises
    ------
    ModelError
        If it is missing, incomplete, damaged, or holds anything but JSON, safetensors and PNG.
    """
    parts = read_parts(path)
    card = parse_card(path, parts[CARD])
    weights: dict[Which, Mapping[str, Tensor]] = {}
    try:
        weights["gan"] = load_tensors(parts[GENERATOR])
        weights["twin"] = load_tensors(parts[TWIN])
        calibration = load_arrays(parts[CALIBRATION])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"Model '{path}' is damaged ({error}); get it again from where it came."
        ) from error
    model = Model(
        card=card,
        weights=weights,
        calibration=calibration,
        content_hash=content_hash(parts),
        path=path,
        preview=parts.get(PREVIEW),
    )
    for which in ("gan", "twin"):
        _check_weights(model, which)
    return model


def _check_weights(model: Model, which: Which) -> None:
    foreign = {str(t.dtype) for t in model.weights[which].values()} - WEIGHT_DTYPES
    if foreign:
        raise ModelError(
            f"The weights of the {which} in model '{model.path}' are {min(foreign).removeprefix('torch.')}, not floats of 16 bits "
            "or more, so they are not a network of this plugin; get the model again from where it came."
        )
    try:
        network = model.network(which)
    except RuntimeError as error:
        raise ModelError(
            f"The weights of the {which} in model '{model.path}' do not fit the architecture on its "
            "card; get the model again from where it came."
        ) from error
    if not all(bool(torch.isfinite(t).all()) for t in model.weights[which].values()):
        raise ModelError(
            f"The weights of the {which} in model '{model.path}' hold NaN or infinite numbers; "
            "train it again or get it again from where it came."
        )
    y, x = torch.meshgrid(torch.arange(PROBE), torch.arange(PROBE), indexing="ij")
    # black and white meet along both axes
    probe = ((y // 3 + x // 5) % 2).float()[None, None]
    with torch.inference_mode():
        furthest = float((network(probe) - 0.5).abs().max())
    if not furthest <= FURTHEST:
        raise ModelError(
            f"The {which} of model '{model.path}' makes values of {furthest:.2g} out of a picture between 0 and 1, so its "
            "weights make no sense; train it again or get it again from where it came."
        )


def copy_bundle(source: Path, target: Path, *, name: str | None = None) -> None:
    """Copy a bundle, zipping or unzipping it as the suffix of ``target`` says; nothing unsafe is passed on.

    Parameters
    ----------
    source
        Folder or ``.semsr`` file.
    name
        Put on the card of the copy, which has another hash then; None keeps the name.
    """
    load_bundle(source)
    if target.exists():
        raise OutputError(f"'{target}' exists; remove it first or give another name.")
    parts = read_parts(source)
    write_parts(target, parts if name is None else renamed(parts, name))
