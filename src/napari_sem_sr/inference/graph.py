"""The generator as it is run for upscaling: same weights, same pixels, less time."""

import copy

import torch
from torch import Tensor, nn

from napari_sem_sr.model.generator import Generator, bicubic


class InferenceGraph(nn.Module):
    """A private copy of a generator on a device, in a precision, in channels-last layout.

    Only the detail that the network adds is computed in the reduced precision; the bicubic skip
    carries the grey values themselves and stays fp32.
    """

    def __init__(self, network: Generator, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.factor = network.factor
        self.dtype = dtype
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.network.to(device=device, dtype=dtype)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Map fp32 (N, 1, H, W) on the device to fp32 (N, 1, fH, fW)."""
        n = self.network
        head = n.head(x.to(self.dtype).contiguous(memory_format=torch.channels_last))
        detail: Tensor = n.tail(n.upscale(head + n.body(head)))
        return bicubic(x, self.factor) + detail.float()
