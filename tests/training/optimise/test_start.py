"""A training may start from a model: from both of its networks, under the conditions it is for."""

import pytest
import torch

from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.noise_steps import DetectorNoise
from napari_sem_sr.degradation.steps import AreaAverage
from napari_sem_sr.errors import TrainingError
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.conditioning import PREFIX, Modulation, convolutions
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.training.optimise.learner import START_RATE, Learner
from napari_sem_sr.training.optimise.precision import fabric_for
from napari_sem_sr.training.optimise.start import Start, bundled_start, fits, settings_for
from napari_sem_sr.training.settings import TrainSettings
from tests.inference.specimens import ARCHITECTURE, model, network

NOISY = Degradation(steps=(AreaAverage(), DetectorNoise(black=0.05, white=0.1)))
CPU = torch.device("cpu")


def conditioned() -> Model:
    """A model of random networks that do another thing under other conditions."""
    weights = {}
    for which, seed in (("gan", 1), ("twin", 2)):
        generator = network(4, seed)
        modulation = Modulation([c.out_channels for c in convolutions(generator)])
        torch.nn.init.normal_(modulation.out.weight, std=0.1)
        told = {PREFIX + k: v for k, v in modulation.state_dict().items()}
        weights[which] = {**generator.state_dict(), **told}
    plain = model()
    card = plain.card.model_copy(update={"sharpness_by_conditions": []})
    return Model(card, weights, {}, "blake2b:conditioned", plain.path)


def settings(**changes) -> TrainSettings:
    return TrainSettings(**{"epochs": 1, "architecture": ARCHITECTURE, **changes})


def test_both_networks_are_taken_as_they_are_under_the_noise_that_is_learned_for() -> None:
    given = conditioned()
    start = Start.of(given, settings(degradation=NOISY))
    clean = Start.of(given, settings())
    assert not torch.equal(start.twin["head.weight"], clean.twin["head.weight"])
    under = given.under(NOISY.conditions)
    torch.testing.assert_close(start.twin["head.weight"], under.weights["twin"]["head.weight"])
    gan = start.twin["tail.weight"] + start.beyond["tail.weight"]
    torch.testing.assert_close(gan, under.weights["gan"]["tail.weight"])


def test_the_srgan_begins_sharp_and_the_learning_is_gentle() -> None:
    start = Start.of(model(), settings())
    learner = Learner(settings(), fabric_for(CPU, 1, "fp32"))
    learner.begin_from(start)
    assert learner._rate_factor == START_RATE
    twin = {k: v + 0.01 for k, v in learner.averaged_weights().items()}
    learner.begin_gan(twin)
    begun = learner.averaged_weights()
    torch.testing.assert_close(
        begun["head.weight"], twin["head.weight"] + start.beyond["head.weight"]
    )
    torch.testing.assert_close(learner.twin["head.weight"], twin["head.weight"])


def test_from_chance_the_srgan_begins_as_its_twin() -> None:
    learner = Learner(settings(), fabric_for(CPU, 1, "fp32"))
    twin = learner.averaged_weights()
    learner.begin_gan(twin)
    for name, value in learner.averaged_weights().items():
        assert torch.equal(value, twin[name])


def test_a_model_of_another_make_is_refused() -> None:
    with pytest.raises(TrainingError, match="another factor or architecture"):
        Start.of(model(), settings(factor=2))


def test_the_bundled_model_of_the_factor_is_taken_unless_another_architecture_was_asked_for() -> (
    None
):
    found, adapted = bundled_start(TrainSettings(epochs=1))
    assert found is not None and found.card.name == "sem-x4"
    assert adapted.architecture == load_model("sem-x4").card.architecture
    assert fits(found, adapted)
    own = settings()
    assert bundled_start(own) == (None, own)
    assert bundled_start(TrainSettings(epochs=1, factor=3))[0] is None


@pytest.mark.parametrize("name", ["sem-x4", "sem-x4-fast", "sem-x2", "sem-x8"])
def test_a_model_that_is_named_gives_factor_and_architecture(name: str) -> None:
    named = load_model(name)
    adapted = settings_for(named, TrainSettings(epochs=1))
    assert fits(named, adapted)
    assert adapted.epochs == 1
    with pytest.raises(TrainingError, match=f"'{name}' has another factor"):
        settings_for(named, TrainSettings(epochs=1, factor=3))
