"""Patches drawn from teachers on the device they are learned on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, clean_range, degrade
from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.teacher import Teacher

# A cell whose LR standard deviation reaches this share of the intensity range is full content.
FULL_CONTENT = 0.05
# Empty background teaches nothing, but a network that never sees any invents there.
EMPTY_CONTENT = 0.05


def teacher_range(
    teacher: Teacher, factor: int, degradation: Degradation = AREA_AVERAGE
) -> IntensityRange:
    """Intensity range of a teacher's LR, measured or made, to be applied to LR and HR alike.

    Parameters
    ----------
    teacher
        With LR, if that was measured.
    factor
        HR pixels per LR pixel.
    degradation
        How LR is made.
    """
    if teacher.lr is not None:
        return range_of(teacher.lr)
    y, x = (n - n % factor for n in teacher.image.shape)
    return range_of(degrade(teacher.image[:y, :x], factor, degradation, seed=teacher.seed)[0])


def as_device_dtype(image: npt.NDArray[Any]) -> Tensor:
    """Tensor in the teacher's own dtype where torch has it; big-endian files are swapped.

    Parameters
    ----------
    image
        Of any shape and real dtype.
    """
    native = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))
    if native.dtype == np.float64:
        native = native.astype(np.float32)
    return torch.from_numpy(native)


@dataclass(frozen=True, eq=False)
class _Pair:
    """A teacher on the device, with what maps its grey levels to the network's scale.

    ``clean`` is the range of LR before noise, within which the degradation works; ``shown`` is that of LR as a network
    will see it.
    """

    hr: Tensor
    lr: Tensor | None
    clean: IntensityRange
    shown: IntensityRange


class PatchSampler:
    """Draws (LR, HR) batches from teachers kept on the device in their own dtype.

    Where patches begin is drawn by content: the standard deviation of the degraded teacher within
    each patch-sized cell, up to ``FULL_CONTENT``.

    Parameters
    ----------
    teachers
        Training teachers, each at least one patch large. Where LR was measured, it is learned from; elsewhere LR is made.
    factor
        Upscale factor f.
    patch_lr_px
        Patch side in LR pixels; HR patches are f times as large.
    device
        Where teachers live and batches are made.
    degradation
        How LR is made of HR.
    """

    def __init__(
        self,
        teachers: Sequence[Teacher],
        factor: int,
        patch_lr_px: int,
        device: torch.device,
        degradation: Degradation = AREA_AVERAGE,
    ) -> None:
        self.factor = factor
        self.patch = patch_lr_px * factor
        self.device = device
        self.degradation = degradation
        self._margin = degradation.margin_hr_px(factor)
        self._pairs: list[_Pair] = []
        cells: list[tuple[int, int, int]] = []
        content: list[float] = []
        for number, teacher in enumerate(teachers):
            check_teacher(teacher, self.patch)
            pair = self._on_device(teacher)
            self._pairs.append(pair)
            for y, x, sd in _cells(teacher, factor, self.patch, pair.clean):
                cells.append((number, y, x))
                content.append(EMPTY_CONTENT + (1 - EMPTY_CONTENT) * min(1.0, sd / FULL_CONTENT))
        self._cells = cells
        self._weights = torch.tensor(content, dtype=torch.float64)
        self.patches_per_epoch = max(1, round(float(self._weights.sum())))

    def _on_device(self, teacher: Teacher) -> _Pair:
        shown = teacher_range(teacher, self.factor, self.degradation)
        made = teacher.lr is None and not self.degradation.is_area_average
        return _Pair(
            hr=as_device_dtype(teacher.image).to(self.device),
            lr=None if teacher.lr is None else as_device_dtype(teacher.lr).to(self.device),
            clean=clean_range(teacher.image, self.factor) if made else shown,
            shown=shown,
        )

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw (LR, HR), each (batch, 1, h, w) float in the LR range, flipped and rotated at random.

        ``generator`` lives on the CPU, so that the same seed draws the same patches on any device.

        Parameters
        ----------
        batch
            Patches.
        """
        picks = torch.multinomial(self._weights, batch, replacement=True, generator=generator)
        jitter = torch.rand(batch, 2, generator=generator)
        symmetry = torch.randint(8, (batch,), generator=generator)
        drawn: list[_Pair] = []
        patches: list[Tensor] = []
        measured: dict[int, Tensor] = {}
        for pick, (jy, jx), turn in zip(
            picks.tolist(), jitter.tolist(), symmetry.tolist(), strict=True
        ):
            number, y, x = self._cells[pick]
            pair = self._pairs[number]
            # anywhere within half a patch of the cell, so that patches do not repeat
            top = _shifted(y, jy, self.patch, pair.hr.shape[0])
            left = _shifted(x, jx, self.patch, pair.hr.shape[1])
            if pair.lr is not None:
                top, left = (n // self.factor * self.factor for n in (top, left))
                side = self.patch // self.factor
                part = pair.lr[top // self.factor :, left // self.factor :][:side, :side]
                measured[len(patches)] = _turned(_normalised(part, pair.clean), turn)
            patch = _cut(pair.hr, top, left, self.patch, self._margin)
            patches.append(_turned(_normalised(patch, pair.clean), turn))
            drawn.append(pair)
        hr = torch.stack(patches).unsqueeze(1)
        if self.degradation.is_area_average:
            lr = F.avg_pool2d(hr, self.factor)
        else:
            lr, hr = self._degraded(hr, drawn, generator)
        for place, part in measured.items():
            lr[place, 0] = part
            hr[place, 0] = _inner(patches[place], self._margin)
        return lr, hr

    def _degraded(
        self, hr: Tensor, drawn: Sequence[_Pair], generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """LR and scene of patches with a margin, without it, on the scale of LR as networks see it."""
        scene = self.degradation.scene(hr, self.factor)
        lr = self.degradation.record(scene, self.factor, generator)
        within = torch.tensor(
            [[(e - s.clean.low) / (s.clean.high - s.clean.low) for e in (s.shown.low, s.shown.high)]
             for s in drawn], dtype=torch.float32, device=hr.device,
        )  # fmt: skip
        low, high = (edge[:, None, None, None] for edge in within.unbind(1))
        lr = _inner(lr, self._margin // self.factor)
        return (lr - low) / (high - low), (_inner(scene, self._margin) - low) / (high - low)


def check_teacher(teacher: Teacher, patch: int) -> None:
    """Refuse a teacher that nothing can be learned from.

    Parameters
    ----------
    teacher
        As it would be learned from.

    Raises
    ------
    InputError
        If it is smaller than ``patch`` HR pixels or not finite everywhere.
    """
    if min(teacher.image.shape) < patch:
        raise InputError(
            f"Teacher '{teacher.name}' is {teacher.image.shape[1]} × {teacher.image.shape[0]} "
            f"pixels, but training needs at least {patch} × {patch}; leave it out."
        )
    if any(
        p.dtype.kind == "f" and not np.isfinite(p).all()
        for p in (teacher.image, teacher.lr)
        if p is not None
    ):
        raise InputError(
            f"Teacher '{teacher.name}' holds NaN or infinite pixels; crop it to its valid part."
        )


def _normalised(patch: Tensor, intensity: IntensityRange) -> Tensor:
    return (patch.to(torch.float32) - intensity.low) / (intensity.high - intensity.low)


def _turned(patch: Tensor, turn: int) -> Tensor:
    patch = torch.rot90(patch, turn % 4, (0, 1))
    return patch.flip(0) if turn >= 4 else patch


def _inner(patch: Tensor, margin: int) -> Tensor:
    return patch[..., margin:-margin, margin:-margin] if margin else patch


def _cut(image: Tensor, top: int, left: int, side: int, margin: int) -> Tensor:
    """Square with ``margin`` around it; the image's border pixels are repeated beyond it."""
    if margin == 0:
        return image[top : top + side, left : left + side]
    reach = torch.arange(-margin, side + margin, device=image.device)
    rows = (top + reach).clamp(0, image.shape[0] - 1)
    columns = (left + reach).clamp(0, image.shape[1] - 1)
    return image[rows[:, None], columns[None, :]]


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
