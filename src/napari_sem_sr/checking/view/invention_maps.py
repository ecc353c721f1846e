"""What GAN and twin draw beside each other, as maps on the LR grid; see `evidence.invention` for what they mean."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.checking.view.filter_bank import (
    LEVELS,
    coarse_mask,
    compare_with_twin,
    without_gaps,
)
from napari_sem_sr.intensity import IntensityRange


@dataclass(frozen=True, eq=False)
class Invention:
    """Maps on the LR grid, in grey levels, on the device that made them; NaN where SR or its twin is.

    Parameters
    ----------
    amount
        ``(y, x)``, root mean square of GAN − twin.
    agreement
        Local correlation A of their detail, -1 to 1.
    energy
        Local root mean square e of SR's detail.
    slope
        Root mean square of SR's slope, per SR pixel.
    unexplained
        Local root mean square of the detail that no multiple of the twin's detail explains.
    """

    amount: Tensor
    agreement: Tensor
    energy: Tensor
    slope: Tensor
    unexplained: Tensor


def invention(
    gan: npt.NDArray[Any],
    twin: npt.NDArray[Any],
    factor: int,
    intensity: IntensityRange | None = None,
    device: torch.device | str = "cpu",
) -> Invention:
    """Compare GAN and twin, ``(y, x)`` each, in grey levels.

    Parameters
    ----------
    twin
        Of the same shape.
    factor
        SR pixels per LR pixel.
    intensity
        Of the stack, in which numbers are scaled; by default black and white of ``gan`` itself.
    device
        Where it is computed.
    """
    (a, gaps_a), (b, gaps_b) = without_gaps(gan), without_gaps(twin)
    if intensity is None:
        low, high = float(a.min()), float(a.max())
        intensity = IntensityRange(low, high if high > low else low + 1.0)
    fine = compare_with_twin(a, b, factor, intensity, torch.device(device))
    unit = (intensity.high - intensity.low) / LEVELS
    maps = [i.mul_(unit) for i in (fine.amount, fine.energy, fine.slope, fine.unexplained)]
    masked = coarse_mask((gaps_a, gaps_b), factor)
    if masked is not None:
        where = torch.from_numpy(masked).to(device)
        for image in (*maps, fine.agreement):
            image[where] = torch.nan
    amount, energy, slope, unexplained = maps
    return Invention(amount, fine.agreement, energy, slope, unexplained)
