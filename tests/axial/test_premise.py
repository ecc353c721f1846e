"""Depth is compared with the slices."""

import numpy as np
import pytest

from napari_sem_sr.axial.premise import compare_directions
from tests.axial.specimens import volume


def warning(whole: np.ndarray, ratio: float) -> str | None:
    found = compare_directions(lambda k: whole[k], len(whole), ratio)
    assert found is not None
    return found.warning


@pytest.mark.parametrize("seed", range(3))
def test_a_material_that_is_the_same_in_every_direction_is_no_concern(seed: int) -> None:
    assert warning(volume((121, 100, 100), seed)[::4], 4.0) is None


@pytest.mark.parametrize("true_ratio", [2, 8])
def test_a_slice_spacing_that_is_wrong_is_noticed(true_ratio: int) -> None:
    found = warning(volume((20 * true_ratio, 100, 100))[::true_ratio], 4.0)
    assert found is not None
    assert ("as long" if true_ratio == 2 else "shorter") in found


def test_layers_are_noticed() -> None:
    layers = np.repeat(volume((60, 1, 1)), 100, axis=1).repeat(100, axis=2)
    layers = layers + np.random.default_rng(0).integers(0, 9, layers.shape).astype(np.uint8)
    assert warning(layers, 2.0) is not None


def test_slices_that_do_not_lie_over_each_other_are_noticed() -> None:
    whole = volume((60, 120, 120))[::2]
    random = np.random.default_rng(0)
    jumping = np.stack([np.roll(s, random.integers(-9, 10, 2), (0, 1)) for s in whole])
    assert warning(jumping, 2.0) is not None


def test_a_few_slices_say_nothing() -> None:
    assert compare_directions(lambda k: volume((7, 60, 60))[k], 7, 4.0) is None
