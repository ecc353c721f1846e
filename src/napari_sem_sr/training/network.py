"""The generator as it is run for learning: same weights, same pixels, less time."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.model.generator import TAIL_KERNEL, Generator, bicubic


class LearningGenerator(Generator):
    """A generator whose last shuffle is never done.

    Its widest features are convolved to a single channel where they are, to several SR pixels at once as channels (the
    sub-pixel identity of Shi et al. 2016, read backwards), instead of being shuffled to SR size and, in the backward
    pass, back again.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 1, H, W) to (N, 1, fH, fW), as `Generator` does but for rounding."""
        features = self.head(x)
        features = features + self.body(features)
        *before, widest, shuffle, activation = self.upscale
        for layer in before:
            features = layer(features)
        assert isinstance(shuffle, nn.PixelShuffle) and self.tail.bias is not None
        step = shuffle.upscale_factor
        weight = unshuffled(self.tail.weight, step)
        detail = F.conv2d(
            activation(widest(features)),
            weight,
            self.tail.bias.expand(step**2),
            padding=weight.shape[-1] // 2,
        )
        return bicubic(x, self.factor) + F.pixel_shuffle(detail, step)


def unshuffled(weight: Tensor, step: int) -> Tensor:
    """Weight (1, C, k, k) of a convolution, for features before their pixel shuffle.

    Parameters
    ----------
    weight
        Of the convolution that follows the shuffle.
    step
        Factor of the shuffle.

    Returns
    -------
    (step², C step², n, n): one output channel for each SR pixel of a feature pixel.
    """
    channels = weight.shape[1]
    radius = TAIL_KERNEL // 2
    reach = -(-radius // step)
    size = 2 * reach + 1
    spare = size * step - TAIL_KERNEL
    first = reach * step - radius
    phases = []
    for u in range(step):
        for v in range(step):
            top, left = first + u, first + v
            at = F.pad(weight[0], (left, spare - left, top, spare - top))
            at = at.reshape(channels, size, step, size, step).permute(0, 2, 4, 1, 3)
            phases.append(at.reshape(channels * step**2, size, size))
    return torch.stack(phases)
