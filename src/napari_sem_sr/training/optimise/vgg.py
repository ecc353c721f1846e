"""Perceptual loss of SRGAN: features of VGG19, from weights that the user has.

Weights are never downloaded, and a file that might run code when opened is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from napari_sem_sr.errors import TrainingError

# VGG19 (Simonyan & Zisserman 2015) up to its last convolution: widths, and None for a maximum pooling.
LAYERS = (
    64, 64, None, 128, 128, None, 256, 256, 256, 256, None, 512, 512, 512, 512, None, 512, 512, 512, 512,
)  # fmt: skip
# Statistics of the photographs it was trained on.
MEAN = (0.485, 0.456, 0.406)
SD = (0.229, 0.224, 0.225)
# Ledig et al. 2017 scale features by 1 / 12.75, which makes their loss as large as that of pixels.
FEATURE_SCALE = 1 / 12.75

# What the readers of both formats raise for files that are not theirs, and for states of other networks.
READING_ERRORS = (
    OSError, SafetensorError, UnpicklingError, EOFError, RuntimeError, KeyError, TypeError, ValueError,
)  # fmt: skip


class VggFeatures(nn.Module):
    """Features after the fourth convolution before the fifth pooling (Ledig et al. 2017, VGG5,4).

    Layers are numbered as in torchvision's ``vgg19().features``, so that its weights fit.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in LAYERS:
            if width is None:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
        self.features = nn.Sequential(*layers)
        for name, values in (("mean", MEAN), ("sd", SD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 1, H, W), 0 to 1, to (N, 512, H/16, W/16).

        Parameters
        ----------
        image
            ``(N, 1, H, W)``.
        """
        colour = (image.expand(-1, 3, -1, -1) - self.mean) / self.sd
        features: Tensor = self.features(colour) * FEATURE_SCALE
        return features

    def loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Mean squared difference of the features of SR and HR.

        Parameters
        ----------
        sr, hr
            ``(N, 1, H, W)`` on the network's scale.
        """
        with torch.no_grad():
            wanted = self(hr)
        return F.mse_loss(self(sr), wanted)


def load_vgg(path: Path) -> VggFeatures:
    """VGG19 with the weights in ``path``: torchvision's state, as ``.pth`` or ``.safetensors``.

    Raises
    ------
    TrainingError
        If the file holds anything else.
    """
    try:
        if path.suffix == ".safetensors":
            state: Mapping[str, Tensor] = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        network = VggFeatures()
        own = network.state_dict()
        network.load_state_dict({name: state[name] for name in own})
    except READING_ERRORS as error:
        raise TrainingError(
            f"'{path}' does not hold the weights of VGG19 ({type(error).__name__}); give torchvision's file, as .pth "
            "or .safetensors."
        ) from error
    return network.eval().requires_grad_(False)
