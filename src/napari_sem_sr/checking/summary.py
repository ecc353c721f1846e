"""From what was found on each slice to what the report says of the whole."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_sem_sr.checking.alignment import Field
from napari_sem_sr.checking.report import Report
from napari_sem_sr.checking.scores import StackScores
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.pairing.degradation import area_average
from napari_sem_sr.stack import SemStack

# Each key of the report whose evidence is not built, and what to say about it.
NOT_BUILT = {
    "consistency": "Consistency with the measured LR has not been judged: this version does not compute it.",
    "invention": "What the adversarial stage invented has not been judged: this version does not compute it.",
    "domain": "Whether the stack belongs to the model's domain has not been judged: this version does not compute it.",
    "persistence": "Persistence from slice to slice has not been judged: this version does not compute it.",
    "trust": "There is no trust mask: this version does not calibrate one.",
}


def summarise(
    field: Field,
    sr: SemStack,
    hr: SemStack | None,
    model: Model | None,
    identity: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    data_range: float,
) -> Report:
    """Make the report of a field from what was found on its slices.

    Parameters
    ----------
    field
        What was checked.
    sr, hr
        As given, not cropped.
    model
        The model, if it is at hand.
    identity
        Content hashes by role.
    found
        Numbers of every slice, in order.
    data_range
        Peak of PSNR and SSIM.
    """
    limits = list(field.notes)
    about = _about_model(sr, model, limits)
    scores = None
    if field.hr is None:
        limits.append("No HR was given, so nothing here says how close SR comes to the truth.")
    else:
        scores = _scores(found, data_range, field, limits)
        if _made_from(field):
            limits.append(
                "LR was made from this HR by averaging, so both share their noise and the degradation is exactly the "
                "model's: the scores are optimistic compared with two recordings on two microscopes."
            )
    limits += NOT_BUILT.values()
    limits.append(
        "Suspect regions are not listed: this version does not combine evidence into regions."
    )
    return Report(
        lr=_about(field.lr, identity["lr"]),
        sr={
            **_about(sr, identity["sr"]),
            "checked": {"slices": list(field.slices), "region": [list(b) for b in field.region]},
        },
        hr=None if hr is None else _about(hr, identity["hr"]),
        model=about,
        scores=scores,
        consistency=None,
        invention=None,
        domain=None,
        persistence=None,
        trust=None,
        regions=[],
        verdict=_verdict(scores, field),
        limits=limits,
    )


def _about(stack: SemStack, content_hash: str) -> dict[str, Any]:
    return {
        **stack.describe(),
        "paths": [path.name for path in stack.paths],
        "hash": content_hash,
    }


def _about_model(sr: SemStack, model: Model | None, limits: list[str]) -> dict[str, Any] | None:
    recorded = sr.provenance or {}
    if model is None:
        limits.append("No model was given, so SR is not compared with the model's twin.")
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


def _scores(
    found: Sequence[Mapping[str, Any]], data_range: float, field: Field, limits: list[str]
) -> dict[str, Any]:
    scores: dict[str, Any] = {}
    for prefix in ("", "twin_", "bicubic_"):
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
        scores[f"{prefix}psnr"] = _finite(total.psnr)
        scores[f"{prefix}ssim"] = total.ssim
        scores[f"{prefix}psnr_per_slice"] = [_finite(v) for v in total.psnr_per_slice]
        scores[f"{prefix}ssim_per_slice"] = total.ssim_per_slice
        if math.isinf(total.psnr):
            limits.append(
                f"{prefix.rstrip('_') or 'SR'} equals HR in every pixel; its PSNR is infinite and written as null."
            )
    pixels = sum(n["pixels"] for n in found)
    scores["data_range"] = data_range
    scores["mean_difference"] = sum(n["sum"] for n in found) / pixels
    for band in ("low", "high"):
        scores[f"difference_{band}_rms"] = math.sqrt(
            sum(n[f"{band}_squared"] for n in found) / pixels
        )
    scores["frc_nm"] = None
    limits.append("The resolution by Fourier ring correlation is not computed by this version.")
    if field.hr is not None and field.hr.dtype.kind == "f":
        limits.append(
            "HR holds floats, which have no range of their own; PSNR and SSIM use the span of HR's values, "
            f"{data_range:.6g}."
        )
    return scores


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _made_from(field: Field) -> bool:
    """Whether LR is HR averaged, by what its file says or by its pixels."""
    if "degraded_from" in (field.lr.provenance or {}):
        return True
    assert field.hr is not None
    index = field.hr.shape[0] // 2
    mean = area_average(field.hr.slice(index), field.factor)
    lr = field.lr_part.slice(index)
    step = 0.5 if field.lr.dtype.kind in "ui" else 1e-4 * max(1.0, float(np.nanmax(np.abs(lr))))
    return bool(np.nanmax(np.abs(mean - lr)) <= step + 1e-6)


def _verdict(scores: Mapping[str, Any] | None, field: Field) -> str:
    if scores is None:
        return (
            f"'{field.sr.name}' could not be compared with the truth, as no HR was given: take its fine detail as a "
            "suggestion, not as a measurement."
        )
    if scores["psnr"] is None:
        return f"'{field.sr.name}' equals HR in every pixel."
    gain = scores["psnr"] - (scores["bicubic_psnr"] or math.inf)
    near = "closer to" if gain > 0 else "farther from"
    return (
        f"'{field.sr.name}' is {near} HR than bicubic interpolation by {abs(gain):.1f} dB "
        f"({scores['psnr']:.1f} against {scores['bicubic_psnr']:.1f} dB PSNR), SSIM {scores['ssim']:.3f} against "
        f"{scores['bicubic_ssim']:.3f}."
    )
