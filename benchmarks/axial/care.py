"""CSBDeep's isotropic reconstruction, written anew for the comparison only.

Weigert et al. 2017 (MICCAI), as their ``IsotropicCARE``: lateral planes are thinned along one axis and brought back to
their size by linear interpolation; a residual U-Net (two levels, 32 features, 5 × 5 kernels, mean absolute error, Adam
4e-4) learns to undo that, is applied to the linearly interpolated xz and yz planes, and both answers are averaged.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from napari_sem_sr.axial.fill.interpolation import interpolated


def _two(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 5, padding=2), nn.ReLU(),
        nn.Conv2d(outside, outside, 5, padding=2), nn.ReLU(),
    )  # fmt: skip


class ResidualUNet(nn.Module):
    """U-Net that predicts what linear interpolation lacks; sides have to be multiples of 4."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([_two(1, 32), _two(32, 64)])
        self.bottom = nn.Sequential(_two(64, 128), nn.Conv2d(128, 64, 1))
        self.up = nn.ModuleList([_two(128, 32), _two(64, 32)])
        self.last = nn.Conv2d(32, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, 1, H, W) to the same shape."""
        first = self.down[0](x)
        second = self.down[1](F.max_pool2d(first, 2))
        bottom = self.bottom(F.max_pool2d(second, 2))
        y = self.up[0](torch.cat([F.interpolate(bottom, scale_factor=2), second], 1))
        y = self.up[1](torch.cat([F.interpolate(y, scale_factor=2), first], 1))
        return x + self.last(y)


def care_volume(kept: np.ndarray, ratio: int, *, steps: int | None, minutes: float) -> np.ndarray:
    """Isotropic volume in grey values of slices (n, y, x) that lie ``ratio`` pixels apart."""
    low, high = np.percentile(kept, (0.1, 99.9))
    planes = ((kept - low) / (high - low)).astype(np.float32)
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    network = ResidualUNet()
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-4)
    begun, step, side = time.perf_counter(), 0, 64
    while step < steps if steps else time.perf_counter() - begun < minutes * 60:
        patches = []
        for _ in range(8):
            plane = planes[random.integers(len(planes))]
            plane = plane.T if random.random() < 0.5 else plane
            y, x = (int(random.integers(n - side)) for n in plane.shape)
            patches.append(plane[y : y + side + 1, x : x + side])
        fine = np.stack(patches)
        thinned = np.moveaxis(fine, 1, 0)[::ratio]
        coarse = np.moveaxis(interpolated(thinned, np.arange(side) / ratio, "linear"), 0, 1)
        predicted = network(torch.from_numpy(coarse[:, None].copy()))
        loss = F.l1_loss(predicted, torch.from_numpy(fine[:, None, :side].copy()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
    count = (len(kept) - 1) * ratio + 1
    between = interpolated(planes, np.arange(count) / ratio, "linear")
    total = np.zeros_like(between)
    with torch.inference_mode():
        for axis in (1, 2):
            for i in range(between.shape[axis]):
                plane = torch.from_numpy(np.take(between, i, axis).copy())[None, None]
                h, w = plane.shape[-2:]
                padded = F.pad(plane, (0, -w % 4, 0, -h % 4), mode="replicate")
                answer = network(padded)[0, 0, :h, :w].numpy() / 2
                if axis == 1:
                    total[:, i, :] += answer
                else:
                    total[:, :, i] += answer
    total[::ratio] = planes
    return total * (high - low) + low
