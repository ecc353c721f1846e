"""Particles that models of two materials invent on one of them: bright round spots in SR that HR does not hold."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of
from napari_sem_sr.measure.particles import Particles, match
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.study.contrast import spots
from napari_sem_sr.study.folder import Row
from napari_sem_sr.study.grid import GridPicture
from napari_sem_sr.study.images import Images
from napari_sem_sr.study.models import Which, upscaled
from napari_sem_sr.training.validation.evaluation import Pair, pair_of

# Diameters in HR pixels of what would be a particle.
SOUGHT_PX = (4.0, 40.0)
# Grey levels between a particle and its surroundings that count, as share of the intensity range of HR. Tin stands out
# from carbon by about half of the range, noise of a few hundred electrons by a tenth.
LEAST_CONTRAST = 0.18
# HR is smoothed by this before it is asked whether it holds a particle, so that its noise is not taken for one.
HR_SMOOTHING_PX = 1.0
# What HR shows with this share of the contrast asked of SR is not called invented.
LENIENCE = 0.5
NETWORKS: tuple[Which, ...] = ("twin", "gan")

Grey = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One pair of materials: two models, both applied to the second material.

    Parameters
    ----------
    name
        Of the pair, for the table.
    foreign
        Images of the material that one model is taught on, and not applied to.
    own
        Images of the material that both models are applied to.
    taught
        Names of both materials, the foreign one first.
    """

    name: str
    foreign: Images
    own: Images
    taught: tuple[str, str]


@dataclass
class _Count:
    found: int = 0
    invented: int = 0
    alarms: int | None = 0
    psnr: float = 0.0
    ssim: float = 0.0


def iter_count(
    case: Case, models: Mapping[str, Model]
) -> Generator[Event, None, tuple[list[Row], list[GridPicture]]]:
    """Count on every test image of the second material.

    Parameters
    ----------
    case
        The pair of materials.
    models
        By the material that taught them, of one factor.

    Returns
    -------
    Rows of ``mismatch.csv``, and the pictures of the image with most inventions.
    """
    counts: dict[tuple[str, str], _Count] = {("none", "bicubic"): _Count()}
    counts |= {(taught, which): _Count() for taught in models for which in NETWORKS}
    factor = next(iter(models.values())).card.factor
    worst: tuple[int, list[GridPicture]] = (-1, [])
    area = 0.0
    in_hr = 0
    for number, teacher in enumerate(case.own.test):
        pair = pair_of(teacher, factor)
        pixel = teacher.pixel_nm
        area += pair.hr.size * (pixel or 1.0) ** 2
        contrast = LEAST_CONTRAST * _span(pair.hr)
        smooth = gaussian_filter(pair.hr.astype(np.float32), HR_SMOOTHING_PX)
        held = spots(smooth, SOUGHT_PX, LENIENCE * contrast, pixel)
        in_hr += len(spots(smooth, SOUGHT_PX, contrast, pixel))
        tiles = [GridPicture("LR", pair.lr)]
        for (taught, which), count in counts.items():
            yield Progress(
                f"looking for particles, {case.name}", number, len(case.own.test), "images"
            )
            picture = _picture(models, taught, which, pair, factor)
            found = spots(picture, SOUGHT_PX, contrast, pixel)
            made = match(held, found).invented
            psnr, ssim = pair.score(picture)
            count.found += len(found)
            count.invented += len(made)
            count.psnr += psnr / len(case.own.test)
            count.ssim += ssim / len(case.own.test)
            raised = None if which == "bicubic" else _alarm(models[taught], pair)
            count.alarms = None if raised is None or count.alarms is None else count.alarms + raised
            if which == "bicubic":
                tiles.append(GridPicture("bicubic", picture, circles=_circles(found, made)))
            if which == "gan":
                tiles.append(
                    GridPicture(f"SRGAN taught on {taught}", picture, True, _circles(found, made))
                )
        score = sum(len(t.circles) for t in tiles)
        if score > worst[0]:
            worst = (score, [*tiles, GridPicture("HR", pair.hr)])
    bicubic = counts["none", "bicubic"]
    known = case.own.test[0].pixel_nm is not None
    rows: list[Row] = [
        {
            "pair": case.name,
            "taught_on": taught,
            "network": which,
            "applied_to": case.taught[1],
            "images": len(case.own.test),
            "particles_in_hr": in_hr,
            "found": c.found,
            "invented": c.invented,
            "invented_per_um2": 1e6 * c.invented / area if known else None,
            "psnr": c.psnr,
            "gain_db": c.psnr - bicubic.psnr,
            "ssim": c.ssim,
            "alarms": c.alarms,
        }
        for (taught, which), c in counts.items()
    ]
    return rows, worst[1]


def _picture(models: Mapping[str, Model], taught: str, which: str, pair: Pair, factor: int) -> Grey:
    if which == "bicubic":
        return upscale_bicubic(pair.lr, factor)
    return upscaled(models[taught], "twin" if which == "twin" else "gan", pair)


def _span(image: Grey) -> float:
    shown = range_of(image)
    return shown.high - shown.low


def _alarm(model: Model, pair: Pair) -> bool | None:
    """Whether the model's domain alarm is raised on the LR of ``pair``; None where too few specimens taught it."""
    domain = Domain.of(model.calibration)
    if domain is None or domain.threshold is None:
        return None
    return bool(domain.unlike(domain_features(pair.intensity.normalise(pair.lr))))


def _circles(found: Particles, chosen: npt.NDArray[np.intp]) -> list[tuple[float, float, float]]:
    """Places in nm, in pixels where no pixel size is known."""
    return [
        (float(y), float(x), float(d))
        for (y, x), d in zip(
            found.centres[chosen] / found.unit_px, found.diameters[chosen], strict=True
        )
    ]
