"""Persistence from slice to slice on the real isotropic medulla stack (10 nm), HR and SR of it at several spacings.

How often true detail of HR counts as absent from both neighbours (false), and how often detail that independent noise in
LR made does (found). Detail counts where it stands out of LR's noise, as in a check.
"""

from pathlib import Path

import numpy as np
from common import auroc, keep, middle, row, seen, to_dtype

from napari_sem_sr.checking.invention import detail
from napari_sem_sr.checking.noise import noise_sigma
from napari_sem_sr.checking.persistence import ABSENT_BELOW, persistence
from napari_sem_sr.checking.trust import wrong_detail_of
from napari_sem_sr.io import read_stack
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.pairing.degradation import area_average

SPACINGS = (1, 2, 4)
NOISE = 12.0


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    path = data / "medulla_fibsem" / "training_sample2_250x250x250.tif"
    volume = read_stack(path).data
    rng = np.random.default_rng(0)
    centres = (60, 180) if quick else tuple(range(30, 221, 19))
    rows, details = [], {}
    for spacing in SPACINGS:
        kept: dict[str, list[float]] = {k: [] for k in ("HR", "SR", "noise", "auroc", "baseline")}
        for centre in centres:
            planes = [middle(volume[centre + k * spacing].compute(), 248) for k in (-1, 0, 1)]
            pictures = []
            for noisy in (False, True):
                some = []
                for hr in planes:
                    lr = area_average(hr, 4)
                    lr = lr + rng.normal(0, NOISE, lr.shape) if noisy else lr
                    some.append(seen(model, "medulla", "", hr, to_dtype(lr, hr)))
                pictures.append(some)
            plain, noisy = pictures
            kept["HR"].append(_absent([p.hr for p in plain], noise_sigma(plain[1].lr)))
            kept["SR"].append(_absent([p.gan for p in plain], noise_sigma(plain[1].lr)))
            # noise alone: what the generator draws from it on a flat specimen
            flat = [
                seen(
                    model, "flat", "", p.hr, to_dtype(120 + rng.normal(0, NOISE, p.lr.shape), p.hr)
                )
                for p in plain
            ]
            kept["noise"].append(_absent([p.gan for p in flat], 0.0))
            wrong = wrong_detail_of(noisy[1].gan, noisy[1].hr, 4)
            here, energy = _persistence([p.gan for p in noisy])
            kept["auroc"].append(auroc(-here, wrong) or np.nan)
            kept["baseline"].append(auroc(-energy, wrong) or np.nan)
        mean = {k: float(np.nanmean(v)) for k, v in kept.items()}
        details[f"{10 * spacing} nm"] = mean
        rows.append(
            row(
                f"persistence at slices {10 * spacing} nm apart: visible detail absent from both neighbours (below {ABSENT_BELOW})",
                "HR <= 5 %, noise >= 90 %" if spacing <= 2 else "not applicable from 20 nm on",
                f"HR {100 * mean['HR']:.1f} %, SR {100 * mean['SR']:.1f} %, made of noise {100 * mean['noise']:.0f} %",
                f"{len(centres)} places",
            )
        )
        rows.append(
            row(
                f"… AUROC for wrong detail in SR of LR with noise of {NOISE:g} grey levels, beside −e",
                "",
                f"{mean['auroc']:.2f} beside {mean['baseline']:.2f}",
                "",
            )
        )
    keep(out, "persistence", rows, details)


def _persistence(planes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    before, here, after = (detail(p, 4) for p in planes)
    found = area_average(persistence(here, [before, after], 4), 4)
    return found, np.sqrt(area_average(here**2, 4))


def _absent(planes: list[np.ndarray], sigma: float) -> float:
    """Share of visible detail that is in neither neighbour."""
    found, energy = _persistence(planes)
    visible = energy > sigma
    return float((found[visible] < ABSENT_BELOW).mean()) if visible.any() else np.nan
