"""The sub-pixel identity of Shi et al. 2016, read backwards: a convolution that need not wait for a pixel shuffle."""

import torch
import torch.nn.functional as F
from torch import Tensor


def unshuffled(weight: Tensor, step: int, group: int = 1) -> Tensor:
    """Weight of a convolution to one channel, for features before the pixel shuffle that precedes it.

    Parameters
    ----------
    weight
        (1, C, k, k), k odd, of the convolution that follows the shuffle.
    step
        Factor of the shuffle.
    group
        Pixels of the features, along each axis, that are treated as one: the stride to be used.

    Returns
    -------
    (s², C, step, step, n, n) with s = step * group: one output channel for each SR pixel on ``group`` squared of the
    features' pixels; the padding to be used is (n - group) / 2. Gradients reach ``weight``.
    """
    channels, kernel = weight.shape[1], weight.shape[-1]
    radius = kernel // 2
    reach = -(-radius // step)
    size = group + 2 * reach
    spare = size * step - kernel
    first = reach * step - radius
    phases = []
    for u in range(step * group):
        for v in range(step * group):
            top, left = first + u, first + v
            at = F.pad(weight[0], (left, spare - left, top, spare - top))
            phases.append(at.reshape(channels, size, step, size, step).permute(0, 2, 4, 1, 3))
    return torch.stack(phases)
