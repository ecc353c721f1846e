"""Few specimens: each is left out once to be tested on, and the model that ships learns from all.

Leave-one-group-out cross-validation (Stone 1974). The scores are those of networks that never saw the specimen in
question, so they are honest; the model that ships saw one specimen more, learned for longer where the budget is in
minutes, and is, if anything, better. How long each learned is on the card.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from napari_sem_sr.model.checkpoint import (
    Checkpoint,
    load_checkpoint,
    named,
    save_checkpoint,
)
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.budget import TrainingProgress
from napari_sem_sr.training.finish.outcome import Outcome
from napari_sem_sr.training.loop.fold import Fold

# Part of the learning that the model that ships gets of a budget in minutes, more than half of the whole even after
# the scores have had their share; the networks that are only tested share the rest.
SHIPPED_SHARE = 0.6
# Learning this many times as long as what was judged is worth a sentence.
MUCH_LONGER = 1.25
# A best moment this late is the end: there is nothing to be stopped early.
LATE = 0.8


def leave_one_group_out_folds(teachers: Sequence[Teacher]) -> dict[str, Fold]:
    """One fold for each specimen, by its name, in which it is left out.

    Parameters
    ----------
    teachers
        With their specimens.
    """
    groups = sorted({t.group for t in teachers})
    return {
        group: Fold(
            train=tuple(t for t in teachers if t.group != group),
            unseen=tuple(t for t in teachers if t.group == group),
            unit="specimen",
            name=f"without {group} ({number} of {len(groups)})",
            share=(1 - SHIPPED_SHARE) / len(groups),
        )
        for number, group in enumerate(groups, 1)
    }


def fold_of_all(teachers: Sequence[Teacher], outcomes: Sequence[Outcome]) -> Fold:
    """The run that ships; it stops where the others were best, as nothing is held out to tell.

    Parameters
    ----------
    teachers
        With their specimens.
    outcomes
        Of the runs that left one out.
    """
    return Fold(
        train=tuple(teachers),
        unseen=(),
        unit="specimen",
        name="from all specimens",
        share=SHIPPED_SHARE,
        keep_epoch=_best_epoch(outcomes),
    )


def _best_epoch(outcomes: Sequence[Outcome]) -> int | None:
    """Epoch at which the twins were best on what they never saw, on average; None where that is their end.

    In epochs, not as a part of the budget: what is overfitted follows from how often each teacher was shown.
    """
    moments, epochs = [], []
    for outcome in outcomes:
        points = [p for p in outcome.progress.curve if p["stage"] == "twin"]
        if points:
            best = max(points, key=lambda p: p["scores"]["psnr"])
            moments.append(best["step"] / max(1, outcome.progress.steps["twin"]))
            epochs.append(best["epoch"])
    if not moments or fmean(moments) > LATE:
        return None
    return round(fmean(epochs))


def unjudged(shipped: Outcome, outcomes: Sequence[Outcome]) -> str:
    """A sentence where the model that ships learned for much longer than the networks it is judged by, else "".

    Parameters
    ----------
    shipped
        Of the run that ships.
    outcomes
        Of the runs that left one out.
    """
    epochs = sum(shipped.progress.epochs.values())
    judged = max(sum(o.progress.epochs.values()) for o in outcomes)
    if epochs <= MUCH_LONGER * judged:
        return ""
    return f"Judged after {judged} {'epoch' if judged == 1 else 'epochs'}; the model that ships learned for {epochs}."


def keep_outcome(path: Path, outcome: Outcome) -> None:
    """Write what a run came to, so that a resumed training need not repeat it.

    Parameters
    ----------
    path
        File to write.
    outcome
        Of a run.
    """
    tensors = {**named("twin", outcome.twin), **named("gan", outcome.gan)}
    save_checkpoint(path, Checkpoint(tensors, {"progress": vars(outcome.progress)}))


def kept_outcome(path: Path) -> Outcome:
    """Read what `keep_outcome` wrote.

    Parameters
    ----------
    path
        File that `keep_outcome` wrote.
    """
    kept = load_checkpoint(path)
    return Outcome(kept.part("twin"), kept.part("gan"), TrainingProgress(**kept.state["progress"]))
