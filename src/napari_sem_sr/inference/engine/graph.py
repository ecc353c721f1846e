"""The generator as it is run for upscaling: same weights, same pixels, less time.

Run as written, a generator spends a third of its time moving numbers about: shuffling its widest
feature maps, and convolving them to a single channel at SR size, where vector units run nearly
empty. Here the last shuffle is never done: the last convolution is written for the unshuffled
features, a few SR pixels at once as channels (the sub-pixel identity of Shi et al. 2016, read
backwards). The bicubic skip becomes a convolution in the same form. On a CPU the wide part after the
residual blocks runs in strips that stay in the cache. Measured in benchmarks/.
"""

import copy
from collections.abc import Generator as Gen

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.inference.engine.tiling import intervals
from napari_sem_sr.model.generator import (
    HEAD_KERNEL,
    RESIDUAL_SCALE,
    Generator,
    ResidualBlock,
    bicubic,
)
from napari_sem_sr.model.subpixel import unshuffled

# Pixels of the last feature map, along each axis, that the tail treats as one where it can: 16 channels
# at once fill a vector register, 4 do not.
TAIL_GROUP = 2
# Bicubic interpolation at an SR pixel reaches this many LR pixels either way.
SKIP_RADIUS = 2
# LR rows of a strip on a CPU: a few hundred columns of it at the widest layer are some 10 MB.
STRIP = 48


class InferenceGraph(nn.Module):
    """A private copy of a generator on a device, in a precision, in channels-last layout.

    Only the detail that the network adds is computed in the reduced precision. The bicubic skip carries the grey
    values themselves and stays fp32, and so does the first convolution, which costs next to nothing: bf16 cannot
    tell 256 grey levels apart, and rounding the picture itself was seven eighths of its whole deviation.

    Parameters
    ----------
    network
        Left as it is.
    device
        Where the copy lives.
    dtype
        Of the network's arithmetic.
    """

    def __init__(self, network: Generator, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.factor = network.factor
        self.dtype = dtype
        with torch.no_grad():
            network = copy.deepcopy(network).to("cpu", torch.float32).requires_grad_(False)
            blocks = [m for m in network.body if isinstance(m, ResidualBlock)]
            self.head = network.head
            self.firsts = nn.ModuleList(block.first for block in blocks)
            self.seconds = nn.ModuleList(_scaled(block.second) for block in blocks)
            self.last = network.body[-1]
            self._upscale_reach = network.reach - 2 * len(blocks) - 1 - HEAD_KERNEL // 2
            *self._inner_steps, step = _steps(network)
            convolutions = [m for m in network.upscale if isinstance(m, nn.Conv2d)]
            self.upscale = nn.ModuleList(
                _grouped_by_phase(c, s)
                for c, s in zip(convolutions, (*self._inner_steps, step), strict=True)
            )
            self._group = TAIL_GROUP if self._inner_steps else 1
            self._tail_step = step * self._group
            self.tail = _unshuffled_tail(network.tail, step, self._group)
            self.to(device=device, dtype=dtype)
            self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.head.to(torch.float32)
            self.skip = _bicubic_convolution(self.factor).to(device)

    def forward(self, x: Tensor) -> Tensor:
        """Map fp32 (N, 1, H, W) on the device to fp32 (N, 1, fH, fW).

        Parameters
        ----------
        x
            ``(N, 1, H, W)``.
        """
        work = self.iter_forward(x)
        while True:
            try:
                next(work)
            except StopIteration as stop:
                sr: Tensor = stop.value
                return sr

    def iter_forward(self, x: Tensor) -> Gen[None, None, Tensor]:
        """Do the same, pausing between layers and strips for whoever wants to look up or stop.

        Parameters
        ----------
        x
            fp32 ``(N, 1, H, W)`` on the device.
        """
        f = self.factor
        height = x.shape[2]
        head = self.head(x.contiguous(memory_format=torch.channels_last)).to(self.dtype)
        features = head
        for first, second in zip(self.firsts, self.seconds, strict=True):
            inner = first(features).relu_()
            yield
            features = second(inner).add_(features)
            yield
        features = self.last(features).add_(head)
        padded = F.pad(x, (SKIP_RADIUS,) * 4, mode="replicate")
        sr = x.new_empty((x.shape[0], 1, f * height, f * x.shape[3]))
        strip = STRIP if x.device.type == "cpu" else height
        for (w0, w1), (c0, c1) in intervals((0, height), height, strip, self._upscale_reach):
            detail = self._detail(features[:, :, w0:w1])
            level = f // self._tail_step
            detail = detail[:, :, level * (c0 - w0) : level * (c1 - w0)].float()
            skip = self.skip(padded[:, :, c0 : c1 + 2 * SKIP_RADIUS])
            if level == 1:
                part = F.pixel_shuffle(detail.add_(skip), f)
            else:
                part = F.pixel_shuffle(detail, self._tail_step).add_(F.pixel_shuffle(skip, f))
            sr[:, :, f * c0 : f * c1] = part
            yield
        return sr

    def _detail(self, features: Tensor) -> Tensor:
        """Features at LR size to the network's part of the SR pixels, ``tail_step`` squared of them as channels."""
        for convolution, step in zip(self.upscale, self._inner_steps, strict=False):
            features = _shuffled_by_phase(convolution(features).relu_(), step)
        detail: Tensor = self.tail(self.upscale[-1](features).relu_())
        return detail


def _steps(network: Generator) -> list[int]:
    return [m.upscale_factor for m in network.upscale if isinstance(m, nn.PixelShuffle)]


def _scaled(convolution: nn.Conv2d) -> nn.Conv2d:
    """Fold the residual's scale into the convolution that ends its block."""
    assert convolution.bias is not None
    convolution.weight *= RESIDUAL_SCALE
    convolution.bias *= RESIDUAL_SCALE
    return convolution


def _grouped_by_phase(convolution: nn.Conv2d, step: int) -> nn.Conv2d:
    """Reorder output channels from (channel, phase) to (phase, channel), so that whole pixels lie together."""
    assert convolution.bias is not None
    channels, phases = convolution.out_channels // step**2, step**2
    size = convolution.weight.shape[1:]
    weight = convolution.weight.reshape(channels, phases, *size).transpose(0, 1).flatten(0, 1)
    bias = convolution.bias.reshape(channels, phases).t().flatten()
    return _convolution(weight, bias, padding=1)


def _shuffled_by_phase(x: Tensor, step: int) -> Tensor:
    """Pixel shuffle of channels-last (N, (phase, C), H, W) to (N, C, step H, step W)."""
    n, _, h, w = x.shape
    pixels = x.permute(0, 2, 3, 1).view(n, h, w, step, step, -1).transpose(2, 3)
    return pixels.reshape(n, step * h, step * w, -1).permute(0, 3, 1, 2)


def _unshuffled_tail(tail: nn.Conv2d, step: int, group: int) -> nn.Conv2d:
    """Write ``tail`` for features (phase, C) before their last shuffle by ``step``.

    It gives as channels the ``step * group`` squared SR pixels that lie on ``group`` squared of the features'
    pixels.
    """
    assert tail.bias is not None
    weight = unshuffled(tail.weight, step, group).permute(0, 2, 3, 1, 4, 5).flatten(1, 3)
    padding = (weight.shape[-1] - group) // 2
    return _convolution(weight, tail.bias.expand(len(weight)), padding=padding, stride=group)


def _bicubic_convolution(factor: int) -> nn.Conv2d:
    """Bicubic upscaling of an image replicated at its edges by `SKIP_RADIUS`, SR pixels as channels."""
    size = 2 * SKIP_RADIUS + 1
    impulses = torch.eye(size**2).view(-1, 1, size, size)
    # wide enough around that no impulse meets the edge
    answers = bicubic(F.pad(impulses, (size,) * 4), factor)
    middle = slice(factor * (size + SKIP_RADIUS), factor * (size + SKIP_RADIUS + 1))
    weight = answers[:, 0, middle, middle].flatten(1).t().reshape(factor**2, 1, size, size)
    return _convolution(weight, torch.zeros(factor**2), padding=0)


def _convolution(weight: Tensor, bias: Tensor, padding: int, stride: int = 1) -> nn.Conv2d:
    out, channels, *size = weight.shape
    made = nn.Conv2d(channels, out, (size[0], size[1]), padding=padding, stride=stride)
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    made.bias = nn.Parameter(bias.contiguous(), requires_grad=False)
    return made
