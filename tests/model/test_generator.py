"""The generator: sizes, reach, and what an untrained one does."""

import pytest
import torch

from napari_sem_sr.model.generator import SHUFFLES, Generator, bicubic


def randomised(factor: int) -> Generator:
    """A small generator whose every weight matters."""
    torch.manual_seed(0)
    network = Generator(factor, channels=4, blocks=2, tail_channels=4).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.normal_(0, 0.3)
    return network


@pytest.mark.parametrize("factor", sorted(SHUFFLES))
def test_output_is_factor_times_as_large(factor: int) -> None:
    assert randomised(factor)(torch.rand(2, 1, 7, 11)).shape == (2, 1, 7 * factor, 11 * factor)


def test_other_factors_are_refused() -> None:
    with pytest.raises(ValueError, match="factor 5"):
        Generator(5)


def test_an_untrained_generator_is_close_to_bicubic() -> None:
    image = torch.rand(1, 1, 32, 32)
    difference = Generator(4)(image) - bicubic(image, 4)
    assert difference.abs().max() < 0.02


@pytest.mark.parametrize("factor", sorted(SHUFFLES))
def test_nothing_beyond_its_reach_changes_a_pixel_and_something_at_its_reach_does(
    factor: int,
) -> None:
    network = randomised(factor).double()
    side = 2 * network.reach + 9
    centre = side // 2
    image = torch.rand(1, 1, side, side, dtype=torch.float64)
    inside = slice(centre * factor, (centre + 1) * factor)

    def sr_of_centre_after_change_at(distance: int) -> torch.Tensor:
        changed = image.clone()
        changed[..., centre - distance, :] += 1
        changed[..., centre + distance, :] += 1
        return network(changed)[..., inside, inside]

    reference = network(image)[..., inside, inside]
    assert torch.equal(sr_of_centre_after_change_at(network.reach + 1), reference)
    # the stated reach is not wasteful by more than the rounding of each shuffle
    slack = len(SHUFFLES[factor]) + 1
    assert not torch.equal(sr_of_centre_after_change_at(network.reach - slack), reference)
