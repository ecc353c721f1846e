"""Few specimens: each is left out once, the model that ships learns from all, and the card says so."""

from pathlib import Path

import pytest
import torch

from napari_sem_sr.events import StageStarted, StepDone
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.training.few import are_few
from napari_sem_sr.training.trainer import iter_train, train

from .specimens import settings, teachers

SPECIMENS = ["specimen 0", "specimen 1", "specimen 2"]


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three specimens, trained without interruption."""
    out = tmp_path_factory.mktemp("in turn") / "model"
    train(teachers(3), settings(), out)
    return out


def test_two_to_five_specimens_are_few() -> None:
    assert [n for n in range(1, 9) if are_few(teachers(n))] == [2, 3, 4, 5]


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
    resumed = train(teachers(3), plan, out, resume=True)
    whole = load_bundle(through)
    assert resumed.card.scores == whole.card.scores
    for which in ("twin", "gan"):
        for name, weights in whole.weights[which].items():
            assert torch.equal(weights, resumed.weights[which][name])
