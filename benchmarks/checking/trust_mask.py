"""Trust masks by conformal risk control on simulated specimens: does the mean loss keep its promise, and how much is trusted.

Every draw takes n specimens at random for calibration and measures the mean loss on all others.
"""

from pathlib import Path

import numpy as np
from common import held_out, keep, picture, row, simulated

from napari_sem_sr.checking.evidence.trust import (
    ALPHA,
    Curves,
    Mask,
    Trust,
    fit_trust,
    image_curves,
)
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.model.bundle import Model

SIZES = (10, 20)
DRAWS = 200


def draws(images: list[dict[Mask, Curves]], mask: Mask, n: int, seed: int = 0) -> dict:
    """Mean loss and share trusted over draws of ``n`` calibration specimens."""
    rng = np.random.default_rng(seed)
    lost = np.stack([i[mask].lost for i in images])
    trusted = np.stack([i[mask].trusted for i in images])
    losses, shares, empty = [], [], 0
    for _ in range(DRAWS):
        chosen = rng.permutation(len(images))
        taken, rest = chosen[:n], chosen[n:]
        arrays = fit_trust([images[i] for i in taken], [str(i) for i in taken])
        known = Trust.of(arrays, mask)
        threshold = known.threshold(ALPHA)
        if threshold is None:
            empty += 1
            losses.append(0.0)
            shares.append(0.0)
            continue
        column = int(np.searchsorted(known.thresholds, threshold - 1e-9))
        losses.append(float(lost[rest, column].mean()))
        shares.append(float(trusted[rest, column].mean()))
    # at the last threshold everything is trusted, so the loss is the share that is wrong
    wrong = float(lost[:, -1].mean())
    return {
        "n": n,
        "mean_loss": float(np.mean(losses)),
        "standard_error": float(np.std(losses) / np.sqrt(DRAWS)),
        "trusted": float(np.mean(shares)),
        "oracle": 1 - wrong,
        "wrong": wrong,
        "no_threshold": empty,
    }


def curves_of(model: Model, fields) -> list[dict[Mask, Curves]]:
    found = []
    for number, (specimen, name, hr) in enumerate(fields):
        p = picture(model, specimen, name, hr)
        width = p.intensity.high - p.intensity.low
        found.append(
            image_curves(p.gan, p.hr, 4, p.sigma, width, invention(p.gan, p.twin, 4, p.intensity))
        )
        if number % 50 == 49:
            print("trust", number + 1, flush=True)
    return found


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    count = 60 if quick else 400
    rows, details = [], {}
    for kind in ("tin", "cathode"):
        images = curves_of(model, simulated(kind, count, 256))
        for mask in ("detail", "error"):
            for n in SIZES:
                found = draws(images, mask, n)
                details[f"{kind}, {mask}, {n}"] = found
                low, high = ALPHA - 2 / (n + 1), ALPHA + 2 * found["standard_error"]
                rows.append(
                    row(
                        f"trust mask ({mask}), simulated {kind}, n = {n}: mean loss",
                        f"{low:.3f} to {high:.3f}",
                        f"{found['mean_loss']:.3f}",
                        f"{len(images)} specimens, {DRAWS} draws",
                    )
                )
                rows.append(
                    row(
                        "… trusted, beside what an oracle could trust",
                        ">= half" if mask == "detail" and n == 10 else "",
                        f"{found['trusted']:.2f} of {found['oracle']:.2f}",
                        "",
                    )
                )
    known = Trust.of(model.calibration)
    real = curves_of(model, held_out(model, data))
    threshold = known.threshold(ALPHA)
    if threshold is None:
        said = f"refused: {known.refusal(ALPHA)}"
    else:
        column = int(np.searchsorted(known.thresholds, threshold - 1e-9))
        said = (
            f"{np.mean([i['detail'].trusted[column] for i in real]):.2f} trusted, of those wrong "
            f"{np.sum([i['detail'].lost[column] for i in real]) / max(1e-9, np.sum([i['detail'].trusted[column] for i in real])):.3f}"
        )
    rows.append(
        row(
            f"trust mask (detail) of {model.card.name} on its own held-out images",
            "",
            said,
            f"{known.n} calibration specimens",
        )
    )
    three = Trust(known.lost[:3], known.trusted[:3], known.thresholds)
    rows.append(
        row("three calibration specimens", "refused", three.refusal(ALPHA) or "not refused", "3")
    )
    keep(out, "trust_mask", rows, details)
