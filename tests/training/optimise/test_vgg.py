"""The perceptual loss: only from weights that were given, and never from a file that is something else."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from napari_sem_sr.errors import TrainingError
from napari_sem_sr.events import StepDone
from napari_sem_sr.training.optimise.vgg import VggFeatures, load_vgg
from napari_sem_sr.training.trainer import iter_train
from tests.training.specimens import settings, teachers


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG19 as torchvision names its parts, untrained, with a classifier that nobody needs here."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    save_file({**VggFeatures().state_dict(), "classifier.0.bias": torch.zeros(1)}, path)
    return path


def test_the_layers_are_numbered_as_torchvisions(weights: Path) -> None:
    names = VggFeatures().state_dict()
    assert "features.0.weight" in names and "features.34.weight" in names
    assert len(names) == 32


def test_equal_pictures_have_no_loss_and_shuffled_ones_have(weights: Path) -> None:
    network = load_vgg(weights)
    image = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert network(image).shape == (2, 512, 2, 2)
    assert network.loss(image, image) == 0
    assert network.loss(image.flip(0), image) > 0


def test_torchvisions_own_file_is_read_too(weights: Path, tmp_path: Path) -> None:
    torch.save(load_vgg(weights).state_dict(), tmp_path / "vgg19.pth")
    a, b = (load_vgg(p).state_dict() for p in (weights, tmp_path / "vgg19.pth"))
    assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize(
    "content", [b"nonsense", b"", pickle.dumps({"features": Path("anything that is no tensor")}, 2)]
)
def test_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vgg19.pth"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="VGG19"):
        load_vgg(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(TrainingError, match="torchvision"):
        load_vgg(tmp_path / "other.safetensors")


def test_the_srgan_stage_uses_it(weights: Path, tmp_path: Path) -> None:
    work = iter_train(teachers(), settings(epochs=2, vgg=weights), tmp_path / "model")
    for event in work:
        if isinstance(event, StepDone) and event.stage == "gan":
            assert event.losses["vgg"] > 0
            break
    work.close()
