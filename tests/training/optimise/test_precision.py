"""In which precision networks learn."""

import pytest
import torch
from torch import Tensor, nn

from napari_sem_sr.errors import InputError
from napari_sem_sr.training.optimise.precision import fabric_for, pick_precision

CPU = torch.device("cpu")


class _Spy(nn.Module):
    """Hands out what it was given, and a convolution of it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, self.layer(image)


def test_in_bf16_images_stay_exact_and_features_stay_small() -> None:
    network = _Spy()
    module, _ = fabric_for(CPU, 1, "bf16").setup(network, torch.optim.Adam(network.parameters()))
    image = torch.rand(1, 1, 8, 8)
    given, features = module(image)
    assert torch.equal(given, image)
    assert features.dtype == torch.bfloat16
    assert network.layer.weight.dtype == torch.float32


def test_in_fp32_all_is_fp32() -> None:
    network = _Spy()
    module, _ = fabric_for(CPU, 1, "fp32").setup(network, torch.optim.Adam(network.parameters()))
    assert module(torch.rand(1, 1, 8, 8))[1].dtype == torch.float32


def test_what_was_asked_for_is_taken() -> None:
    assert pick_precision("fp32", CPU) == "fp32"
    assert pick_precision("bf16", CPU) == "bf16"
    assert pick_precision("auto", CPU) in {"fp32", "bf16"}


def test_several_devices_compute_in_fp32() -> None:
    # the threads of DataParallel do not know of bf16
    assert pick_precision("auto", torch.device("cuda"), 2) == "fp32"
    with pytest.raises(InputError, match="Several devices train in fp32"):
        pick_precision("bf16", torch.device("cuda"), 2)


def test_more_gpus_than_there_are_are_refused() -> None:
    with pytest.raises(InputError, match="ask for fewer"):
        fabric_for(CPU, 2, "fp32")
