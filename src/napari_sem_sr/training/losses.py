"""Losses of the two stages."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_loss(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error; sharper than the squared error at the same PSNR (Zhao et al. 2017)."""
    return F.l1_loss(sr, hr)


def adversarial_loss(logits_sr: Tensor) -> Tensor:
    """Non-saturating generator loss (Goodfellow et al. 2014), as in SRGAN (Ledig et al. 2017)."""
    return F.softplus(-logits_sr).mean()


def discriminator_loss(logits_hr: Tensor, logits_sr: Tensor) -> Tensor:
    """Cross-entropy of telling HR from SR."""
    return F.softplus(-logits_hr).mean() + F.softplus(logits_sr).mean()


def feature_loss(features_sr: Sequence[Tensor], features_hr: Sequence[Tensor]) -> Tensor:
    """Feature matching in the discriminator (Salimans et al. 2016; Wang et al. 2018, pix2pixHD).

    Stands where SRGAN has VGG features: it needs no downloaded weights and speaks about electron
    micrographs rather than photographs. Each layer is taken relative to the size of its features.
    """
    losses = [
        F.l1_loss(sr, hr.detach()) / (hr.detach().abs().mean() + 1e-6)
        for sr, hr in zip(features_sr, features_hr, strict=True)
    ]
    return torch.stack(losses).mean()
