"""Patches drawn from teachers on the device they are learned on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.pairing.degradation import area_average
from napari_sem_sr.pairing.teachers import Teacher

# A cell whose LR standard deviation reaches this share of the intensity range is full content.
FULL_CONTENT = 0.05
# Empty background is not a lesson, but a network that never sees any invents there.
EMPTY_CONTENT = 0.05


def teacher_range(teacher: Teacher, factor: int) -> IntensityRange:
    """Intensity range of the degraded teacher, to be applied to LR and HR alike."""
    y, x = (n - n % factor for n in teacher.image.shape)
    return range_of(area_average(teacher.image[:y, :x], factor))


def as_device_dtype(image: npt.NDArray[Any]) -> Tensor:
    """Tensor in the teacher's own dtype where torch has it; big-endian files are swapped."""
    native = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))
    if native.dtype == np.float64:
        native = native.astype(np.float32)
    return torch.from_numpy(native)


class Lessons:
    """Draws (LR, HR) batches from teachers kept on the device in their own dtype.

    Where patches begin is drawn by content: the standard deviation of the degraded teacher within
    each patch-sized cell, up to ``FULL_CONTENT``.

    Parameters
    ----------
    teachers
        Training teachers, each at least one patch large.
    factor
        Upscale factor f.
    patch_lr_px
        Patch side in LR pixels; HR patches are f times as large.
    device
        Where teachers live and batches are made.
    """

    def __init__(
        self, teachers: Sequence[Teacher], factor: int, patch_lr_px: int, device: torch.device
    ) -> None:
        self.factor = factor
        self.patch = patch_lr_px * factor
        self.device = device
        self._images: list[Tensor] = []
        self._ranges: list[IntensityRange] = []
        cells: list[tuple[int, int, int]] = []
        content: list[float] = []
        for number, teacher in enumerate(teachers):
            if min(teacher.image.shape) < self.patch:
                raise InputError(
                    f"Teacher '{teacher.name}' is {teacher.image.shape[1]} × {teacher.image.shape[0]} "
                    f"pixels, but training needs at least {self.patch} × {self.patch}; leave it out."
                )
            if teacher.image.dtype.kind == "f" and not np.isfinite(teacher.image).all():
                raise InputError(
                    f"Teacher '{teacher.name}' holds NaN or infinite pixels; crop it to its valid part."
                )
            intensity = teacher_range(teacher, factor)
            self._images.append(as_device_dtype(teacher.image).to(device))
            self._ranges.append(intensity)
            for y, x, sd in _cells(teacher, factor, self.patch, intensity):
                cells.append((number, y, x))
                content.append(EMPTY_CONTENT + (1 - EMPTY_CONTENT) * min(1.0, sd / FULL_CONTENT))
        self._cells = cells
        self._weights = torch.tensor(content, dtype=torch.float64)
        self.patches_per_epoch = max(1, round(float(self._weights.sum())))

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw (LR, HR), each (batch, 1, h, w) float in the LR range, flipped and rotated at random.

        ``generator`` lives on the CPU, so that the same seed draws the same lessons on any device.
        """
        picks = torch.multinomial(self._weights, batch, replacement=True, generator=generator)
        jitter = torch.rand(batch, 2, generator=generator)
        symmetry = torch.randint(8, (batch,), generator=generator)
        patches = []
        for pick, (jy, jx), turn in zip(
            picks.tolist(), jitter.tolist(), symmetry.tolist(), strict=True
        ):
            number, y, x = self._cells[pick]
            image, intensity = self._images[number], self._ranges[number]
            # anywhere within half a patch of the cell, so that patches do not repeat
            top = _shifted(y, jy, self.patch, image.shape[0])
            left = _shifted(x, jx, self.patch, image.shape[1])
            patch = image[top : top + self.patch, left : left + self.patch].to(torch.float32)
            patch = (patch - intensity.low) / (intensity.high - intensity.low)
            patch = torch.rot90(patch, turn % 4, (0, 1))
            patches.append(patch.flip(0) if turn >= 4 else patch)
        hr = torch.stack(patches).unsqueeze(1)
        return F.avg_pool2d(hr, self.factor), hr


def _shifted(start: int, jitter: float, patch: int, size: int) -> int:
    return int(min(max(start + round((jitter - 0.5) * patch), 0), size - patch))


def _cells(
    teacher: Teacher, factor: int, patch: int, intensity: IntensityRange
) -> list[tuple[int, int, float]]:
    height, width = teacher.image.shape
    ys = range(0, height - patch + 1, patch)
    xs = range(0, width - patch + 1, patch)
    found = []
    for y in ys:
        for x in xs:
            lr = intensity.normalise(
                area_average(teacher.image[y : y + patch, x : x + patch], factor)
            )
            found.append((y, x, float(lr.std())))
    return found
