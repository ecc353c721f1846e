"""Trainings that lose their way: found, brought back, and given up in the end with a reason."""

import math
from pathlib import Path

import pytest
import torch

from napari_sem_sr.errors import TrainingError
from napari_sem_sr.events import Notice, StepDone
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.training.loop import training_run
from napari_sem_sr.training.optimise import losses
from napari_sem_sr.training.optimise.learner import Learner
from napari_sem_sr.training.trainer import iter_train, train
from napari_sem_sr.training.validation import divergence_monitor
from napari_sem_sr.training.validation.divergence_monitor import DivergenceMonitor
from tests.training.specimens import settings, teachers


def reasons(steps: list[dict[str, float]], contrast: float = 1.0) -> list[str]:
    watch = DivergenceMonitor()
    found = [watch.reason(losses, contrast) for losses in steps]
    return [reason for reason in found if reason]


def test_a_usual_course_has_nothing_wrong_with_it() -> None:
    twin = [{"pixel": 0.1 * math.exp(-n / 50) + 0.02} for n in range(1000)]
    gan = [{"pixel": 0.03, "discriminator": 1.2 + 0.2 * math.sin(n)} for n in range(1000)]
    assert reasons(twin) == reasons(gan) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_found_at_once(bad: float) -> None:
    assert "finite" in reasons([{"pixel": bad}])[0]


def test_an_exploding_generator_is_found() -> None:
    steps = [{"pixel": 0.02}] * 100 + [{"pixel": 0.9}] * 60
    assert "far away" in reasons(steps)[0]


def test_one_wild_step_is_not_taken_for_an_explosion() -> None:
    assert reasons([{"pixel": 0.02}] * 100 + [{"pixel": 0.5}] + [{"pixel": 0.02}] * 100) == []


def test_a_collapsed_generator_is_found() -> None:
    assert "collapsed" in reasons([{"pixel": 0.05}] * 60, contrast=0.1)[0]


def test_a_discriminator_that_diverged_or_is_never_in_doubt_is_found() -> None:
    diverged = [{"pixel": 0.02, "discriminator": 60.0}] * 60
    certain = [{"pixel": 0.02, "discriminator": 1e-4}] * 500
    assert "diverged" in reasons(diverged)[0]
    assert "never in doubt" in reasons(certain)[0]
    assert reasons(certain[:200]) == [], "for a short time that is usual"


class Fault:
    """Makes the pixel loss NaN at the given calls."""

    def __init__(self, at: set[int]) -> None:
        self.at, self.calls, self.real = at, 0, losses.pixel_loss

    def __call__(self, sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        loss = self.real(sr, hr)
        return loss * float("nan") if self.calls in self.at else loss


def test_training_goes_back_after_a_nan_with_half_the_rate_and_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "FIRST_GLANCES", (5,))
    monkeypatch.setattr("napari_sem_sr.training.optimise.losses.pixel_loss", Fault({8, 20}))
    sixth: list[tuple[torch.Tensor, float]] = []
    advance = Learner.advance

    def watched(self: Learner, *arguments: object) -> dict[str, float]:
        before = self._network.head.weight.detach().clone()
        found = advance(self, *arguments)
        if self.stage == "twin" and self.step == 6:
            sixth.append((before, self._optimizer.param_groups[0]["lr"]))
        return found

    monkeypatch.setattr(Learner, "advance", watched)
    found = list(iter_train(teachers(), settings(epochs=12), tmp_path / "model"))
    notices = [e.message for e in found if isinstance(e, Notice) and "went back" in e.message]
    assert len(notices) == 2
    assert "not a finite number" in notices[0]
    assert "went back to step 5" in notices[0]
    assert "half the learning rate" in notices[0]
    steps = [e.step for e in found if isinstance(e, StepDone)]
    assert steps[6] == 7 and steps[7] == 6, "steps are counted from where it went back to"
    (first, rate), (second, halved) = sixth[:2]
    assert torch.equal(first, second), "with the weights it had there"
    assert halved == pytest.approx(rate / 2)
    model = load_bundle(tmp_path / "model")
    for which in ("twin", "gan"):
        assert all(torch.isfinite(v).all() for v in model.weights[which].values())


def test_weights_that_become_nan_never_reach_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Learner.advance
    poisoned = False

    def poison(self: Learner, *arguments: object) -> dict[str, float]:
        nonlocal poisoned
        found = advance(self, *arguments)
        if self.step == 4 and not poisoned:
            poisoned = True
            with torch.no_grad():
                next(self._network.parameters()).fill_(float("nan"))
        return found

    monkeypatch.setattr(Learner, "advance", poison)
    out = tmp_path / "model"
    work = iter_train(teachers(), settings(epochs=12), out)
    for event in work:
        if isinstance(event, StepDone) and event.step == 4:
            break
    work.close()
    model = train(teachers(), settings(epochs=12), out, resume=True)
    assert all(torch.isfinite(v).all() for v in model.weights["twin"].values())


def test_a_training_that_cannot_be_saved_from_itself_is_given_up_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergence_monitor, "WINDOW", 2)
    monkeypatch.setattr(
        "napari_sem_sr.training.optimise.losses.discriminator_loss",
        lambda hr, sr: (hr.mean() - sr.mean()) * 0 + 100.0,
    )
    found: list[str] = []
    with pytest.raises(TrainingError, match="the discriminator diverged, and again"):
        for event in iter_train(teachers(), settings(epochs=30), tmp_path / "model"):
            if isinstance(event, Notice):
                found.append(event.message)
    assert len(found) == training_run.MAX_RETRIES
    assert not (tmp_path / "model").exists()
