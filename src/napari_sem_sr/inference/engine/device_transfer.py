"""Bring SR pixels from the device to memory while the device computes the next tile."""

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.intensity import IntensityRange, to_dtype

# Integers that float32 holds exactly, so that they can be rounded before they travel.
SMALL = {
    np.dtype(np.uint8): torch.uint8,
    np.dtype(np.int8): torch.int8,
    np.dtype(np.uint16): torch.uint16,
    np.dtype(np.int16): torch.int16,
}
# Tiles that may be on their way while another is computed. On a CPU nobody else computes.
AHEAD = {"cuda": 1, "mps": 0, "cpu": 0}
# Grey values of a tile, and how many of them the dtype could not hold.
Arrived = tuple[npt.NDArray[Any], int]
# Seconds between looks at a copy that has not arrived.
PAUSE = 0.0005


def to_device(windows: npt.NDArray[np.float32], device: torch.device) -> Tensor:
    """``(n, y, x)`` on the device; does not wait for a GPU to have it.

    Parameters
    ----------
    windows
        ``(n, y, x)`` in memory.
    device
        Where to.
    """
    tensor = torch.from_numpy(windows)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class DeviceTransfer:
    """Grey values of one tile of some slices on their way from the device.

    Parameters
    ----------
    sr
        ``(n, y, x)`` fp32 on the network's scale, on the device.
    intensity
        Range of the stack.
    dtype
        Of the result.

    Notes
    -----
    Restoring and rounding happen on the device, so that an 8-bit stack travels as bytes. A GPU copies into pinned
    memory in a stream of its own; PyTorch gives that memory to nobody else before the copy is over.
    """

    def __init__(self, sr: Tensor, intensity: IntensityRange, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        # devices need not have float64, in which such grey values are restored
        self._double = intensity if intensity.needs_double else None
        self._as_is = dtype in SMALL and self._double is None
        with torch.inference_mode():
            finite = torch.isfinite(sr).all(2).all(1)
            grey = sr
            if self._double is None:
                width = float(np.float32(intensity.high - intensity.low))
                grey = sr.mul(width).add_(intensity.low)
            outside = torch.zeros_like(finite, dtype=torch.int64)
            if self._as_is:
                limits = np.iinfo(dtype)
                grey.round_()
                outside = ((grey < limits.min) | (grey > limits.max)).sum((1, 2))
                # NaN has no integer; the caller is told of it by `finite`
                grey = grey.nan_to_num_(0.0).clamp_(limits.min, limits.max).to(SMALL[dtype])
            told = torch.stack([finite.to(torch.int64), outside])
            self._copied: torch.cuda.Event | None = None
            if sr.device.type == "cuda":
                self._pixels, self._told = self._copying((grey, told), sr.device)
            else:
                self._pixels, self._told = grey.cpu(), told.cpu()

    def _copying(self, tensors: tuple[Tensor, ...], device: torch.device) -> list[Tensor]:
        stream = _copy_stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        copies = []
        with torch.cuda.stream(stream):
            for tensor in tensors:
                host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
                copies.append(host.copy_(tensor, non_blocking=True))
                tensor.record_stream(stream)
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._copied.record(stream)
        return copies

    def iter_arrive(self) -> Generator[None, None, list[Arrived | None]]:
        """Wait, pausing for whoever wants to look up; what arrived of each slice, None where it is not all finite."""
        while self._copied is not None and not self._copied.query():  # type: ignore[no-untyped-call]
            time.sleep(PAUSE)
            yield
        return [
            self._restored(pixels, outside) if finite else None
            for pixels, finite, outside in zip(
                self._pixels.numpy(), *self._told.tolist(), strict=True
            )
        ]

    def _restored(self, pixels: npt.NDArray[Any], outside: int) -> Arrived:
        if self._as_is:
            return pixels, outside
        grey = pixels if self._double is None else self._double.restore(pixels)
        return to_dtype(grey, self._dtype)


_streams: dict[torch.device, torch.cuda.Stream] = {}


def _copy_stream(device: torch.device) -> torch.cuda.Stream:
    if device not in _streams:
        _streams[device] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    return _streams[device]
