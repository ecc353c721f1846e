"""Where is SR wrong? Evidence from SR, twin and LR alone against HR, as area under the ROC curve by LR pixel.

Wrong detail: local correlation with HR under 0.5. Large error: the worst 5 % of the smoothed absolute difference. Mean
over images, overall and within four classes of equal detail energy (eight of equal slope for the error).

The learned score of expected error was fitted on the model's own held-out specimens, so on those it is fitted again
without the specimen that is looked at.
"""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
from common import Picture, auroc, held_out, keep, picture, row, simulated
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.consistency import residual
from napari_sem_sr.checking.evidence.expected_error import (
    ExpectedError,
    evidence_of,
    example_of,
    fit_error,
)
from napari_sem_sr.checking.evidence.invention import doubt
from napari_sem_sr.checking.evidence.invention import wrong_detail as ranked
from napari_sem_sr.checking.evidence.trust import error_score, wrong_detail_of
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model

OVERALL, OWN, CROSS = 0.93, 0.85, 0.75


def detail_evidence(p: Picture) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Evidence of wrong detail by name, and the detail energy."""
    found = invention(p.gan, p.twin, 4)
    agreement, energy, amount = (i.numpy() for i in (found.agreement, found.energy, found.amount))
    rest = np.sqrt(gaussian_filter(residual(p.gan, p.lr, 4).astype(float) ** 2, 2))
    return {
        "−e (baseline)": -energy,
        "−A": -agreement,
        "doubt (−A − 0.3 ln e)": doubt(found.agreement, found.energy, p.sigma).numpy(),
        "ranks of −A and −e": ranked(agreement, energy),
        "invention / e": amount / (energy + 1e-3),
        "consistency": rest,
    }, energy


def learned_from(pictures: list[Picture]) -> ExpectedError:
    """Expected error as a model that held out these pictures has it."""
    examples = [
        example_of(p.gan, p.hr, invention(p.gan, p.twin, 4), 4, _width(p)) for p in pictures
    ]
    return ExpectedError.of(fit_error(examples, ["all"] * len(examples)))


def _width(p: Picture) -> float:
    return p.intensity.high - p.intensity.low


def error_evidence(p: Picture, learned: ExpectedError) -> tuple[dict[str, np.ndarray], np.ndarray]:
    found = invention(p.gan, p.twin, 4)
    slope, amount = found.slope.numpy(), found.amount.numpy()
    rest = np.sqrt(gaussian_filter(residual(p.gan, p.lr, 4).astype(float) ** 2, 2))
    width = _width(p)
    return {
        "slope of SR (baseline)": slope,
        "expected error (learned)": learned.map(evidence_of(found, width), p.lr.shape, width),
        "invention": amount,
        "score of the error mask": error_score(found, width).numpy(),
        "consistency": rest,
    }, slope


def within(score, positive, by, classes: int) -> float | None:
    """Mean AUROC within classes of equal ``by``."""
    edges = np.quantile(by, np.linspace(0, 1, classes + 1))
    found = []
    for low, high in pairwise(edges):
        inside = (by >= low) & (by <= high)
        value = auroc(score[inside], positive[inside])
        if value is not None and 10 <= positive[inside].sum() <= inside.sum() - 10:
            found.append(value)
    return float(np.mean(found)) if found else None


def measure(pictures: list[Picture], held_out: list[Picture]) -> dict[str, dict[str, list[float]]]:
    kept: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    everyone = learned_from(held_out)
    learned: dict[str, ExpectedError] = {}
    for p in pictures:
        evidence, energy = detail_evidence(p)
        wrong = wrong_detail_of(p.gan, p.hr, 4)
        _note(kept, "detail", evidence, wrong, energy, 4)
        rest = [q for q in held_out if q.specimen != p.specimen]
        if p.specimen not in learned:
            learned[p.specimen] = everyone if len(rest) == len(held_out) else learned_from(rest)
        evidence, slope = error_evidence(p, learned[p.specimen])
        off = area_average(gaussian_filter(np.abs(p.gan.astype(float) - p.hr), 1.5), 4)
        _note(kept, "error", evidence, off > np.quantile(off, 0.95), slope, 8)
    return {k: dict(v) for k, v in kept.items()}


def _note(kept, target, evidence, positive, by, classes) -> None:
    for name, score in evidence.items():
        overall = auroc(score, positive)
        if overall is None or not 10 <= positive.sum() <= positive.size - 10:
            continue
        kept[f"{target}: {name}"]["overall"].append(overall)
        inside = within(score, positive, by, classes)
        if inside is not None:
            kept[f"{target}: {name}"]["within"].append(inside)


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    own = [picture(model, s, n, hr) for s, n, hr in held_out(model, data)]
    foreign = [
        picture(model, s, n, hr)
        for kind in ("tin", "cathode")
        for s, n, hr in simulated(kind, 4 if quick else 20, 384)
    ]
    if quick:
        own = own[::3]
    details = {"own": measure(own, own), "foreign": measure(foreign, own)}
    rows = []
    for where, some in details.items():
        count = len(own) if where == "own" else len(foreign)
        for name, values in some.items():
            targets = {}
            if name == "detail: ranks of −A and −e":
                targets = {"overall": OVERALL, "within": OWN if where == "own" else CROSS}
            rows.append(
                row(
                    f"AUROC, {where}, {name}",
                    ", ".join(f"{k} >= {v}" for k, v in targets.items()),
                    f"{np.mean(values['overall']):.3f}; within classes "
                    + (f"{np.mean(values['within']):.3f}" if values.get("within") else "–"),
                    f"{count} images",
                )
            )
    keep(out, "localisation", rows, details)
