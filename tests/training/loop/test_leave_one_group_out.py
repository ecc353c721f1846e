"""Few specimens: each is left out once, the model that ships learns from all, and the card says so."""

from pathlib import Path

import pytest
import torch

from napari_sem_sr.events import StageStarted, StepDone
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.training.budget import TrainingProgress
from napari_sem_sr.training.data.few_specimens import leaves_one_group_out
from napari_sem_sr.training.finish.finish import FINISHING_SHARE
from napari_sem_sr.training.finish.outcome import Outcome
from napari_sem_sr.training.loop.leave_one_group_out import (
    fold_of_all,
    leave_one_group_out_folds,
    unjudged,
)
from napari_sem_sr.training.loop.training_run import TrainingRun
from napari_sem_sr.training.trainer import iter_train, train
from tests.training.specimens import settings, teachers

SPECIMENS = ["specimen 0", "specimen 1", "specimen 2"]


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three specimens, trained without interruption."""
    out = tmp_path_factory.mktemp("in turn") / "model"
    train(teachers(3), settings(), out)
    return out


def test_two_to_five_specimens_are_few() -> None:
    assert [n for n in range(1, 9) if leaves_one_group_out(teachers(n))] == [2, 3, 4, 5]


def test_the_card_says_that_scores_come_from_networks_that_left_the_specimen_out(
    through: Path,
) -> None:
    card = load_bundle(through).card
    assert card.teachers.left_out_in_turn
    assert card.teachers.groups.train == SPECIMENS
    assert card.teachers.count == 3
    assert sorted(s.group for s in card.scores) == SPECIMENS
    assert {p.without for p in card.training.curve} == set(SPECIMENS)
    assert "left out in turn" in card.summary()
    assert "learned from all specimens" in card.summary()


def test_most_of_a_budget_in_minutes_goes_to_the_model_that_ships() -> None:
    plans = leave_one_group_out_folds(teachers(3))
    ships = fold_of_all(teachers(3), [])
    assert sum(p.share for p in plans.values()) + ships.share == pytest.approx(1)
    assert ships.share * (1 - FINISHING_SHARE) >= 0.5, "of the whole command, scores included"
    assert len({p.share for p in plans.values()}) == 1


def outcome(epochs: list[int], psnr: list[float]) -> Outcome:
    points = [
        {"stage": "twin", "epoch": e, "step": 10 * e, "scores": {"psnr": p}}
        for e, p in zip(epochs, psnr, strict=True)
    ]
    progress = TrainingProgress(
        curve=points, epochs={"twin": epochs[-1], "gan": 0}, steps={"twin": 10 * epochs[-1], "gan": 0}
    )  # fmt: skip
    return Outcome({}, {}, progress)


def test_the_model_that_ships_is_kept_at_the_epoch_at_which_the_others_were_best() -> None:
    fallen = [outcome([10, 20, 30, 40], psnr) for psnr in ([1, 3, 2, 1], [1, 2, 3, 1])]
    assert fold_of_all(teachers(2), fallen).keep_epoch == 25
    risen = [outcome([10, 20, 30, 40], [1, 2, 3, 4])] * 2
    assert fold_of_all(teachers(2), risen).keep_epoch is None


def test_its_twin_is_that_of_that_epoch_and_not_of_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[int, torch.Tensor]] = []
    glance = TrainingRun._iter_glance

    def look(self: TrainingRun, stage: str):
        if not self._validation.hold_out:
            weights = self.learner.averaged_weights()["head.weight"]
            looks.append((self.progress.epochs[stage], weights))
        yield from glance(self, stage)

    monkeypatch.setattr(TrainingRun, "_iter_glance", look)
    monkeypatch.setattr("napari_sem_sr.training.loop.training_run.FIRST_GLANCES", range(100))
    monkeypatch.setattr("napari_sem_sr.training.loop.leave_one_group_out._best_epoch", lambda _: 2)
    model = train(teachers(3), settings(epochs=6, gan_share=0), tmp_path / "model")
    wanted = [weights for epoch, weights in looks if epoch <= 2][-1]
    twin = model.weights["twin"]["head.weight"].float()
    # bundles keep half precision
    assert torch.allclose(twin, wanted, atol=1e-3)
    assert not torch.allclose(twin, looks[-1][1], atol=1e-3)


def test_a_model_that_learned_for_much_longer_than_it_was_judged_says_so() -> None:
    short, long = outcome([10, 20], [1, 2]), outcome([10, 60], [1, 2])
    assert unjudged(long, [short, short]) == (
        "Judged after 20 epochs; the model that ships learned for 60."
    )
    assert unjudged(short, [short]) == ""


def test_the_card_says_how_long_each_network_learned(through: Path) -> None:
    training = load_bundle(through).card.training
    assert set(training.in_turn) == set(SPECIMENS)
    for tested in training.in_turn.values():
        assert tested.epochs == {"twin": 2, "gan": 2}
        assert tested.steps["twin"] > 0 and tested.seconds > 0
    assert "for 4 epochs; those that were tested, for 4" in load_bundle(through).card.summary()


def test_the_time_that_is_left_is_that_of_all_parts(tmp_path: Path) -> None:
    found = list(iter_train(teachers(3), settings(epochs=8), tmp_path / "model"))
    steps = [e for e in found if isinstance(e, StepDone)]
    seconds = [e.seconds for e in steps]
    assert seconds == sorted(seconds), "counted through all parts"
    assert steps[-1].left_s == 0
    number, first = next((n, e) for n, e in enumerate(steps, 1) if e.left_s is not None)
    # in the first quarter it sees the other parts coming, however roughly
    assert number < len(steps) / 4
    assert first.seconds + first.left_s > first.seconds * len(steps) / number / 3


def test_scores_are_those_of_the_network_without_the_specimen(
    tmp_path: Path, through: Path
) -> None:
    found = list(iter_train(teachers(3), settings(), tmp_path / "again"))
    parts = [e.part for e in found if isinstance(e, StageStarted) and e.stage == "twin"]
    assert parts == [
        *(f"without {name} ({n} of 3)" for n, name in enumerate(SPECIMENS, 1)),
        "from all specimens",
    ]
    again, first = load_bundle(tmp_path / "again"), load_bundle(through)
    assert again.card.scores == first.card.scores


def test_resumed_in_any_turn_it_equals_the_uninterrupted_one(tmp_path: Path, through: Path) -> None:
    plan = settings()
    out = tmp_path / "model"
    seen = 0
    work = iter_train(teachers(3), plan, out)
    for event in work:
        seen += isinstance(event, StageStarted)
        # in the second stage of the second turn
        if seen == 4 and isinstance(event, StepDone):
            break
    work.close()
    again = list(iter_train(teachers(3), plan, out, resume=True))
    parts = [e.part for e in again if isinstance(e, StageStarted)]
    assert f"without {SPECIMENS[0]} (1 of 3)" not in parts, "what is finished is not repeated"
    resumed = load_bundle(out)
    whole = load_bundle(through)
    assert resumed.card.scores == whole.card.scores
    for which in ("twin", "gan"):
        for name, weights in whole.weights[which].items():
            assert torch.equal(weights, resumed.weights[which][name])
