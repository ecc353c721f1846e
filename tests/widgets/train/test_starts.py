"""What the dock Train offers to start from."""

from dataclasses import replace

from napari_sem_sr.model.card import Architecture
from napari_sem_sr.model.zoo import Entry, list_models
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.widgets.train.starts import beginnings, fitted
from napari_sem_sr.widgets.words import tr

CHANCE = tr("nothing (chance)")


def installed() -> list[Entry]:
    own = next(e for e in list_models() if e.name == "sem-x4")
    return [replace(own, name="mine", bundled=False), *list_models()]


def test_the_bundled_model_of_the_factor_comes_first_then_ones_own_and_chance_last() -> None:
    found = beginnings(installed(), 4)
    names = [b.entry.name if b.entry else None for b in found]
    assert names[:2] == ["sem-x4", "mine"] and names[-1] is None
    assert found[0].label == tr("{name} (recommended)", name="sem-x4")
    assert found[-1].label == CHANCE


def test_models_of_another_factor_are_not_offered() -> None:
    for factor in (2, 4, 8):
        offered = [b.entry for b in beginnings(installed(), factor) if b.entry is not None]
        assert offered and {e.card.factor for e in offered} == {factor}


def test_without_a_bundled_model_of_the_factor_chance_is_what_is_usual() -> None:
    own = [e for e in installed() if e.name == "mine"]
    assert [b.entry for b in beginnings(own, 4)] == [None, own[0]]


def test_where_no_model_has_the_factor_there_is_only_chance() -> None:
    assert [b.label for b in beginnings(installed(), 3)] == [CHANCE]


def test_settings_take_the_architecture_of_what_is_started_from() -> None:
    settings = TrainSettings(factor=4, epochs=1, architecture=Architecture(channels=8, blocks=1))
    first, *_, chance = beginnings(installed(), 4)
    assert first.entry is not None
    assert fitted(settings, first).architecture == first.entry.card.architecture
    assert fitted(settings, chance) == settings
