"""Scores on teachers never trained on."""

from collections.abc import Generator as Events
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, degrade
from napari_sem_sr.events import Event, Notice, Progress, TileDone, drain
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import IntensityRange, range_of, to_dtype
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.metrics.spectral_bands import power_and_agreement
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.data.patch_sampler import teacher_range

# Large enough for stable scores, small enough to be looked at again and again.
GLANCE_PX = 512
GLANCES = 4
# Side of the patch that a person watches.
PATCH_PX = 256
# PSNR of equal images, as of a blank part that is drawn blank: a number that JSON has, on the scale's end of a card.
EQUAL_DB = 200.0


@dataclass(frozen=True, eq=False)
class Pair:
    """A held-out teacher as (LR, HR): ``lr`` is the degraded ``hr``, both in the teacher's dtype.

    Parameters
    ----------
    intensity
        Range of LR.
    name
        Of the teacher.
    group
        Its specimen.
    """

    lr: npt.NDArray[Any]
    hr: npt.NDArray[Any]
    intensity: IntensityRange
    name: str
    group: str

    def score(self, sr: npt.NDArray[Any]) -> tuple[float, float]:
        """PSNR in dB, `EQUAL_DB` at most, and SSIM of ``sr`` against HR.

        Parameters
        ----------
        sr
            ``(y, x)`` as HR, in its dtype.
        """
        return min(psnr(sr, self.hr), EQUAL_DB), ssim(sr, self.hr)


def pair_of(teacher: Teacher, factor: int, degradation: Degradation = AREA_AVERAGE) -> Pair:
    """Degrade a whole teacher, the same way each time, unless its LR was measured.

    Rows and columns that do not fill an LR pixel are left out.

    Parameters
    ----------
    teacher
        Any.
    factor
        HR pixels per LR pixel.
    degradation
        How LR is made.
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
    """Central parts of up to ``GLANCES`` teachers, of different groups first, as pairs.

    Parameters
    ----------
    teachers
        With their specimens.
    factor
        HR pixels per LR pixel.
    degradation
        How LR is made.
    """
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


def crop_with_content(pair: Pair, side: int = PATCH_PX) -> Pair:
    """The part of a pair, ``side`` HR pixels wide, whose LR varies most.

    Parameters
    ----------
    pair
        LR and HR.
    """
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    small = min(side // factor, *pair.lr.shape)
    places = [
        (y, x)
        for y in range(0, pair.lr.shape[0] - small + 1, max(1, small // 2))
        for x in range(0, pair.lr.shape[1] - small + 1, max(1, small // 2))
    ]
    y, x = max(places, key=lambda p: float(pair.lr[p[0] : p[0] + small, p[1] : p[1] + small].std()))
    return replace(
        pair,
        lr=pair.lr[y : y + small, x : x + small],
        hr=pair.hr[y * factor : (y + small) * factor, x * factor : (x + small) * factor],
    )


def iter_upscaled(
    pair: Pair, network: Generator, device: torch.device
) -> Events[Event, None, npt.NDArray[Any]]:
    """SR of a pair's LR, in its dtype, exactly as a stack would be upscaled; tile by tile.

    Parameters
    ----------
    pair
        LR and HR.
    network
        fp32, in eval mode.
    device
        Where it is computed.
    """
    engine = Engine(network, device=device.type, precision="fp32")
    work = engine.iter_slice(pair.lr, pair.intensity, pair.lr.dtype)
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            image: npt.NDArray[Any] = stop.value.image
            return image
        # what the engine says about slices means nothing here, but that time passes does
        yield event if isinstance(event, Notice) else TileDone(0, 0, 1)


@dataclass(frozen=True)
class Score:
    """How close a picture comes to HR.

    ``power_db`` is its power over HR's, ``agreement`` their correlation, in each annulus between the LR and the HR
    Nyquist frequency.

    Parameters
    ----------
    psnr
        In dB.
    ssim
        -1 to 1.
    """

    psnr: float
    ssim: float
    power_db: tuple[float, ...]
    agreement: tuple[float, ...]


def iter_scores(
    pairs: Sequence[Pair], network: Generator, device: torch.device
) -> Events[Event, None, list[Score]]:
    """Scores of a network on ``pairs``.

    Parameters
    ----------
    network
        fp32, in eval mode.
    device
        Where it is computed.
    """
    found = []
    for done, pair in enumerate(pairs):
        yield Progress("scoring", done, len(pairs), "images")
        sr = yield from iter_upscaled(pair, network, device)
        found.append(score(pair, sr))
    return found


def upscale_pair(pair: Pair, network: Generator, device: torch.device) -> npt.NDArray[Any]:
    """SR of a pair's LR in one go; see `iter_upscaled`.

    Parameters
    ----------
    pair
        LR and HR.
    network
        fp32, in eval mode.
    device
        Where it is computed.
    """
    return drain(iter_upscaled(pair, network, device))


def score(pair: Pair, sr: npt.NDArray[Any]) -> Score:
    """Score one picture; PSNR and SSIM on the data range of its dtype.

    Parameters
    ----------
    pair
        LR and HR.
    sr
        ``(y, x)`` as HR, in its dtype.
    """
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    power, agreement = power_and_agreement(sr, pair.hr, factor)
    return Score(*pair.score(sr), tuple(power), tuple(agreement))


def mean_scores(scores: Sequence[Score], prefix: str = "") -> dict[str, float]:
    """Means by name: ``psnr``, ``ssim``, and ``detail_db`` (power of detail over HR's, mean of the bands).

    ``detail_miss_db`` is by how much the bands miss HR's power on average, whichever way. Empty where there
    are no scores.

    Parameters
    ----------
    scores
        Of each image.
    prefix
        Of all names.
    """
    if not scores:
        return {}
    power = np.mean([s.power_db for s in scores], axis=0)
    found = {
        "psnr": np.mean([s.psnr for s in scores]),
        "ssim": np.mean([s.ssim for s in scores]),
        "detail_db": power.mean(),
        "detail_miss_db": np.abs(power).mean(),
    }
    return {f"{prefix}{name}": float(value) for name, value in found.items()}


def mean_bands(scores: Sequence[Score]) -> dict[str, float]:
    """Means of each annulus by name: ``detail_db_1``, ``agreement_1`` and so on, from the coarsest detail.

    Parameters
    ----------
    scores
        Of each image.
    """
    means = {
        "detail_db": np.mean([s.power_db for s in scores], axis=0),
        "agreement": np.mean([s.agreement for s in scores], axis=0),
    }
    return {f"{k}_{n}": float(v) for k, values in means.items() for n, v in enumerate(values, 1)}


def bicubic_score(pair: Pair) -> Score:
    """Score of bicubic interpolation.

    Parameters
    ----------
    pair
        LR and HR.
    """
    factor = pair.hr.shape[0] // pair.lr.shape[0]
    return score(pair, upscale_bicubic(pair.lr, factor))
