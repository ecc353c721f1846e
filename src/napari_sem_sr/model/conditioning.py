"""How a network is told under which conditions LR was recorded, and how that becomes plain weights.

A small network computes, from the conditions, a scale and a shift for the features of each convolution (Perez et al.
2018, FiLM; conditions of blur and noise as in Zhang et al. 2018, SRMD). Both are linear, so for one stack they are folded
into the convolutions themselves: what runs over the slices is the plain generator, at its speed.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.model.generator import Generator, ResidualBlock

PREFIX = "modulation."
HIDDEN = 64
# Where features of the conditions are of order one: noise as a part of the intensity range, correlation, blur in px.
NOISE_UNIT, CORRELATION_UNIT, BLUR_UNIT = 0.01, 0.25, 0.3

Change = tuple[Tensor, Tensor]


def convolutions(generator: Generator) -> Iterator[nn.Conv2d]:
    """Convolutions whose features depend on the conditions, in the order of the forward pass.

    Parameters
    ----------
    generator
        Of any size.
    """
    yield generator.head
    for part in generator.body:
        if isinstance(part, ResidualBlock):
            yield part.first
            yield part.second
        elif isinstance(part, nn.Conv2d):
            yield part
    yield from (part for part in generator.upscale if isinstance(part, nn.Conv2d))


class Modulation(nn.Module):
    """Scale and shift of each convolution's features from the conditions; none before it has learned.

    Parameters
    ----------
    widths
        Features of each convolution.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.hidden = nn.Linear(4, HIDDEN)
        self.hidden2 = nn.Linear(HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, 2 * sum(self.widths))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, conditions: Tensor) -> list[Change]:
        """Map (N, 4) conditions, as `as_tensor` orders them, to a scale and a shift (N, C) for each convolution.

        Parameters
        ----------
        conditions
            ``(N, 4)``.
        """
        black, white, correlation, blur = conditions.unbind(1)
        features = torch.stack(
            [
                torch.log1p(black.clamp_min(0) / NOISE_UNIT),
                torch.log1p(white.clamp_min(0) / NOISE_UNIT),
                correlation / CORRELATION_UNIT,
                blur / BLUR_UNIT,
            ],
            dim=1,
        )
        hidden = F.silu(self.hidden2(F.silu(self.hidden(features))))
        parts = self.out(hidden).split([2 * width for width in self.widths], dim=1)
        changes = []
        for part in parts:
            scale, shift = part.chunk(2, dim=1)
            changes.append((scale, shift))
        return changes


def as_tensor(conditions: Conditions) -> Tensor:
    """Conditions as a row (1, 4) for `Modulation`.

    Parameters
    ----------
    conditions
        Noise and blur of a stack.
    """
    c = conditions
    return torch.tensor([[c.noise_black, c.noise_white, c.line_correlation, c.blur_px]])


def is_conditioned(weights: Mapping[str, Tensor]) -> bool:
    """Whether a network with these weights has learned to use conditions.

    Parameters
    ----------
    weights
        By name, any shape.
    """
    return any(name.startswith(PREFIX) for name in weights)


def fold(generator: Generator, weights: Mapping[str, Tensor], conditions: Conditions) -> None:
    """Load ``weights`` (by name, any shape) into a plain generator as they are under ``conditions``.

    Parameters
    ----------
    generator
        A plain one, whose weights are replaced.

    Raises
    ------
    RuntimeError
        If they do not fit.
    """
    plain = {k: v.float() for k, v in weights.items() if not k.startswith(PREFIX)}
    generator.load_state_dict(plain)
    told = {k.removeprefix(PREFIX): v.float() for k, v in weights.items() if k.startswith(PREFIX)}
    if not told:
        return
    layers = list(convolutions(generator))
    modulation = Modulation([layer.out_channels for layer in layers])
    modulation.load_state_dict(told)
    with torch.no_grad():
        for layer, (scale, shift) in zip(layers, modulation(as_tensor(conditions)), strict=True):
            assert layer.bias is not None
            layer.weight.mul_(1 + scale[0, :, None, None, None])
            layer.bias.mul_(1 + scale[0]).add_(shift[0])
