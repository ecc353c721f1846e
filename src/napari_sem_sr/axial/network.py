"""The network that fills in what lies between slices, in planes that hold the slices as rows."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.axial.settings import Recipe

RESIDUAL_SCALE = 0.5


class AxialBlock(nn.Module):
    """Residual block (Lim et al. 2017, EDSR) that looks one slice far and two pixels.

    Parameters
    ----------
    channels
        Features in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, n, W) to the same shape.

        Parameters
        ----------
        x
            ``(N, C, n, W)``.
        """
        change: Tensor = self.second(F.relu(self.first(x)))
        return x + RESIDUAL_SCALE * change


class AxialGenerator(nn.Module):
    """Pixel shuffle along one axis (after Shi et al. 2016, ESPCN) on top of linear interpolation between slices.

    Half of its convolutions look along the slice only: what lies between two slices depends on few slices around,
    and each slice of reach costs every block of a streamed volume one slice more at both ends.

    Parameters
    ----------
    phases
        Rows made of each row: those at fractions 0, 1/phases, ... of the way to the next.
    channels
        Feature channels.
    blocks
        Residual blocks.
    """

    def __init__(self, phases: int, channels: int = 48, blocks: int = 8) -> None:
        super().__init__()
        self.phases = phases
        self.head = nn.Conv2d(1, channels, (3, 5), padding=(1, 2))
        self.body = nn.Sequential(
            *(AxialBlock(channels) for _ in range(blocks)),
            nn.Conv2d(channels, channels, (1, 3), padding=(0, 1)),
        )
        self.tail = nn.Conv2d(channels, phases, 3, padding=1)
        with torch.no_grad():  # an untrained network is linear interpolation
            self.tail.weight.mul_(0.01)
            assert self.tail.bias is not None
            self.tail.bias.zero_()

    @property
    def reach_slices(self) -> int:
        """Slices around a slice on which the rows below it depend."""
        return len(self.body) + 1

    @property
    def reach_pixels(self) -> int:
        """Pixels along the slice on which a pixel depends."""
        return 2 * (len(self.body) - 1) + 4

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, n, W) to (N, 1, n * phases, W); row k * phases + i lies i / phases below row k.

        The rows below the last one are what the network makes of no next slice, and of no use.

        Parameters
        ----------
        x
            ``(N, 1, n, W)`` on the network's scale.
        """
        features = self.head(x)
        features = features + self.body(features)
        detail: Tensor = self.tail(features)
        return linear(x, self.phases) + detail.transpose(1, 2).flatten(1, 2)[:, None]


def linear(x: Tensor, phases: int) -> Tensor:
    """Linear interpolation along the rows, (N, 1, n, W) to (N, 1, n * phases, W); the last row is repeated.

    Parameters
    ----------
    x
        ``(N, 1, n, W)``.
    phases
        Rows of the result per row.
    """
    following = torch.cat([x[:, :, 1:], x[:, :, -1:]], dim=2)
    weight = torch.arange(phases, dtype=x.dtype, device=x.device)[:, None] / phases
    between = torch.lerp(x[:, :, :, None], following[:, :, :, None], weight)
    return between.flatten(2, 3)


def network_of(weights: Mapping[str, Tensor], recipe: Recipe) -> AxialGenerator:
    """Fp32 network in eval mode with these weights.

    Parameters
    ----------
    weights
        By name, any shape.
    recipe
        Channels and blocks.

    Raises
    ------
    RuntimeError
        If they do not fit.
    """
    network = AxialGenerator(int(weights["tail.weight"].shape[0]), recipe.channels, recipe.blocks)
    network.load_state_dict({k: v.float() for k, v in weights.items()})
    return network.eval().requires_grad_(False)
