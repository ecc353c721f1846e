"""What lies between a good image and a coarse, noisy one of the same field, one physical cause per step.

Steps are plain parameters; `apply` does the arithmetic on torch tensors, so that a patch is degraded on the device
it is learned on and a whole image by the very same code. Grey values are on the network's scale: 0 and 1 are the black
and the white (0.1 and 99.9 percentiles) of the LR image before noise. Random numbers come from a
generator on the CPU, so that one seed makes the same image on any device.

Rows are scan lines: the beam runs along x.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from torch import Generator, Tensor

Unit = Literal["nm", "LR pixel"]
Grid = Literal["HR", "HR to LR", "LR"]
# Standard deviations of a Gaussian beam that are followed.
REACH = 3.0
# A Gaussian narrower than this many pixels is a point.
NARROWEST = 1e-3
# Line positions further off than this many standard deviations are rare enough to be cut.
FARTHEST = 4.0


@dataclass(frozen=True)
class Sampling:
    """How HR and LR pixels relate: the upscale factor, and the size of an LR pixel where it is known.

    Parameters
    ----------
    factor
        HR pixels per LR pixel along y and along x.
    lr_pixel_nm
        Side of an LR pixel in nm; None where unknown, and then no length may be in nm.
    """

    factor: int
    lr_pixel_nm: float | None = None

    def lr_px(self, length: float, unit: Unit) -> float:
        """Length in LR pixels.

        Parameters
        ----------
        length
            In ``unit``.
        unit
            Unit of ``length``.
        """
        if unit == "LR pixel":
            return length
        if self.lr_pixel_nm is None:
            raise ValueError("a length in nm needs the size of an LR pixel")
        return length / self.lr_pixel_nm

    def hr_px(self, length: float, unit: Unit) -> float:
        """Length in HR pixels.

        Parameters
        ----------
        length
            In ``unit``.
        unit
            Unit of ``length``.
        """
        return self.lr_px(length, unit) * self.factor


class Step(BaseModel):
    """One physical cause."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    grid: ClassVar[Grid] = "LR"
    random: ClassVar[bool] = True
    # a change of the scene belongs to the answer too, not only to the question
    of_the_scene: ClassVar[bool] = False

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Degrade ``image`` (N, 1, y, x), float on the network's scale.

        Parameters
        ----------
        image
            ``(N, 1, y, x)`` float on the network's scale.
        sampling
            How HR and LR pixels relate.
        generator
            What is random is drawn with it; on the device of ``image``.
        """
        raise NotImplementedError

    def margin_hr_px(self, sampling: Sampling) -> int:
        """How far, in HR pixels, an LR pixel's value reaches beyond the pixels it covers.

        Parameters
        ----------
        sampling
            How HR and LR pixels relate.
        """
        return 0


class ContrastChange(Step):
    """Another tone curve, as of another detector: grey^gamma.

    Gain and offset need no step, as networks see every image between its own black and white. The answer is
    given in the new contrast as well: a model is not to be taught to change what the detector says.

    Parameters
    ----------
    gamma
        Exponent; 1 changes nothing, less brightens the greys in between.
    """

    kind: Literal["contrast change"] = "contrast change"
    gamma: float = Field(1.0, gt=0)
    grid: ClassVar[Grid] = "HR"
    random: ClassVar[bool] = False
    of_the_scene: ClassVar[bool] = True

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Values beyond black and white keep their side: the curve goes on point-symmetric about 0."""
        return image.sign() * image.abs() ** self.gamma


class BeamBlur(Step):
    """A wider beam: Gaussian of standard deviation ``sigma``, on top of the blur the teacher has itself.

    Parameters
    ----------
    sigma
        Standard deviation of the Gaussian, in ``unit``.
    unit
        Unit of ``sigma``.
    """

    kind: Literal["beam blur"] = "beam blur"
    sigma: float = Field(ge=0)
    unit: Unit = "nm"
    grid: ClassVar[Grid] = "HR"
    random: ClassVar[bool] = False

    def margin_hr_px(self, sampling: Sampling) -> int:
        """Reach of the beam."""
        return math.ceil(REACH * sampling.hr_px(self.sigma, self.unit))

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Convolve along y and x."""
        sigma = sampling.hr_px(self.sigma, self.unit)
        return _along_x(_along_x(image, sigma).mT, sigma).mT


class ScanDistortion(Step):
    """Lines that do not begin where they should (``jitter``) and a specimen that creeps (``drift``).

    ``jitter`` is the standard deviation of a line's place along x; ``drift`` is the way the specimen goes in 1000
    lines, in a direction drawn anew for each image. The centre of the image stays where it is.

    Parameters
    ----------
    jitter
        Standard deviation of a line's place along x, in ``unit``.
    drift
        Way of the specimen in 1000 lines, in ``unit``.
    unit
        Unit of ``jitter`` and ``drift``.
    """

    kind: Literal["scan distortion"] = "scan distortion"
    jitter: float = Field(0.0, ge=0)
    drift: float = Field(0.0, ge=0)
    unit: Unit = "nm"
    grid: ClassVar[Grid] = "HR"

    def margin_hr_px(self, sampling: Sampling) -> int:
        """Reach of all but the rarest displacements of a line (drift moves borders, which are repeated)."""
        return math.ceil(FARTHEST * sampling.hr_px(self.jitter, self.unit))

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Displace lines of LR; all HR rows of a line move together."""
        import torch
        import torch.nn.functional as F

        n, _, height, width = image.shape
        lines = math.ceil(height / sampling.factor)
        place = torch.randn(n, lines, generator=generator).clamp(-FARTHEST, FARTHEST)
        angle = torch.rand(n, 1, generator=generator) * (2 * math.pi)
        way = (torch.arange(lines) - (lines - 1) / 2) / 1000
        drift = sampling.hr_px(self.drift, self.unit)
        dx = place * sampling.hr_px(self.jitter, self.unit) + drift * way * torch.cos(angle)
        dy = drift * way * torch.sin(angle)
        rows = torch.arange(height) // sampling.factor
        dx, dy = (d[:, rows].to(image.device)[:, :, None] for d in (dx, dy))
        y = torch.arange(height, device=image.device)[None, :, None] + dy
        x = torch.arange(width, device=image.device)[None, None, :] + dx
        y = y.expand(-1, -1, width)
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
        return F.grid_sample(image, grid, padding_mode="border", align_corners=True)


class AreaAverage(Step):
    """Each LR pixel is the mean of the f × f HR pixels it covers (the study's choice)."""

    kind: Literal["area average"] = "area average"
    grid: ClassVar[Grid] = "HR to LR"
    random: ClassVar[bool] = False

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """(N, 1, y, x) -> (N, 1, y/f, x/f)."""
        import torch.nn.functional as F

        return F.avg_pool2d(image, sampling.factor)


class ChargingStreaks(Step):
    """Bright or dark tails that edges leave along the scan line, of another strength in each line.

    Phenomenological: the slope of the signal along the line, with a memory of ``length``, times a number of standard
    deviation ``strength`` drawn for each line. On average nothing is added.

    Parameters
    ----------
    strength
        Standard deviation of what multiplies the slope of a line; without unit.
    length
        How far a tail reaches, in ``unit``.
    unit
        Unit of ``length``.
    """

    kind: Literal["charging streaks"] = "charging streaks"
    strength: float = Field(ge=0)
    length: float = Field(gt=0)
    unit: Unit = "nm"

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Add tails to the right of edges."""
        import torch
        import torch.nn.functional as F

        memory = sampling.lr_px(self.length, self.unit)
        reach = min(image.shape[-1] - 1, math.ceil(4 * memory))
        tail = torch.exp(-torch.arange(reach, -1, -1, dtype=image.dtype) / memory)
        slope = F.pad(image.diff(dim=-1).abs(), (reach + 1, 0))
        tails = F.conv2d(slope, tail.to(image.device)[None, None, None])
        lines = torch.randn(*image.shape[:3], 1, generator=generator).to(image.device)
        return image + self.strength * lines * tails


class Curtaining(Step):
    """Stripes along the milling direction (y): brightness that varies across them.

    ``strength`` is the standard deviation of the brightness, relative to it, and ``width`` that of a stripe.

    Parameters
    ----------
    strength
        Standard deviation of the brightness, relative to it.
    width
        Standard deviation of a stripe's profile, in ``unit``.
    unit
        Unit of ``width``.
    """

    kind: Literal["curtaining"] = "curtaining"
    strength: float = Field(ge=0)
    width: float = Field(gt=0)
    unit: Unit = "nm"

    def apply(self, image: "Tensor", sampling: Sampling, generator: "Generator") -> "Tensor":
        """Multiply columns."""
        import torch

        sigma = sampling.lr_px(self.width, self.unit)
        reach = math.ceil(REACH * sigma)
        n, width = image.shape[0], image.shape[-1]
        # drawn beyond the borders, so that these are as striped as the middle
        noise = torch.randn(n, 1, 1, width + 2 * reach, generator=generator)
        smooth = _along_x(noise, sigma)[..., reach : reach + width]
        kernel = _gaussian(sigma)
        smooth = smooth / (kernel**2).sum().sqrt()
        return image * (1 + self.strength * smooth.to(image.device))


def _gaussian(sigma: float) -> "Tensor":
    import torch

    if sigma < NARROWEST:
        return torch.ones(1)
    reach = math.ceil(REACH * sigma)
    at = torch.arange(-reach, reach + 1, dtype=torch.float64) / sigma
    kernel = torch.exp(-(at**2) / 2)
    return (kernel / kernel.sum()).float()


def _along_x(image: "Tensor", sigma: float) -> "Tensor":
    """Gaussian along x, borders repeated."""
    import torch.nn.functional as F

    kernel = _gaussian(sigma).to(image.device)
    reach = len(kernel) // 2
    padded = F.pad(image, (reach, reach, 0, 0), mode="replicate")
    return F.conv2d(padded, kernel[None, None, None])
