"""The discriminator: learns to tell SR from HR, used only in training."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (24, 48, 64, 96)


class Discriminator(nn.Module):
    """Patch discriminator with spectral normalisation (Isola et al. 2017; Miyato et al. 2018).

    SRGAN's own discriminator judges a patch as a whole through dense layers and BatchNorm; judging
    every neighbourhood instead gives many more votes per teacher, which matters when there are only
    about a hundred, and works at any patch size.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(1, WIDTHS[0], 3, padding=1))]
        for before, after in pairwise(WIDTHS):
            layers.append(spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1)))
        self.layers = nn.ModuleList(layers)
        self.vote = spectral_norm(nn.Conv2d(WIDTHS[-1], 1, 3, padding=1))

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judge (N, 1, H, W): logits (N, 1, H/8, W/8), positive for HR, and the features of every layer."""
        features = []
        x = image
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.vote(x), features
