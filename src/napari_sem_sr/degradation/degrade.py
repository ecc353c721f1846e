"""HR -> LR: what the coarser microscope would have recorded."""

import math
from typing import TYPE_CHECKING, Annotated, Any, Self

import dask.array as da
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.degradation.noise_steps import DetectorNoise, Dose, ReadNoise
from napari_sem_sr.degradation.steps import (
    AreaAverage,
    BeamBlur,
    ChargingStreaks,
    ContrastChange,
    Curtaining,
    Sampling,
    ScanDistortion,
)
from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange, range_of, to_dtype
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

if TYPE_CHECKING:
    from torch import Generator, Tensor

AnyStep = Annotated[
    AreaAverage
    | BeamBlur
    | ChargingStreaks
    | ContrastChange
    | Curtaining
    | DetectorNoise
    | Dose
    | ReadNoise
    | ScanDistortion,
    Field(discriminator="kind"),
]
_ORDER = {"HR": 0, "HR to LR": 1, "LR": 2}


class Degradation(BaseModel):
    """Steps applied in order; their names and parameters go on the model card.

    Parameters
    ----------
    steps
        Changes of the scene first, then what happens while HR is scanned, one area average, and what is added to LR.
    lr_pixel_nm
        Size of an LR pixel, for which lengths in nm hold; None where all lengths are in LR pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: tuple[AnyStep, ...] = (AreaAverage(),)
    lr_pixel_nm: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ranks = [_ORDER[s.grid] + (not s.of_the_scene) / 2 for s in self.steps]
        if ranks != sorted(ranks) or sum(s.grid == "HR to LR" for s in self.steps) != 1:
            raise ValueError(
                "steps must be: contrast change, beam blur or scan distortion, one area average, then the others"
            )
        if self.lr_pixel_nm is None and any(getattr(s, "unit", "") == "nm" for s in self.steps):
            raise ValueError("a length in nm needs the size of an LR pixel (lr_pixel_nm)")
        return self

    @property
    def is_area_average(self) -> bool:
        """Whether LR is the plain average of HR."""
        return all(isinstance(s, AreaAverage) for s in self.steps)

    @property
    def is_random(self) -> bool:
        """Whether LR differs from one time to the next."""
        return any(s.random for s in self.steps)

    @property
    def averages_on_average(self) -> bool:
        """Whether `expect` is the plain average."""
        lasting = (s for s in self.steps if not s.random and not s.of_the_scene)
        return all(isinstance(s, AreaAverage) for s in lasting)

    def margin_hr_px(self, factor: int) -> int:
        """HR pixels, a multiple of ``factor``, by which an LR pixel's value reaches beyond the pixels it covers."""
        sampling = Sampling(factor, self.lr_pixel_nm)
        return factor * math.ceil(sum(s.margin_hr_px(sampling) for s in self.steps) / factor)

    def scene(self, hr: "Tensor", factor: int) -> "Tensor":
        """What LR and HR both show: ``hr`` (N, 1, y, x), on the network's scale, in the contrast of LR.

        Parameters
        ----------
        hr
            ``(N, 1, y, x)`` float on the network's scale.
        factor
            HR pixels per LR pixel along y and along x.
        """
        return self._through(hr, factor, None, (s for s in self.steps if s.of_the_scene))

    def record(self, scene: "Tensor", factor: int, generator: "Generator") -> "Tensor":
        """LR (N, 1, y/f, x/f) of a scene (N, 1, y, x).

        Parameters
        ----------
        scene
            ``(N, 1, y, x)`` float on the network's scale, as `scene` gives it; y and x are multiples of ``factor``.
        factor
            HR pixels per LR pixel along y and along x.
        generator
            On the CPU; not touched where no step is random.
        """
        return self._through(
            scene, factor, generator, (s for s in self.steps if not s.of_the_scene)
        )

    def expect(self, scene: "Tensor", factor: int) -> "Tensor":
        """LR without anything random: what a scene would give on average.

        Parameters
        ----------
        scene
            ``(N, 1, y, x)`` float on the network's scale; y and x are multiples of ``factor``.
        factor
            HR pixels per LR pixel along y and along x.
        """
        steps = (s for s in self.steps if not s.of_the_scene and not s.random)
        return self._through(scene, factor, None, steps)

    def _through(self, image: "Tensor", factor: int, generator: Any, steps: Any) -> "Tensor":
        sampling = Sampling(factor, self.lr_pixel_nm)
        for step in steps:
            image = step.apply(image, sampling, generator)
        return image

    @property
    def conditions(self) -> Conditions:
        """Noise and blur as a model that knows conditions is told them; what else happens has no part in it."""
        black = white = correlation = blur = 0.0
        sampling = Sampling(1, self.lr_pixel_nm)
        for step in self.steps:
            match step:
                case BeamBlur():
                    blur = math.hypot(blur, sampling.lr_px(step.sigma, step.unit))
                case DetectorNoise():
                    black, white = black + step.black**2, white + step.white**2
                    correlation = max(correlation, step.correlation)
                case Dose():
                    white += 1 / step.electrons
                case ReadNoise():
                    black, white = black + step.sigma**2, white + step.sigma**2
        return Conditions(math.sqrt(black), math.sqrt(white), correlation, blur)

    def describe(self) -> str:
        """One line for a person."""
        return ", ".join(_described(step) for step in self.steps)


# The study's choice, and the default everywhere.
AREA_AVERAGE = Degradation()


def _described(step: BaseModel) -> str:
    values = step.model_dump()
    unit = values.pop("unit", "")
    kind = values.pop("kind")
    numbers = ", ".join(f"{k} {v:.3g}" for k, v in values.items())
    return f"{kind} ({numbers}{f' {unit}' if unit else ''})" if numbers else str(kind)


def clean_range(image: npt.NDArray[Any], factor: int) -> IntensityRange:
    """Black and white of the area average of ``image``, between which steps are applied.

    Parameters
    ----------
    image
        ``(y, x)`` of any real dtype.
    factor
        HR pixels per LR pixel along y and along x.
    """
    y, x = (n - n % factor for n in image.shape)
    return range_of(area_average(image[:y, :x], factor))


def degrade(
    image: npt.NDArray[Any],
    factor: int,
    degradation: Degradation,
    *,
    seed: int = 0,
    intensity: IntensityRange | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """LR and the scene it shows, of one image (y, x), in grey levels as floats, unclipped.

    Parameters
    ----------
    image
        HR; y and x are multiples of ``factor``.
    degradation
        What lies between HR and LR, step by step.
    seed
        Of everything random.
    intensity
        Black and white of LR before noise; by default those of the image itself.

    Returns
    -------
    LR (y/f, x/f), and the scene (y, x): ``image`` in the contrast of LR, ``image`` itself where that is unchanged.
    """
    if degradation.is_area_average:
        return area_average(image, factor), image
    import torch

    within = intensity or clean_range(image, factor)
    hr = torch.from_numpy(within.normalise(image))[None, None]
    scene = degradation.scene(hr, factor)
    lr = degradation.record(scene, factor, torch.Generator().manual_seed(seed))
    shown = image if scene is hr else within.restore(scene[0, 0].numpy())
    return within.restore(lr[0, 0].numpy()), shown


def expected(
    image: npt.NDArray[Any], factor: int, degradation: Degradation
) -> npt.NDArray[np.float64]:
    """LR that an image (y, x) in the contrast of LR would give on average, (y/f, x/f) in grey levels.

    What is not random is linear in grey, so any unit of grey will do. NaN where an LR pixel sees a NaN.

    Parameters
    ----------
    image
        ``(y, x)`` of any real dtype, whose sides are multiples of ``factor``; may hold NaN.
    factor
        HR pixels per LR pixel along y and along x.
    degradation
        Only its steps that are not random count.
    """
    if degradation.averages_on_average:
        return area_average(image, factor)
    import torch

    scene = torch.from_numpy(image.astype(np.float32))[None, None]
    return degradation.expect(scene, factor)[0, 0].numpy().astype(np.float64)


def spread(lr: npt.NDArray[Any], factor: int, degradation: Degradation) -> npt.NDArray[np.float64]:
    """Adjoint of `expected`: what every pixel (f y, f x) contributes to ``lr`` (y, x), weighted and summed.

    Parameters
    ----------
    lr
        ``(y, x)`` values on the grid of LR.
    factor
        HR pixels per LR pixel along y and along x.
    degradation
        That whose `expected` is transposed.
    """
    import torch

    y, x = lr.shape
    scene = torch.zeros(1, 1, y * factor, x * factor, requires_grad=True)
    weights = torch.from_numpy(lr.astype(np.float32))
    (degradation.expect(scene, factor)[0, 0] * weights).sum().backward()  # type: ignore[no-untyped-call]
    assert scene.grad is not None
    return scene.grad[0, 0].numpy().astype(np.float64)


def trim_to_multiple(stack: SemStack, factor: int) -> SemStack:
    """Cut off the last rows and columns that do not fill an LR pixel.

    Parameters
    ----------
    stack
        Any stack; its own pixels stay where they are.
    factor
        Of which the sides of the result are multiples.
    """
    _, y, x = stack.shape
    if y < factor or x < factor:
        raise InputError(
            f"'{stack.name}' is {x} × {y} pixels, too small to be averaged by {factor}; give a larger image."
        )
    return stack.cropped(region=((0, y - y % factor), (0, x - x % factor)))


def degrade_stack(
    hr: SemStack, factor: int, degradation: Degradation = AREA_AVERAGE, *, seed: int = 0
) -> SemStack:
    """LR stack made of an HR stack, lazily, in the HR dtype, rounded; by area averaging unless told otherwise.

    The result covers the same extent; rows and columns of ``hr`` that do not fill an LR pixel are
    left out. Its provenance says that it was made, not measured.

    Parameters
    ----------
    hr
        Stack of HR slices, (z, y, x).
    factor
        HR pixels per LR pixel along y and along x.
    degradation
        How; black and white are those of the whole stack.
    seed
        Of everything random; each slice has its own random numbers.
    """
    whole = trim_to_multiple(hr, factor)
    within = None if degradation.is_area_average else _stack_clean_range(whole, factor)

    def record(block: npt.NDArray[Any], block_info: Any = None) -> npt.NDArray[Any]:
        place = block_info[0]["chunk-location"][0] if block_info else 0
        lr, _ = degrade(block[0], factor, degradation, seed=seed + place, intensity=within)
        return to_dtype(lr[None].astype(np.float32), hr.dtype)[0]

    z, y, x = whole.shape
    data = da.map_blocks(
        record,
        whole.data.rechunk((1, -1, -1)),
        dtype=hr.dtype,
        chunks=((1,) * z, (y // factor,), (x // factor,)),
        meta=np.empty((0, 0, 0), hr.dtype),
    )
    made = (
        f"averaged {factor} × {factor}" if degradation.is_area_average else f"degraded by {factor}"
    )
    return whole.averaged(
        data,
        factor,
        name=f"{hr.name} {made}",
        paths=(),
        provenance={
            "degraded_from": hr.content_hash,
            "degradation": degradation.describe(),
            "factor": factor,
        },
    )


def _stack_clean_range(hr: SemStack, factor: int) -> IntensityRange:
    picks = evenly_spaced(hr.shape[0], 8)
    return range_of(np.stack([area_average(hr.slice(z), factor) for z in picks]))
