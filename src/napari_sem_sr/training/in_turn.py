"""Few specimens: each is left out once to be tested on, and the model that ships learns from all.

Leave-one-group-out cross-validation (Stone 1974). The scores are those of networks that never saw the specimen in
question, so they are honest; the model that ships saw one specimen more and is, if anything, better.
"""

from collections.abc import Sequence
from pathlib import Path

from napari_sem_sr.pairing.teachers import Teacher
from napari_sem_sr.training.budget import Progress
from napari_sem_sr.training.checkpoint import Checkpoint, load_checkpoint, named, save_checkpoint
from napari_sem_sr.training.course import Outcome, Plan

# Part of a budget in minutes that the model that ships gets; the others share the rest.
SHIPPED_SHARE = 0.5
# A best moment this late is the end: there is nothing to be stopped early.
LATE = 0.8


def plans_in_turn(teachers: Sequence[Teacher]) -> dict[str, Plan]:
    """One course for each specimen, by its name, in which it is left out."""
    groups = sorted({t.group for t in teachers})
    return {
        group: Plan(
            train=tuple(t for t in teachers if t.group != group),
            unseen=tuple(t for t in teachers if t.group == group),
            unit="specimen",
            name=f"without {group} ({number} of {len(groups)})",
            share=(1 - SHIPPED_SHARE) / len(groups),
        )
        for number, group in enumerate(groups, 1)
    }


def plan_of_all(teachers: Sequence[Teacher], outcomes: Sequence[Outcome]) -> Plan:
    """The course that ships; it stops where the others were best, as nothing is held out to tell."""
    return Plan(
        train=tuple(teachers),
        unseen=(),
        unit="specimen",
        name="from all specimens",
        share=SHIPPED_SHARE,
        keep_at={"twin": _best_moment(outcomes)},
    )


def _best_moment(outcomes: Sequence[Outcome]) -> float:
    """Part of the twin's stage after which the networks were best on what they never saw, on average."""
    moments = []
    for outcome in outcomes:
        points = [p for p in outcome.progress.curve if p["stage"] == "twin"]
        if points:
            best = max(points, key=lambda p: p["scores"]["psnr"])
            moments.append(best["step"] / max(1, outcome.progress.steps["twin"]))
    mean = sum(moments) / len(moments) if moments else 1.0
    return 1.0 if mean > LATE else mean


def keep_outcome(path: Path, outcome: Outcome) -> None:
    """Write what a course came to, so that a resumed training need not repeat it."""
    tensors = {**named("twin", outcome.twin), **named("gan", outcome.gan)}
    save_checkpoint(path, Checkpoint(tensors, {"progress": vars(outcome.progress)}))


def kept_outcome(path: Path) -> Outcome:
    """Read what `keep_outcome` wrote."""
    kept = load_checkpoint(path)
    return Outcome(kept.part("twin"), kept.part("gan"), Progress(**kept.state["progress"]))
