"""Numbers of single slices added up to those of a stack, one function per kind of evidence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_sem_sr.checking.evidence.acquisition import circumstances
from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.trust import ALPHA, TOLERANCE, WRONG_BELOW, Mask, Trust
from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.suspects.regions import IN_REPORT, WHOLE_FIELD, Region, worst
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.card import Card

Slices = Sequence[Mapping[str, Any]]

NOT_INDEPENDENT = "images of one specimen, not independent"
# Whole slices on the list of suspect regions: half of it is left to places.
FIELDS = IN_REPORT // 2
# LR pixels of another size than the model's teachers were degraded to.
PIXEL_MARGIN = 1.25


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
    reasons = domain.unlike(features)
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
        "compared": circumstances(field.lr, card, domain, features),
    }


def fields_outside(
    found: Slices, domain: Domain, about: Mapping[str, Any], field: Field
) -> list[Region]:
    """Every slice as a suspect region where the alarm is raised; of many the farthest from the teachers, ``FIELDS`` at most.

    They lie over the places of their slices, which are listed as well: those are where to look first in a field of
    which nothing may be relied on.

    Nothing local can show what a model invents everywhere. The score grows by 1 for every doubling of the distance.
    """
    if not about["alarm"]:
        return []
    z, y, x = field.sr_start
    _, height, width = field.sr.shape
    limit = about["threshold"] or about["distance"]
    regions = []
    for index, numbers in zip(field.kept, found, strict=True):
        if numbers["domain"] is None:
            continue
        features = np.array(numbers["domain"])
        far = math.log2(max(domain.distance(features), 1e-9) / max(limit, 1e-9))
        score = round(1 + max(0.0, far), 4)
        reasons = (WHOLE_FIELD, *(domain.unlike(features) or about["reasons"]))
        regions.append(Region(z + index, y, x, height, width, score, reasons))
    return worst(regions)[:FIELDS]


def _pixel_ratio(card: Card, field: Field) -> float | None:
    """LR pixel size over that of the degraded teachers nearest to it; None where either is unknown."""
    size = field.lr.voxel_nm[2]
    if size is None or not card.teachers.pixel_nm:
        return None
    ratios = [size / (pixel * card.factor) for pixel in card.teachers.pixel_nm]
    return min(ratios, key=lambda r: abs(math.log(r)))


def trust_of(
    found: Slices,
    model: Model,
    thresholds: Mapping[Mask, float | None],
    domain: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """How much of the field may be trusted, or why nobody can say.

    At the top the mask of detail, under ``error`` that of absolute error. ``error_among_trusted`` and
    ``trusted_in_calibration`` are as measured on the calibration specimens, without guarantee.
    """
    result = _mask_of(found, model, "detail", thresholds["detail"], domain)
    result["wrong"] = f"local correlation with HR under {WRONG_BELOW:g}"
    result["error"] = _mask_of(found, model, "error", thresholds["error"], domain)
    result["error"]["tolerance"] = TOLERANCE
    result["error"]["wrong"] = f"farther from HR than {TOLERANCE:.0%} of the intensity range"
    return result


def _mask_of(
    found: Slices,
    model: Model,
    mask: Mask,
    threshold: float | None,
    domain: Mapping[str, Any] | None,
) -> dict[str, Any]:
    trust = Trust.of(model.calibration, mask)
    refused = trust.refusal(ALPHA)
    if refused is None and threshold is None:
        refused = "no threshold keeps the mean loss on the calibration specimens low enough"
    if refused is None and (domain is None or domain["alarm"]):
        refused = "the stack is not known to lie within the model's domain, so the calibration does not apply"
    independent = model.card.teachers.unit == "specimen"
    result: dict[str, Any] = {
        "alpha": ALPHA,
        "n_calibration": trust.n,
        "trusted_fraction": None,
        "refused": refused,
        "unit": "specimens" if independent else NOT_INDEPENDENT,
    }
    if refused is None and threshold is not None:
        places = max(1, sum(s["invention"]["n"] for s in found))
        result["trusted_fraction"] = sum(s[f"trusted_{mask}"] for s in found) / places
        result["trusted_in_calibration"], result["error_among_trusted"] = trust.at(threshold)
    return result
