"""Numbers of single slices added up to those of a stack, one function per kind of evidence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_sem_sr.checking import frc
from napari_sem_sr.checking.alignment import Field
from napari_sem_sr.checking.domain import Domain
from napari_sem_sr.checking.scores import StackScores
from napari_sem_sr.checking.trust import ALPHA, Trust
from napari_sem_sr.model.card import Card

Slices = Sequence[Mapping[str, Any]]

# LR pixels of another size than the model's teachers were degraded to.
PIXEL_MARGIN = 1.25
PICTURES = {"": "SR", "twin_": "the twin", "bicubic_": "bicubic"}


def scores_of(found: Slices, data_range: float, field: Field, limits: list[str]) -> dict[str, Any]:
    """PSNR, SSIM and resolution against HR, beside the twin's and bicubic's."""
    scores: dict[str, Any] = {}
    for prefix, who in PICTURES.items():
        if f"{prefix}ssim" not in found[0]:
            scores[f"{prefix}psnr"] = scores[f"{prefix}ssim"] = None
            continue
        total = StackScores(data_range)
        for numbers in found:
            total.merge(
                numbers[f"{prefix}squared_error"],
                numbers[f"{prefix}pixels"],
                numbers[f"{prefix}ssim"],
            )
        scores[f"{prefix}psnr"] = finite(total.psnr)
        scores[f"{prefix}ssim"] = total.ssim
        scores[f"{prefix}psnr_per_slice"] = [finite(v) for v in total.psnr_per_slice]
        scores[f"{prefix}ssim_per_slice"] = total.ssim_per_slice
        if math.isinf(total.psnr):
            limits.append(
                f"{who[0].upper()}{who[1:]} equals HR in every pixel; its PSNR is infinite and written as null."
            )
    pixels = sum(n["pixels"] for n in found)
    scores["data_range"] = data_range
    scores["mean_difference"] = sum(n["sum"] for n in found) / pixels
    for band in ("low", "high"):
        scores[f"difference_{band}_rms"] = math.sqrt(
            sum(n[f"{band}_squared"] for n in found) / pixels
        )
    scores |= _resolutions(found, field, limits)
    if field.hr is not None and field.hr.dtype.kind == "f":
        limits.append(
            "HR holds floats, which have no range of their own; PSNR and SSIM use the span of HR's values, "
            f"{data_range:.6g}."
        )
    return scores


def _resolutions(found: Slices, field: Field, limits: list[str]) -> dict[str, Any]:
    """Resolution by Fourier ring correlation in nm, and the curves."""
    vy, vx = field.sr.voxel_nm[1:]
    known = vy is not None and vx is not None and abs(vy / vx - 1) < 0.01
    result: dict[str, Any] = {}
    for prefix, who in PICTURES.items():
        if f"{prefix}frc" not in found[0]:
            result[f"{prefix}frc_nm"] = None
            continue
        frequency, correlation = frc.curve([s[f"{prefix}frc"] for s in found])
        period = frc.resolution_px(frequency, correlation)
        result[f"{prefix}frc_nm"] = period * vx if period and vx and known else None
        result[f"{prefix}frc_curve"] = [finite(float(v)) for v in correlation]
        result["frc_cycles_per_px"] = [float(v) for v in frequency]
        if not prefix and period is None:
            limits.append(
                f"The Fourier ring correlation of {who} with HR does not cross {frc.THRESHOLD:g}, so the resolution is undefined."
            )
    if not known:
        limits.append("The pixel size is unknown or not square, so no resolution is given in nm.")
    return result


def invention_of(found: Slices, *, sr_is_twin: bool) -> dict[str, Any]:
    """How much was added to the twin, and how far both agree.

    ``amount_rms`` and ``detail_rms`` in grey levels; ``disagreeing_fraction`` is the share of the field where
    detail stands out of LR's noise and correlates less than 0.5 with the twin's.
    """
    t = {key: sum(s["invention"][key] for s in found) for key in found[0]["invention"]}
    n = max(1, t["n"])
    return {
        "compared": "the model's GAN with its twin" if sr_is_twin else "SR with its twin",
        "amount_rms": math.sqrt(t["amount_squared"] / n),
        "detail_rms": math.sqrt(t["energy_squared"] / n),
        "agreement_mean": t["agreement"] / n,
        "disagreeing_fraction": t["disagreeing"] / n,
    }


def persistence_of(found: Slices, inapplicable: str | None) -> dict[str, Any]:
    """How much of the visible detail is in a neighbouring slice too."""
    if inapplicable is not None:
        return {"applicable": False, "reason": inapplicable}
    t = {key: sum(s["persistence"][key] for s in found) for key in found[0]["persistence"]}
    change = sum(s["flicker"]["change"] for s in found if "flicker" in s)
    whole = sum(s["flicker"]["detail"] for s in found if "flicker" in s)
    return {
        "applicable": True,
        "mean": t["sum"] / t["visible"] if t["visible"] else None,
        "absent_fraction": t["absent"] / t["n"],
        "flicker": math.sqrt(change / whole) if whole else None,
    }


def domain_of(found: Slices, domain: Domain, card: Card, field: Field) -> dict[str, Any] | None:
    """Distance of the stack from the model's teachers, and whether the alarm is raised.

    The stack counts as a whole: its features are the medians over its slices, since neighbouring slices show
    the same specimen. None if every slice is masked too much to be described.
    """
    described = [s["domain"] for s in found if s["domain"] is not None]
    if not described:
        return None
    features = np.median(described, axis=0)
    distance = domain.distance(features)
    threshold = domain.threshold
    reasons = []
    if threshold is not None and distance > threshold:
        reasons.append("its LR looks unlike every teacher specimen")
    if domain.is_noisier(features):
        reasons.append("its LR is noisier than every teacher's")
    if domain.is_softer(features):
        reasons.append("its LR is more blurred than every teacher's")
    ratio = _pixel_ratio(card, field)
    if ratio is not None and not 1 / PIXEL_MARGIN <= ratio <= PIXEL_MARGIN:
        reasons.append(f"its LR pixels are {ratio:.2g} times the size of the teachers'")
    return {
        "distance": distance,
        "threshold": threshold,
        "p_value": domain.p_value(distance),
        "alarm": bool(reasons),
        "reasons": reasons,
        "n_specimens": domain.n_specimens,
        "pixel_ratio": ratio,
    }


def _pixel_ratio(card: Card, field: Field) -> float | None:
    """LR pixel size over that of the degraded teachers nearest to it; None where either is unknown."""
    size = field.lr.voxel_nm[2]
    if size is None or not card.teachers.pixel_nm:
        return None
    ratios = [size / (pixel * card.factor) for pixel in card.teachers.pixel_nm]
    return min(ratios, key=lambda r: abs(math.log(r)))


def trust_of(
    found: Slices, trust: Trust, threshold: float | None, domain: Mapping[str, Any] | None
) -> dict[str, Any]:
    """How much of the field may be trusted, or why nobody can say.

    ``error_among_trusted`` and ``trusted_in_calibration`` are as measured on the calibration specimens,
    without guarantee.
    """
    refused = trust.refusal(ALPHA)
    if refused is None and threshold is None:
        refused = "no threshold keeps the mean loss on the calibration specimens low enough"
    if refused is None and (domain is None or domain["alarm"]):
        refused = "the stack is not known to lie within the model's domain, so the calibration does not apply"
    result: dict[str, Any] = {
        "alpha": ALPHA,
        "n_calibration": trust.n,
        "trusted_fraction": None,
        "refused": refused,
    }
    if refused is None and threshold is not None:
        places = max(1, sum(s["invention"]["n"] for s in found))
        result["trusted_fraction"] = sum(s["trusted"] for s in found) / places
        result["trusted_in_calibration"], result["error_among_trusted"] = trust.at(threshold)
    return result


def finite(value: float) -> float | None:
    """``value``, or None for what JSON cannot hold."""
    return value if math.isfinite(value) else None
