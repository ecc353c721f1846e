"""Features planted into SR: how often they are among the ten worst places, and what a clean image gets.

SR of held-out images, with and without noise in LR. Discs, lines and textures are drawn into it; the yardsticks are
measured on the very picture that holds the feature. Signal: contrast x sqrt(area in LR pixels) / standard deviation of the
residual. Features of the null space have the mean of every LR pixel taken off, so LR does not know of them.
"""

from pathlib import Path
from typing import Any

import numpy as np
from common import Picture, grey_level, held_out, interval, keep, picture, row, to_dtype

from napari_sem_sr.checking.evidence.consistency import residual
from napari_sem_sr.checking.evidence.invention import added
from napari_sem_sr.checking.suspects.background_model import Slice, measure
from napari_sem_sr.checking.suspects.extreme_values import tails_of
from napari_sem_sr.checking.suspects.reasons import KIND_OF
from napari_sem_sr.checking.suspects.regions import Region, suspect_regions
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model

KINDS = ("particle", "pore", "crack", "texture")
RADII_PX = (2, 3, 5, 8, 12)
CLASSES = ((4, 6), (6, 9), (9, 12), (12, 16), (16, 20))
NULL_CONTRAST = (10, 20, 40)
WORST = 10


def places(model: Model, p: Picture, sr: np.ndarray) -> list[Region]:
    """Suspect places of one picture, as a check finds them."""
    found = invention(sr, p.twin, 4)
    amounts = [a / p.unit for a in added(found)]
    whole = Slice.of(p.lr / p.unit, residual(sr, p.lr, 4) / p.unit, amounts)
    tails = tails_of(model.calibration)
    z_scores = measure([whole], p.least).z_scores(whole)
    return suspect_regions(
        {r: tails[KIND_OF[r]].score(h.numpy(), h.numel()) for r, h in z_scores.items()}, 4
    )


def feature(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> tuple[Any, int]:
    """Where a feature is (weights of its contrast), and its size in SR pixels."""
    yy, xx = np.indices(shape)
    cy, cx = (int(rng.integers(20, n - 20)) for n in shape)
    if kind == "crack":
        length, angle, width = rng.uniform(16, 48), rng.uniform(0, np.pi), int(rng.choice((2, 4)))
        along = (yy - cy) * np.sin(angle) + (xx - cx) * np.cos(angle)
        across = (xx - cx) * np.sin(angle) - (yy - cy) * np.cos(angle)
        return (np.abs(along) < length / 2) & (np.abs(across) < width / 2), width
    radius = int(rng.choice(RADII_PX if kind != "texture" else RADII_PX[2:]))
    disc = np.hypot(yy - cy, xx - cx) < radius
    if kind == "texture":
        # period of nine SR pixels: two LR pixels and a quarter, half of it survives averaging
        return disc * np.sign(np.sin(2 * np.pi * yy / 9) * np.sin(2 * np.pi * xx / 9)), radius
    return disc, radius


def hit(found: list[Region], where: np.ndarray) -> bool:
    """Whether one of the ten worst places overlaps with the feature."""
    return any(
        where[r.y : r.y + r.height, r.x : r.x + r.width].any()
        for r in found[:WORST]
        if r.height * r.width <= 0.02 * where.size
    )


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    rng = np.random.default_rng(0)
    pictures = [
        picture(model, specimen, name, hr, noise)
        for specimen, name, hr in held_out(model, data)
        for noise in (0.0, 4.0)
    ]
    if quick:
        pictures = pictures[:: max(1, len(pictures) // 8)]
    each = max(1, round((60 if quick else 400) / len(pictures)))
    clean = {}
    planted: list[dict[str, Any]] = []
    nothing: list[dict[str, Any]] = []
    for number, p in enumerate(pictures):
        before = places(model, p, p.gan)
        clean[f"{p.name}, {'noisy' if number % 2 else 'as it is'}"] = [r.score for r in before]
        spread = float(residual(p.gan, p.lr, 4).std())
        for _ in range(each):
            kind = str(rng.choice(KINDS))
            weights, size = feature(rng, p.gan.shape, kind)
            where = weights != 0
            share = float(np.abs(area_average(weights * 1.0, 4)).sum() * 16 / max(1, where.sum()))
            area = np.sqrt(where.sum() / 16)
            wanted = rng.uniform(4, 20) * spread / area / max(share, 0.2)
            sign = {"particle": 1, "pore": -1}.get(kind, int(rng.choice((-1, 1))))
            fake = to_dtype(p.gan + sign * max(grey_level(p.gan), wanted) * weights, p.gan)
            change = fake.astype(float) - p.gan
            # of a texture, what is left of its contrast in LR
            contrast = np.abs(change[where]).mean() * (share if kind == "texture" else 1.0)
            signal = float(contrast * area / spread)
            in_lr = float(np.sqrt((area_average(change, 4) ** 2).sum()) / spread)
            found = hit(places(model, p, fake), where)
            planted.append(
                {
                    "kind": kind,
                    "size_px": size,
                    "signal": signal,
                    "signal_in_lr": in_lr,
                    "hit": found,
                }
            )
        for contrast in NULL_CONTRAST[:: 2 if quick else 1]:
            kind = str(rng.choice(("particle", "texture")))
            weights, size = feature(rng, p.gan.shape, kind)
            left = weights - np.kron(area_average(weights * 1.0, 4), np.ones((4, 4)))
            fake = to_dtype(p.gan + contrast * grey_level(p.gan) * left, p.gan)
            found = hit(places(model, p, fake), np.abs(left) > 0)
            nothing.append({"kind": kind, "size_px": size, "contrast": contrast, "hit": found})
        print("planted", number + 1, "of", len(pictures), flush=True)
    rows = []
    strong = [f for f in planted if f["signal"] >= 9]
    rows.append(_rate("planted, signal >= 9: among the ten worst", ">= 95 %", strong))
    for kind in KINDS:
        some = [f for f in strong if f["kind"] == kind]
        rows.append(_rate(f"… {kind}", "", some))
    for low, high in CLASSES:
        some = [f for f in planted if low <= f["signal"] < high]
        rows.append(_rate(f"… all kinds, signal {low} to {high}", "", some))
    for size in RADII_PX:
        some = [f for f in strong if f["size_px"] == size and f["kind"] in ("particle", "pore")]
        rows.append(_rate(f"… disc of radius {size} SR pixels, signal >= 9", "", some))
    for contrast in NULL_CONTRAST:
        some = [f for f in nothing if f["contrast"] == contrast]
        if some:
            rows.append(_rate(f"planted in the null space of LR, {contrast} grey levels", "", some))
    counts = [len(scores) for scores in clean.values()]
    rows.append(
        row(
            "places that a clean image gets (one slice, 128 × 128 LR pixels)",
            "few",
            f"{np.mean(counts):.1f} on average, {max(counts)} at most",
            f"{len(counts)} images",
        )
    )
    keep(out, "planted", rows, {"planted": planted, "null space": nothing, "clean": clean})


def _rate(what: str, target: str, some: list[dict[str, Any]]) -> dict[str, str]:
    hits = sum(f["hit"] for f in some)
    low, high = interval(hits, len(some))
    share = f"{100 * hits / len(some):.0f} % ({100 * low:.0f} to {100 * high:.0f})" if some else "–"
    return row(what, target, share, str(len(some)))
