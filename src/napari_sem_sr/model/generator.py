"""The generator: LR image in, SR image out."""

from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Pixel-shuffle steps by upscale factor: powers of two in steps of two, as in Ledig et al. 2017.
SHUFFLES = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}
HEAD_KERNEL = 5
TAIL_KERNEL = 5
RESIDUAL_SCALE = 0.5
BICUBIC_REACH = 2


def bicubic(image: Tensor, factor: int) -> Tensor:
    """Upscale (N, C, H, W) bicubically without antialiasing: what every score is compared with.

    Parameters
    ----------
    image
        ``(N, C, H, W)``, floating.
    factor
        Pixels of the result per pixel, along y and along x.
    """
    return F.interpolate(image, scale_factor=factor, mode="bicubic", align_corners=False)


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions around a ReLU, without BatchNorm (Lim et al. 2017, EDSR).

    Parameters
    ----------
    channels
        Features in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape.

        Parameters
        ----------
        x
            ``(N, C, H, W)``.
        """
        change: Tensor = self.second(F.relu(self.first(x)))
        return x + RESIDUAL_SCALE * change


class Generator(nn.Module):
    """SRGAN generator (Ledig et al. 2017, SRResNet) without BatchNorm, on top of a bicubic skip.

    The network predicts only what bicubic interpolation lacks, which lets it learn from minutes of
    training; without BatchNorm, weights of two such networks may be interpolated.

    Parameters
    ----------
    factor
        Upscale factor: 2, 3, 4 or 8.
    channels
        Feature channels at LR size.
    blocks
        Residual blocks.
    tail_channels
        Feature channels at SR size, where every one of them costs factor² times as much.
    """

    def __init__(
        self, factor: int = 4, channels: int = 48, blocks: int = 8, tail_channels: int = 24
    ) -> None:
        super().__init__()
        if factor not in SHUFFLES:
            raise ValueError(f"factor {factor} is not one of {sorted(SHUFFLES)}")
        self.factor = factor
        self.head = nn.Conv2d(1, channels, HEAD_KERNEL, padding=HEAD_KERNEL // 2)
        self.body = nn.Sequential(
            *(ResidualBlock(channels) for _ in range(blocks)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        upscale: list[nn.Module] = []
        steps = SHUFFLES[factor]
        for step, out in zip(steps, [channels] * (len(steps) - 1) + [tail_channels], strict=True):
            upscale += [
                nn.Conv2d(channels, out * step**2, 3, padding=1),
                nn.PixelShuffle(step),
                nn.ReLU(),
            ]
        self.upscale = nn.Sequential(*upscale)
        self.tail = nn.Conv2d(tail_channels, 1, TAIL_KERNEL, padding=TAIL_KERNEL // 2)
        with (
            torch.no_grad()
        ):  # an untrained generator is bicubic, so the first steps cannot do harm
            self.tail.weight.mul_(0.01)
            assert self.tail.bias is not None
            self.tail.bias.zero_()

    @property
    def reach(self) -> int:
        """LR pixels around an LR pixel on which its SR pixels depend."""
        radius = TAIL_KERNEL // 2
        for step in reversed(SHUFFLES[self.factor]):
            radius = ceil(radius / step) + 1
        radius += 2 * (len(self.body) - 1) + 1 + HEAD_KERNEL // 2
        return max(radius, BICUBIC_REACH)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, H, W), 0 to 1 over the stack's intensity range, to (N, 1, fH, fW).

        Parameters
        ----------
        x
            ``(N, 1, H, W)``.
        """
        features = self.head(x)
        features = features + self.body(features)
        detail: Tensor = self.tail(self.upscale(features))
        return bicubic(x, self.factor) + detail
