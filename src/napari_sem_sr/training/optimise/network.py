"""The generator as it is run for learning: same weights, same pixels, less time."""

import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.model.generator import Generator, bicubic
from napari_sem_sr.model.subpixel import unshuffled


class LearningGenerator(Generator):
    """A generator whose last shuffle is never done.

    Its widest features are convolved to a single channel where they are (see `unshuffled`), instead of being shuffled to
    SR size and, in the backward pass, back again.
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
        weight = unshuffled(self.tail.weight, step).flatten(1, 3)
        detail = F.conv2d(
            activation(widest(features)),
            weight,
            self.tail.bias.expand(step**2),
            padding=weight.shape[-1] // 2,
        )
        return bicubic(x, self.factor) + F.pixel_shuffle(detail, step)
