"""The discriminator: learns to tell SR from HR, used only in training."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (24, 48, 64, 96)
# What SR and HR differ in is a few hundredths of the intensity range: brought to the size of the image itself.
DETAIL_WINDOW = 5
DETAIL_GAIN = 10.0


class Discriminator(nn.Module):
    """Patch discriminator (Isola et al. 2017, PatchGAN) that sees the image and its magnified detail.

    SRGAN's own discriminator judges a patch as a whole through dense layers and BatchNorm; judging
    every neighbourhood instead gives many more votes per teacher, which matters when there are only
    about a hundred, and works at any patch size. Without the magnified detail as second channel, and likewise
    with spectral normalisation, it did not learn to tell a twin's picture from HR within a short training.
    """

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Conv2d(2, WIDTHS[0], 3, padding=1)]
        for before, after in pairwise(WIDTHS):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
        self.layers = nn.ModuleList(layers)
        self.vote = nn.Conv2d(WIDTHS[-1], 1, 3, padding=1)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judge (N, 1, H, W): logits (N, 1, H/8, W/8), positive for HR, and the features of every layer.

        Parameters
        ----------
        image
            ``(N, 1, H, W)`` on the network's scale; H and W are multiples of 8.
        """
        features = []
        smooth = F.avg_pool2d(
            image, DETAIL_WINDOW, stride=1, padding=DETAIL_WINDOW // 2, count_include_pad=False
        )
        x = torch.cat([image, DETAIL_GAIN * (image - smooth)], dim=1)
        # one memory layout for SR and HR: comparing features laid out differently takes five times as long
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2, inplace=True)
            features.append(x)
        return self.vote(x).float(), features
