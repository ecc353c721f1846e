"""Losses of the two stages."""

from collections.abc import Sequence
from math import log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error; sharper than the squared error at the same PSNR (Zhao et al. 2017).

    Parameters
    ----------
    sr, hr
        ``(N, 1, H, W)`` on the network's scale.
    """
    return F.l1_loss(sr, hr)


def adversarial_loss(logits_sr: Tensor) -> Tensor:
    """Non-saturating generator loss (Goodfellow et al. 2014), as in SRGAN (Ledig et al. 2017).

    Parameters
    ----------
    logits_sr
        ``(N, 1, h, w)``, positive for HR.
    """
    return F.softplus(-logits_sr).mean()


def discriminator_loss(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """Cross-entropy of telling HR from SR.

    Parameters
    ----------
    logits_hr, logits_sr
        ``(N, 1, h, w)`` each, positive for HR.
    """
    return F.softplus(-logits_hr).mean() + F.softplus(logits_sr).mean()


# Power above the LR Nyquist frequency that is asked of SR, against HR's. Most of what HR holds there is noise that
# does not follow from LR: to match its power in full costs 3 dB of PSNR and adds nothing true.
WANTED_POWER_DB = -1.6
SPECTRUM_BINS = 16


def spectrum_loss(sr: Tensor, hr: Tensor, factor: int) -> Tensor:
    """Distance of the batch's radial power spectra above the LR Nyquist frequency, in nepers of power.

    After the spectral regularisation of Durall et al. 2020 (CVPR): networks that upsample miss the high end
    of the spectrum, and a patch discriminator alone is slow to ask for it. Takes (N, 1, H, W), H = W.

    Parameters
    ----------
    sr, hr
        ``(N, 1, H, W)`` on the network's scale.
    factor
        HR pixels per LR pixel.
    """
    side = hr.shape[-1]
    fy = torch.fft.fftfreq(side, device=hr.device)[:, None]
    fx = torch.fft.rfftfreq(side, device=hr.device)
    radius = torch.hypot(fy, fx)
    nyquist = 0.5 / factor
    # spectra of windowed patches: the jump at their borders would fill every frequency
    window = torch.hann_window(side, periodic=False, device=hr.device)
    window = window[:, None] * window
    inside = (radius >= nyquist) & (radius < 0.5)
    place = ((radius - nyquist) / (0.5 - nyquist) * SPECTRUM_BINS).long()[inside]

    def power(image: Tensor) -> Tensor:
        centred = image - image.mean(dim=(-2, -1), keepdim=True)
        density = torch.fft.rfft2(centred * window).abs().square().mean(dim=(0, 1))
        return torch.zeros(SPECTRUM_BINS, device=hr.device).index_add(0, place, density[inside])

    floor = 1e-12 * side**2
    ratio = torch.log(power(sr) + floor) - torch.log(power(hr) + floor)
    return (ratio - WANTED_POWER_DB * log(10) / 10).abs().mean()


def feature_loss(features_sr: Sequence[Tensor], features_hr: Sequence[Tensor]) -> Tensor:
    """Feature matching in the discriminator (Salimans et al. 2016; Wang et al. 2018, pix2pixHD).

    Stands where SRGAN has VGG features: it needs no downloaded weights and speaks about electron
    micrographs rather than photographs. Each layer is taken relative to the size of its features.

    Parameters
    ----------
    features_sr, features_hr
        One for each layer, ``(N, C, h, w)``.
    """
    losses = [
        _distance(sr, hr.detach()) / (_size(hr.detach()) + 1e-6 * hr.numel())
        for sr, hr in zip(features_sr, features_hr, strict=True)
    ]
    return torch.stack(losses).mean()


class _Distance(torch.autograd.Function):
    """Sum of absolute differences to something that is not learned.

    Features are the largest tensors of all: torch's own l1 loss walks them several times more often, and in fp32.
    """

    @staticmethod
    def forward(ctx: Any, sr: Tensor, hr: Tensor) -> Tensor:
        difference = sr - hr
        ctx.save_for_backward(difference)
        return _size(difference)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (difference,) = ctx.saved_tensors
        return difference.sign().mul_(gradient), None


def _size(features: Tensor) -> Tensor:
    # summed in the order in which they lie in memory, several times faster than in that of their shape
    return features.movedim(1, -1).abs().sum().float()


def _distance(sr: Tensor, hr: Tensor) -> Tensor:
    found: Tensor = _Distance.apply(sr, hr)  # type: ignore[no-untyped-call]
    return found
