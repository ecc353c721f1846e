"""Learning within a budget, kept so that a killed run goes on where it was."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from napari_sem_sr.axial.bundle import Which
from napari_sem_sr.axial.learn.learner import AxialLearner
from napari_sem_sr.events import CheckpointSaved, Event, StageStarted, StepDone
from napari_sem_sr.model.checkpoint import load_checkpoint, save_checkpoint

# Seconds of learning that a kill may cost at most.
SAVED_EVERY_S = 30.0


@dataclass(frozen=True)
class LearningTime:
    """How long a network learns: ``steps``, or ``seconds`` where that is None; ``after_s`` is what follows it."""

    steps: int | None
    seconds: float
    after_s: float = 0.0

    def progress(self, step: int, seconds: float) -> float:
        """Part that is done, 0 to 1.

        Parameters
        ----------
        step
            Steps so far.
        seconds
            Seconds so far.
        """
        done = seconds / self.seconds if self.steps is None else step / self.steps
        return min(1.0, done)


@dataclass
class Lesson:
    """Where learning stands: weights of the networks that are done, and the seconds all of it took.

    Parameters
    ----------
    path
        File in which it is kept.
    done
        Weights by network, then by name, any shape.
    steps
        By network.
    seconds
        Of all learning so far.
    """

    path: Path
    done: dict[Which, dict[str, Tensor]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def save(self, which: Which, learner: AxialLearner, spent: float) -> None:
        """Write everything from which `resume` goes on.

        Parameters
        ----------
        which
            The network that learns.
        learner
            As it stands.
        spent
            Seconds of all learning so far.
        """
        checkpoint = learner.checkpoint(
            {"which": which, "spent": spent, "seconds": self.seconds, "steps": self.steps}
        )
        tensors = dict(checkpoint.tensors)
        for name, weights in self.done.items():
            tensors |= {f"{name}.{k}": v for k, v in weights.items()}
        save_checkpoint(self.path, type(checkpoint)(tensors, checkpoint.state))

    def resume(self, which: Which, learner: AxialLearner) -> float:
        """Put ``learner`` where an earlier run left it, if it had come to ``which``; returns seconds spent on it."""
        if not self.path.exists():
            return 0.0
        checkpoint = load_checkpoint(self.path)
        if checkpoint.state["which"] != which:
            return 0.0
        learner.restore(checkpoint)
        return float(checkpoint.state["spent"])

    @classmethod
    def reopen(cls, path: Path) -> "Lesson":
        """Learning as an earlier run left it; from the start where it left nothing.

        Parameters
        ----------
        path
            File in which it is kept.
        """
        if not path.exists():
            return cls(path)
        checkpoint = load_checkpoint(path)
        state: Mapping[str, Any] = checkpoint.state
        parts: tuple[Which, ...] = ("test", "volume")
        done = {which: checkpoint.part(which) for which in parts if checkpoint.part(which)}
        return cls(path, done, dict(state["steps"]), float(state["seconds"]))

    def remove(self) -> None:
        """Forget it; what was learned is in the model."""
        self.path.unlink(missing_ok=True)


def iter_learn(
    lesson: Lesson, which: Which, learner: AxialLearner, budget: LearningTime
) -> Generator[Event, None, None]:
    """Learn until the budget is used up; the weights are in ``lesson.done`` then.

    Parameters
    ----------
    lesson
        Where learning stands.
    which
        The network that learns.
    learner
        Network, optimiser and patches.
    budget
        How long it may take.

    Yields
    ------
    `StepDone` after each step and `CheckpointSaved`.
    """
    spent = lesson.resume(which, learner)
    yield StageStarted(which, 0, 0)
    begun = saved = time.perf_counter()
    before = spent
    while (progress := budget.progress(learner.step, spent)) < 1:
        loss = learner.advance(progress)
        now = time.perf_counter()
        spent = before + now - begun
        left = _left(budget, learner.step, spent)
        yield StepDone(
            which,
            0,
            learner.step,
            budget.progress(learner.step, spent),
            lesson.seconds + spent,
            learner.pixels,
            {"pixel": loss},
            None,
            left,
        )
        if now - saved > SAVED_EVERY_S:
            lesson.save(which, learner, spent)
            saved = time.perf_counter()
            yield CheckpointSaved(lesson.path, learner.step)
    lesson.done[which] = learner.weights()
    lesson.steps[which] = learner.step
    lesson.seconds += spent
    lesson.save(which, learner, spent)
    yield CheckpointSaved(lesson.path, learner.step)


def _left(budget: LearningTime, step: int, spent: float) -> float:
    if budget.steps is None:
        return max(0.0, budget.seconds - spent) + budget.after_s
    return spent / step * max(0, budget.steps - step) + budget.after_s
