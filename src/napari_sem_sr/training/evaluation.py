"""Scores on teachers never trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.checking.baseline import upscale_bicubic
from napari_sem_sr.checking.scores import psnr, ssim
from napari_sem_sr.inference.engine import Engine
from napari_sem_sr.intensity import IntensityRange, range_of, to_dtype
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.pairing.degradation import AREA_AVERAGE, Degradation, degrade
from napari_sem_sr.pairing.teachers import Teacher
from napari_sem_sr.training.lessons import teacher_range

# Large enough for stable scores, small enough to be looked at again and again.
GLANCE_PX = 512
GLANCES = 4


@dataclass(frozen=True, eq=False)
class Pair:
    """A held-out teacher as (LR, HR): ``lr`` is the degraded ``hr``, both in the teacher's dtype."""

    lr: npt.NDArray[Any]
    hr: npt.NDArray[Any]
    intensity: IntensityRange
    name: str
    group: str

    def score(self, sr: npt.NDArray[Any]) -> tuple[float, float]:
        """PSNR in dB and SSIM of ``sr`` against HR."""
        return psnr(sr, self.hr), ssim(sr, self.hr)


def pair_of(teacher: Teacher, factor: int, degradation: Degradation = AREA_AVERAGE) -> Pair:
    """Degrade a whole teacher, the same way each time, unless its LR was measured.

    Rows and columns that do not fill an LR pixel are left out.
    """
    y, x = (n - n % factor for n in teacher.image.shape)
    hr = teacher.image[:y, :x]
    if teacher.lr is not None:
        lr = teacher.lr[: y // factor, : x // factor]
        return Pair(lr, hr, range_of(lr), teacher.name, teacher.group)
    recorded, scene = degrade(hr, factor, degradation, seed=teacher.seed)
    lr = to_dtype(recorded.astype(np.float32), hr.dtype)[0]
    intensity = teacher_range(teacher, factor, degradation)
    shown = hr if scene is hr else to_dtype(scene.astype(np.float32), hr.dtype)[0]
    return Pair(lr, shown, intensity, teacher.name, teacher.group)


def glances(
    teachers: Sequence[Teacher], factor: int, degradation: Degradation = AREA_AVERAGE
) -> list[Pair]:
    """Central parts of up to ``GLANCES`` teachers, of different groups first, as pairs."""
    seen: dict[str, int] = {}
    ranked = []
    for teacher in teachers:
        seen[teacher.group] = seen.get(teacher.group, 0) + 1
        ranked.append((seen[teacher.group], teacher))
    ranked.sort(key=lambda entry: entry[0])
    found = []
    for _, teacher in ranked[:GLANCES]:
        found.append(pair_of(_centre(teacher, factor), factor, degradation))
    return found


def _centre(teacher: Teacher, factor: int) -> Teacher:
    y, x = teacher.image.shape
    top, left = max(0, (y - GLANCE_PX) // 2), max(0, (x - GLANCE_PX) // 2)
    if teacher.lr is None:
        part = teacher.image[top : top + GLANCE_PX, left : left + GLANCE_PX]
        return replace(teacher, image=part)
    top, left, side = top // factor, left // factor, GLANCE_PX // factor
    lr = teacher.lr[top : top + side, left : left + side]
    hr = teacher.image[factor * top :, factor * left :][: factor * side, : factor * side]
    return replace(teacher, image=hr, lr=lr)


def upscale_pair(pair: Pair, network: Generator, device: torch.device) -> npt.NDArray[Any]:
    """SR of a pair's LR, in its dtype, exactly as a stack would be upscaled."""
    engine = Engine(network, device=device.type, precision="fp32")
    return engine.upscale_slice(pair.lr, pair.intensity, pair.lr.dtype).image


def mean_scores(
    pairs: Sequence[Pair], network: Generator, device: torch.device
) -> dict[str, float]:
    """Mean PSNR and SSIM over ``pairs``; empty where there are none."""
    if not pairs:
        return {}
    scores = [pair.score(upscale_pair(pair, network, device)) for pair in pairs]
    return {
        "psnr": float(np.mean([p for p, _ in scores])),
        "ssim": float(np.mean([s for _, s in scores])),
    }


def baseline_scores(pairs: Sequence[Pair], factor: int) -> dict[str, float]:
    """Mean bicubic PSNR and SSIM over ``pairs``."""
    scores = [pair.score(upscale_bicubic(pair.lr, factor)) for pair in pairs]
    return {
        "bicubic_psnr": float(np.mean([p for p, _ in scores])),
        "bicubic_ssim": float(np.mean([s for _, s in scores])),
    }


def is_better(new: Mapping[str, float], best: Mapping[str, float] | None) -> bool:
    """Whether ``new`` has the higher PSNR."""
    return best is None or new["psnr"] > best["psnr"]
