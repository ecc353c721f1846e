"""From what was found on each slice to the report on the whole: every kind of evidence makes its own section."""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from napari_sem_sr.checking.pipeline.kinds import KINDS
from napari_sem_sr.checking.pipeline.quick import Quick
from napari_sem_sr.checking.pipeline.slice_evaluator import SliceEvaluator
from napari_sem_sr.checking.protocol import SoFar, plain
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.verdict import verdict
from napari_sem_sr.checking.suspects.evidence import SuspectsEvidence
from napari_sem_sr.checking.view.setup import Setup
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True, eq=False)
class Given:
    """The inputs of a check as they were given.

    Parameters
    ----------
    sr, hr
        Not cropped.
    identity
        Content hashes by role.
    every
        Only every so many slices were to be looked at.
    """

    sr: SemStack
    hr: SemStack | None
    identity: Mapping[str, Any]
    every: int = 1


def summarise(
    setup: Setup,
    evaluator: SliceEvaluator,
    given: Given,
    found: Mapping[int, Mapping[str, Any]],
) -> Report:
    """Make the report of a field.

    Parameters
    ----------
    setup, evaluator
        What looked at it.
    given
        What was given.
    found
        By slice of the field the records of all kinds of evidence, as plain values.
    """
    field = setup.field
    limits = list(field.notes)
    about = _about_model(given.sr, setup.model, limits)
    left_out = ", ".join(str(field.slices[0] + i) for i in sorted(field.without))
    if left_out:
        limits.append(f"Slices left out by number, of which nothing is said here: {left_out}.")
    slices = sorted(found)
    prepared = {kind.name: kind for kind in evaluator.evidence}
    records = {
        kind.name: [
            None if (r := found[z].get(kind.name)) is None else kind.restored(r) for z in slices
        ]
        for kind in KINDS
        if kind.name in prepared
    }
    so_far = SoFar(slices, {}, records, limits)
    for kind in KINDS:
        reason = kind.missing(setup)
        if reason is None:
            there = [r for r in records[kind.name] if r is not None]
            section = prepared[kind.name].combine(there, setup, so_far)
        else:
            section = kind.instead(setup)
            if reason:
                limits.append(reason)
        _add(so_far.sections, kind.section, section)
    sections = so_far.sections
    checked: dict[str, Any] = {
        "slices": list(field.slices),
        "without": sorted(field.slices[0] + i for i in field.without),
        **({"empty": sorted(field.slices[0] + i for i in field.empty)} if field.empty else {}),
        "region": [list(b) for b in field.region],
    }
    quick = None
    if len(slices) < len(field.kept):
        holding = sum(bool(r and r.regions) for r in records[SuspectsEvidence.name])
        quick = Quick(given.every, tuple(slices), len(field.kept), holding)
        checked |= quick.checked(field.slices[0])
        limits.append(quick.limit())
    report = Report(
        lr=_about(field.lr, given.identity["lr"]),
        sr={**_about(given.sr, given.identity["sr"]), "checked": checked},
        hr=None if given.hr is None else _about(given.hr, given.identity["hr"]),
        model=about,
        verdict="",
        limits=limits,
        regions=sections["regions"],
        **{key: sections.get(key) for key in SECTIONS},
    )
    said = verdict(report)
    return replace(report, verdict=said if quick is None else f"{said} {quick.sentence()}")


# Keys of the report that kinds of evidence fill, beside its regions.
SECTIONS = (
    "scores", "consistency", "invention", "domain", "persistence", "trust", "reference", "expected",
)  # fmt: skip


def _add(sections: dict[str, Any], key: str, section: Any) -> None:
    """Put a section where it belongs; kinds that share a key each add their part."""
    if section is None:
        sections.setdefault(key, None)
        return
    value = plain(section) if is_dataclass(section) or isinstance(section, Mapping) else section
    there = sections.get(key)
    sections[key] = {**there, **value} if isinstance(there, Mapping) else value


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
            f"'{sr.name}' does not say which model made it; '{model.card.name}' was assumed."
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
