"""Conditions folded into weights are the same network as conditions applied to features."""

import pytest
import torch

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.card_parts import KnownConditions, SharpnessUnder
from napari_sem_sr.model.conditioning import PREFIX, Modulation, as_tensor, convolutions, fold
from napari_sem_sr.model.generator import Generator

NOISY = Conditions(0.03, 0.08, 0.2, 0.4)


def taught(generator: Generator) -> dict[str, torch.Tensor]:
    """Weights of a generator with a modulation that does something."""
    modulation = Modulation([c.out_channels for c in convolutions(generator)])
    torch.nn.init.normal_(modulation.out.weight, std=0.05)
    told = {PREFIX + k: v for k, v in modulation.state_dict().items()}
    return {**generator.state_dict(), **told}


def by_hooks(
    generator: Generator, weights: dict[str, torch.Tensor], conditions: Conditions
) -> Generator:
    """The generator with every convolution's features scaled and shifted after it."""
    layers = list(convolutions(generator))
    modulation = Modulation([c.out_channels for c in layers])
    modulation.load_state_dict(
        {k.removeprefix(PREFIX): v for k, v in weights.items() if k.startswith(PREFIX)}
    )
    for layer, (scale, shift) in zip(layers, modulation(as_tensor(conditions)), strict=True):

        def change(_: object, __: object, out: torch.Tensor, s=scale, b=shift) -> torch.Tensor:
            return out * (1 + s[:, :, None, None]) + b[:, :, None, None]

        layer.register_forward_hook(change)
    return generator


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("conditions", [CLEAN, NOISY])
def test_folded_weights_do_what_scaled_features_do(factor: int, conditions: Conditions) -> None:
    torch.manual_seed(0)
    network = Generator(factor, 8, 2, 4)
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    weights = {k: v.clone() for k, v in taught(network).items()}
    folded = Generator(factor, 8, 2, 4)
    fold(folded, weights, conditions)
    x = torch.rand(1, 1, 12, 14)
    expected = by_hooks(network, weights, conditions)(x)
    torch.testing.assert_close(folded(x), expected, atol=1e-5, rtol=1e-4)
    assert (folded(x) - Generator(factor, 8, 2, 4)(x)).abs().max() > 1e-3


def test_weights_that_know_no_conditions_are_loaded_as_they_are() -> None:
    network = Generator(4, 8, 2, 4)
    other = Generator(4, 8, 2, 4)
    fold(other, network.state_dict(), NOISY)
    for name, value in network.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_a_modulation_that_has_not_learned_changes_nothing() -> None:
    network = Generator(4, 8, 2, 4)
    modulation = Modulation([c.out_channels for c in convolutions(network)])
    for scale, shift in modulation(as_tensor(NOISY)):
        assert not scale.any()
        assert not shift.any()


def test_the_default_sharpness_is_the_least_around_a_stack_and_never_grows_with_noise() -> None:
    table = [
        SharpnessUnder(noise=0.0, blur_px=0.0, sharpness=0.5),
        SharpnessUnder(noise=0.03, blur_px=0.0, sharpness=0.2),
        SharpnessUnder(noise=0.08, blur_px=0.0, sharpness=0.7),
    ]
    card = Card.model_construct(default_sharpness=0.9, sharpness_by_conditions=table)
    assert card.sharpness_under(CLEAN) == 0.5
    assert card.sharpness_under(Conditions(0.02, 0.02)) == 0.2
    assert card.sharpness_under(Conditions(0.2, 0.2)) == 0.2
    assert (
        Card.model_construct(default_sharpness=0.9, sharpness_by_conditions=[]).sharpness_under(
            NOISY
        )
        == 0.9
    )


def test_what_a_model_has_not_learned_is_said() -> None:
    known = KnownConditions(noise=0.2, line_correlation=0.5, blur_px=0.9)
    assert known.outside(NOISY) is None
    assert "noise" in (known.outside(Conditions(0.3, 0.3)) or "")
    assert "blur" in (known.outside(Conditions(blur_px=1.5)) or "")
