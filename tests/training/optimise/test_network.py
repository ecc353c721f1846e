"""The generator in the form in which it learns."""

import pytest
import torch

from napari_sem_sr.model.generator import SHUFFLES, Generator
from napari_sem_sr.training.optimise.network import LearningGenerator


@pytest.mark.parametrize("factor", SHUFFLES)
def test_it_gives_the_pixels_and_the_gradients_of_the_generator(factor: int) -> None:
    torch.manual_seed(0)
    written = Generator(factor, channels=8, blocks=1, tail_channels=6).double()
    with torch.no_grad():
        written.tail.weight.mul_(100)  # else almost all is the bicubic skip
        written.tail.bias.fill_(0.3)
    learning = LearningGenerator(factor, channels=8, blocks=1, tail_channels=6).double()
    learning.load_state_dict(written.state_dict())
    lr = torch.rand(2, 1, 7, 9, dtype=torch.float64)
    torch.testing.assert_close(learning(lr), written(lr))
    for network in (written, learning):
        network(lr).square().sum().backward()
    for name, wanted in written.named_parameters():
        torch.testing.assert_close(learning.get_parameter(name).grad, wanted.grad, msg=name)
