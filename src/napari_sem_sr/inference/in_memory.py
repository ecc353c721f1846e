"""Upscale an array into an array."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import LOG
from napari_sem_sr.inference.conditions import settle_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True, eq=False)
class LoadedModel(Model):
    """A model that upscales arrays."""

    @classmethod
    def of(cls, model: Model) -> Self:
        """Return the same model with the method ``upscale``.

        Parameters
        ----------
        model
            As `load_bundle` gives it.
        """
        if isinstance(model, cls):
            return model
        return cls(**{f.name: getattr(model, f.name) for f in fields(Model)})

    def upscale(
        self,
        lr: npt.ArrayLike | SemStack,
        *,
        sharpness: float | None = None,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        noise: float | Literal["auto", "none"] = "auto",
        blur: float | Literal["auto"] = "auto",
    ) -> npt.NDArray[Any]:
        """SR of an image or a stack, in memory; for what does not fit there, upscale into a file.

        Parameters
        ----------
        lr
            (y, x) or (z, y, x), of any grey dtype; NaN stays NaN.
        sharpness
            Between the twin (0) and the SRGAN (1); the card's default where None.
        device
            ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        precision
            ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        tile
            Width of a tile in LR pixels; None for one that suits the device.
        noise
            Standard deviation of LR's noise in its grey values at mid range, where it is not to be measured.
        blur
            Blur of LR in LR pixels beyond the averaging over a pixel, where it is not to be measured.

        Returns
        -------
        (f y, f x) or (z, f y, f x) in the dtype of ``lr``, with one intensity range for all slices.

        Raises
        ------
        InputError
            If it is no grey image or stack, or all of a slice is NaN.
        """
        stack = lr if isinstance(lr, SemStack) else SemStack.from_array(lr, "array")
        settings = UpscaleSettings(sharpness, device, precision, tile, noise=noise, blur=blur)
        intensity = stack_range(stack)
        found = settle_conditions(stack, self, settings, intensity)
        for notice in found.notices:
            LOG.warning(notice)
        adapted = self.under(found.conditions)
        sharpness = adapted.default_sharpness if sharpness is None else sharpness
        engine = Engine(adapted.blended(sharpness), device=device, precision=precision, tile=tile)
        slices = [
            engine.upscale_slice(stack.slice(z), intensity, stack.dtype, index=z).image
            for z in range(stack.shape[0])
        ]
        flat = not isinstance(lr, SemStack) and np.ndim(lr) == 2
        return slices[0] if flat else np.stack(slices)
