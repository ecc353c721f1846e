"""From what was found on each slice to the report on the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_sem_sr.checking.evidence.against_hr import scores_of
from napari_sem_sr.checking.evidence.consistency import summarise_consistency
from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.reference import reference_of
from napari_sem_sr.checking.evidence.stability import rms_of
from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.pipeline.slice_evaluator import Inspector
from napari_sem_sr.checking.pipeline.totals import (
    domain_of,
    fields_outside,
    invention_of,
    persistence_of,
    trust_of,
)
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.verdict import verdict
from napari_sem_sr.checking.suspects.missing import compared, empty_regions
from napari_sem_sr.checking.suspects.regions import IN_REPORT, Region, worst
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.registration.register import Registration


def summarise(
    inspector: Inspector,
    sr: SemStack,
    hr: SemStack | None,
    model: Model | None,
    identity: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    registration: Registration | str | None = None,
) -> Report:
    """Make the report of a field from what was found on its slices.

    Parameters
    ----------
    inspector
        What found it.
    sr, hr
        As given, not cropped.
    model
        The model, if it is at hand.
    identity
        Content hashes by role.
    found
        Numbers of every slice, in order.
    registration
        Where HR lies over LR, or why nobody knows.
    """
    field = inspector.field
    limits = list(field.notes)
    about = _about_model(sr, model, limits)
    scores = None
    if hr is None:
        limits.append("No HR was given, so nothing here says how close SR comes to the truth.")
    if field.hr is not None:
        scores = scores_of(found, inspector.data_range, field, registration, limits)
        if not field.registered and _made_from(field):
            limits.append(
                "LR was made from this HR by averaging, so both share their noise and the degradation is exactly the "
                "model's: PSNR, SSIM, resolution and chi-square are optimistic compared with two recordings on two microscopes."
            )
    left_out = ", ".join(str(field.slices[0] + i) for i in sorted(field.without))
    if left_out:
        limits.append(f"Slices left out by number, of which nothing is said here: {left_out}.")
    consistency = summarise_consistency([s["consistency"] for s in found], inspector.sigma)
    consistency |= compared(field, found, limits)
    consistency["degradation"] = inspector.degradation.describe()
    limits.append(
        "Detail whose mean over every LR pixel is zero cannot be checked against LR; consistency with LR is no proof of it."
    )
    invention, domain, known = None, None, None
    if model is None:
        limits.append(
            "Without the model, invention and the model's domain could not be judged; give it with --model."
        )
    else:
        invention = invention_of(found, sr_is_twin=inspector.sr_is_twin)
        measured = [s["stability"] for s in found if "stability" in s]
        invention |= {"stability_rms": rms_of(measured), "stability_slices": len(measured)}
        invention |= _expected(inspector, found, limits)
        if inspector.sr_is_twin:
            limits.append(
                "SR is the twin itself (sharpness 0) and invents nothing beyond it; agreement is that of the model's GAN."
            )
        known = Domain.of(model.calibration)
        if known is None:
            limits.append(
                f"Model '{model.card.name}' carries no domain statistics, so its domain could not be judged; train it again."
            )
        else:
            domain = domain_of(found, known, model.card, field)
            if domain is None:
                limits.append(
                    "No slice has enough unmasked pixels to compare with the model's domain."
                )
        if domain is not None and known is not None:
            if not known.knows_patterns:
                limits.append(
                    f"Model '{model.card.name}' was calibrated by an earlier version, so its domain alarm is less sharp; train it again."
                )
            if domain["p_value"] is None:
                limits.append(
                    f"With {known.n_specimens} teacher specimens there is no p-value for the domain (19 are needed); the alarm "
                    "compares with the specimens left out one at a time."
                )
            if domain["threshold"] is None:
                limits.append(
                    "The model has one teacher specimen, so how much specimens differ is unknown: only noise, blur and pixel size can raise the alarm."
                )
            if domain["pixel_ratio"] is None:
                limits.append(
                    "The pixel size of LR or of the teachers is unknown, so they could not be compared."
                )
    reference = None
    if inspector.reference is not None:
        reference = reference_of([s["reference"] for s in found], inspector.reference, limits)
    persistence = persistence_of(found, inspector.no_persistence)
    if inspector.no_persistence is not None:
        limits.append(
            f"Persistence from slice to slice says nothing here: {inspector.no_persistence}."
        )
    trust = None
    if model is not None:
        trust = trust_of(found, model, inspector.trust_thresholds, domain)
        if trust["refused"]:
            limits.append(f"There is no trust mask: {trust['refused']}.")
        else:
            limits.append(
                "The trust mask bounds the mean loss over specimens like those of the calibration, not the loss on this one."
            )
    regions = [Region(**{**r, "reasons": tuple(r["reasons"])}) for s in found for r in s["regions"]]
    regions += empty_regions(field)
    fields: list[Region] = []
    if domain is not None and known is not None:
        fields = fields_outside(found, known, domain, field)
    # a field that is outside is listed however many places are worse
    listed = worst([*fields, *worst(regions)[: IN_REPORT - len(fields)]])
    report = Report(
        lr=_about(field.lr, identity["lr"]),
        sr={
            **_about(sr, identity["sr"]),
            "checked": {
                "slices": list(field.slices),
                "without": sorted(field.slices[0] + i for i in field.without),
                **(
                    {"empty": sorted(field.slices[0] + i for i in field.empty)}
                    if field.empty
                    else {}
                ),
                "region": [list(b) for b in field.region],
            },
        },
        hr=None if hr is None else _about(hr, identity["hr"]),
        model=about,
        scores=scores,
        consistency=consistency,
        invention=invention,
        domain=domain,
        persistence=persistence,
        trust=trust,
        regions=[r.describe() for r in listed],
        verdict="",
        limits=limits,
        reference=reference,
    )
    return replace(report, verdict=verdict(report))


def _expected(
    inspector: Inspector, found: Sequence[Mapping[str, Any]], limits: list[str]
) -> dict[str, Any]:
    """Expected error beside how well it, and the slope of SR alone, told errors on held-out teachers."""
    names = ("expected_error_rms", "expected_error_auroc", "slope_auroc")
    known = inspector.expected_error
    if known is None:
        limits.append(
            "The model carries no learned error score, so the size of errors was not foreseen; train it again with more than one specimen."
        )
        return dict.fromkeys(names)
    rms = rms_of([s["expected_error"] for s in found])
    return dict(zip(names, (rms, known.auroc, known.auroc_slope), strict=True))


def _about(stack: SemStack, content_hash: str) -> dict[str, Any]:
    return {
        **stack.describe(),
        "paths": [path.name for path in stack.paths],
        "hash": content_hash,
    }


def _about_model(sr: SemStack, model: Model | None, limits: list[str]) -> dict[str, Any] | None:
    recorded = sr.provenance or {}
    if model is None:
        if "model" not in recorded:
            return None
        return {
            "name": recorded["model"],
            "hash": recorded.get("model_hash"),
            "factor": recorded.get("factor"),
            "sharpness": recorded.get("sharpness"),
            "teachers": None,
            "given": False,
            "made_sr": True,
        }
    made = recorded.get("model_hash")
    if made is None:
        limits.append(
            f"'{sr.name}' does not say which model made it; '{model.card.name}' was taken on trust."
        )
    elif made != model.content_hash:
        limits.append(
            f"'{sr.name}' was made by another model or version ('{recorded.get('model')}') than the one given, "
            f"'{model.card.name}'; the twin's scores are those of the one given."
        )
    return {
        "name": model.card.name,
        "hash": model.content_hash,
        "factor": model.card.factor,
        "sharpness": recorded.get("sharpness"),
        "teachers": model.card.teachers.count,
        "given": True,
        "made_sr": None if made is None else made == model.content_hash,
    }


def _made_from(field: Field) -> bool:
    """Whether LR is HR averaged, by what its file says or by its pixels."""
    if "degraded_from" in (field.lr.provenance or {}):
        return True
    assert field.hr is not None
    index = field.kept[len(field.kept) // 2]
    mean = area_average(field.hr.slice(index), field.factor)
    lr = field.lr_part.slice(index)
    step = 0.5 if field.lr.dtype.kind in "ui" else 1e-4 * max(1.0, float(np.nanmax(np.abs(lr))))
    return bool(np.nanmax(np.abs(mean - lr)) <= step + 1e-6)
