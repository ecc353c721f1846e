"""What a model is given away with is what upscaling the stack would use."""

from pathlib import Path

import pytest

from napari_sem_sr.degradation.conditions import CLEAN
from napari_sem_sr.errors import InputError
from napari_sem_sr.exchange.freeze import freeze
from napari_sem_sr.inference.conditions import settle_conditions
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.samples import tin_pair


def test_for_a_stack_it_is_settled_as_upscaling_it_would() -> None:
    lr, _ = tin_pair()
    model = load_model("sem-x4")
    frozen, _ = freeze(model, UpscaleSettings(), lr)
    intensity = stack_range(lr)
    assert frozen.intensity == intensity
    assert (
        frozen.conditions == settle_conditions(lr, model, UpscaleSettings(), intensity).conditions
    )
    assert frozen.conditions.noise > 0
    assert frozen.sharpness == model.under(frozen.conditions).default_sharpness


def test_typed_noise_is_in_the_greys_of_the_range() -> None:
    frozen, _ = freeze(load_model("sem-x4"), UpscaleSettings(noise=10.0), None, (0.0, 200.0))
    assert frozen.conditions.noise == pytest.approx(0.05)


def test_noise_without_a_range_is_refused() -> None:
    with pytest.raises(InputError, match="--range"):
        freeze(load_model("sem-x4"), UpscaleSettings(noise=10.0))


def test_a_model_that_knows_no_conditions_is_given_away_as_it_is(bundle: Path) -> None:
    frozen, notices = freeze(load_model(bundle), UpscaleSettings())
    assert (frozen.conditions, frozen.intensity, notices) == (CLEAN, None, ())
    assert frozen.sharpness == 0.5
