"""The generator for programs that pad: pixels without data lie beyond the border of the image.

Inside a generator every convolution finds zeros beyond the border, in its features and not only in the image. A program
that pads the image itself, with whatever grey values, gets other pixels along the border. Here padding is a value that no
image has, or NaN: features there are set to zero after each layer, and the bicubic skip sees the nearest pixel of the image,
so that a padded image and one without padding agree.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.model.generator import (
    BICUBIC_REACH,
    RESIDUAL_SCALE,
    Generator,
    ResidualBlock,
    bicubic,
)

# Pixels below this on the network's scale lie beyond the border; so do NaN pixels.
BEYOND = -1e20


class BorderedGenerator(nn.Module):
    """A generator that knows what lies beyond the border.

    Parameters
    ----------
    generator
        Its layers are used as they are, not copied.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale an image that may have been padded.

        Parameters
        ----------
        lr
            (N, 1, H, W) on the network's scale; pixels below `BEYOND` or NaN lie beyond the border of the image.

        Returns
        -------
        (N, 1, fH, fW) on the same scale.
        """
        inside = lr > BEYOND
        image = torch.where(inside, lr, torch.zeros_like(lr))
        mask = inside.to(lr.dtype)
        head = self.generator.head(image) * mask
        features = head
        for part in self.generator.body:
            if isinstance(part, ResidualBlock):
                inner = F.relu(part.first(features)) * mask
                features = features + RESIDUAL_SCALE * part.second(inner) * mask
            else:
                features = part(features) * mask
        features = head + features
        for part in self.generator.upscale:
            features = part(features)
            if isinstance(part, nn.PixelShuffle):
                step = float(part.upscale_factor)
                mask = F.interpolate(mask, scale_factor=step, mode="nearest")
                features = features * mask
        detail: Tensor = self.generator.tail(features)
        return bicubic(_continued(image, inside), self.generator.factor) + detail


def _continued(image: Tensor, inside: Tensor) -> Tensor:
    """Continue an image by its nearest pixels as far as bicubic interpolation reaches."""
    for axis in (2, 3):
        size = image.shape[axis]
        for _ in range(BICUBIC_REACH):
            for start in (0, 1):
                # the neighbour before (0) or after (1) along the axis
                pad = [0, 0, 0, 0]
                pad[2 * (3 - axis) + start] = 1
                beside = F.pad(image, pad).narrow(axis, start, size)
                known = F.pad(inside.to(image.dtype), pad).narrow(axis, start, size) > 0
                image = torch.where(inside, image, beside)
                inside = torch.logical_or(inside, known)
    return image
