"""Persistence from slice to slice on the real isotropic medulla stack (10 nm), HR and SR of it at several spacings.

How often true detail of HR counts as absent from both neighbours (false), and how often detail that independent noise in
LR made does (found). Detail counts where it stands out of LR's noise, as in a check.

Planted: into the SR of one slice a disc of detail from elsewhere in it, less its mean over every LR pixel, so that LR does not
know of it, in place of the detail that was there; is it among the ten worst places for being absent from both neighbours?
"""

from pathlib import Path

import numpy as np
import torch
from common import CPU, Picture, auroc, interval, keep, middle, row, seen, to_dtype

from napari_sem_sr.checking.evidence.persistence import (
    ABSENT,
    ABSENT_BELOW,
    UsualPersistence,
)
from napari_sem_sr.checking.evidence.trust import wrong_detail_of
from napari_sem_sr.checking.suspects.extreme_values import tails_of
from napari_sem_sr.checking.suspects.regions import Region, suspect_regions
from napari_sem_sr.checking.view.filter_bank import compare_with_neighbours
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io import read_stack
from napari_sem_sr.metrics.noise import noise_sigma
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model

SPACINGS = (1, 2, 4)
NOISE = 12.0
# SR pixels.
RADII = (8, 12, 20)
DISCS = 10


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    path = data / "medulla_fibsem" / "training_sample2_250x250x250.tif"
    volume = read_stack(path).data
    rng = np.random.default_rng(0)
    centres = (60, 180) if quick else tuple(range(30, 221, 19))
    rows, details = [], {}
    for spacing in SPACINGS:
        kept: dict[str, list[float]] = {k: [] for k in ("HR", "SR", "noise", "auroc", "baseline")}
        triples = []
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
            triples.append(plain)
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
        if spacing < SPACINGS[-1]:
            rows += _planted(model, triples, spacing, rng, details)
    keep(out, "persistence", rows, details)


def _planted(
    model: Model,
    triples: list[list[Picture]],
    spacing: int,
    rng: np.random.Generator,
    details: dict,
) -> list[dict[str, str]]:
    """How often detail of one slice alone is a place of its own, and what clean slices get."""
    sigma = float(np.median([noise_sigma(t[1].lr) for t in triples]))
    usual = UsualPersistence.of([_persistence([p.gan for p in t]) for t in triples], sigma)
    tail = tails_of(model.calibration)["persistence"]

    def places(planes: list[np.ndarray]) -> list[Region]:
        found, energy = _persistence(planes)
        there = usual.z_scores(torch.from_numpy(found), torch.from_numpy(energy), sigma)
        return suspect_regions({ABSENT: tail.score(there.numpy(), found.size)}, 4)[:10]

    hits: dict[int, list[bool]] = {r: [] for r in RADII}
    clean = []
    for before, here, after in ([p.gan for p in t] for t in triples):
        clean.append(len(places([before, here, after])))
        fine = here - np.kron(area_average(here, 4), np.ones((4, 4)))
        yy, xx = np.indices(here.shape)
        for radius in RADII:
            for _ in range(DISCS):
                y, x = (int(rng.integers(24, n - 24)) for n in here.shape)
                shift = tuple(4 * int(rng.integers(8, n // 4 - 8)) for n in here.shape)
                disc = np.hypot(yy - y, xx - x) < radius
                fake = here + disc * (np.roll(fine, shift, axis=(0, 1)) - fine)
                where = places([before, to_dtype(fake, here), after])
                hits[radius].append(
                    any(disc[r.y : r.y + r.height, r.x : r.x + r.width].any() for r in where)
                )
    details[f"planted, {10 * spacing} nm"] = {str(r): [sum(h), len(h)] for r, h in hits.items()}
    rows = [
        row(
            f"detail of one slice alone, {10 * spacing} nm apart, disc of radius {r}: among the ten worst",
            "",
            f"{100 * np.mean(h):.0f} % ({100 * interval(sum(h), len(h))[0]:.0f} to {100 * interval(sum(h), len(h))[1]:.0f})",
            str(len(h)),
        )
        for r, h in hits.items()
    ]
    rows.append(
        row(
            f"… places for that reason that a clean slice gets, {10 * spacing} nm apart",
            "about 1",
            f"{np.mean(clean):.1f} on average, {max(clean)} at most",
            f"{len(clean)} slices",
        )
    )
    return rows


def _persistence(planes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    before, here, after = planes
    grey = IntensityRange(0.0, 255.0)
    found = compare_with_neighbours(here, before, after, 4, grey, CPU)
    return found.correlation.numpy(), found.power.numpy()


def _absent(planes: list[np.ndarray], sigma: float) -> float:
    """Share of visible detail that is in neither neighbour."""
    found, energy = _persistence(planes)
    visible = energy > sigma
    return float((found[visible] < ABSENT_BELOW).mean()) if visible.any() else np.nan
