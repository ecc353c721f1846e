"""An axial model goes to one file and comes back."""

from pathlib import Path

import pytest
import torch

from napari_sem_sr.axial.bundle import (
    AxialCard,
    AxialModel,
    Companion,
    load_axial_model,
    save_axial_model,
)
from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.errors import ModelError, OutputError

CARD = AxialCard(
    ratio=4.0,
    section="thin",
    channels=4,
    blocks=1,
    leave_out=2,
    steps={"volume": 3},
    seed=0,
    source_name="s",
    source_hash="h",
    software_version="0",
)


def model() -> AxialModel:
    torch.manual_seed(0)
    return AxialModel(CARD, {"volume": AxialGenerator(4, 4, 1).state_dict()})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save_axial_model(tmp_path / "axial.safetensors", model())
    loaded = load_axial_model(tmp_path / "axial.safetensors")
    assert loaded.content_hash == model().content_hash
    x = torch.rand(1, 1, 6, 20)
    assert torch.equal(loaded.network("volume")(x), model().network("volume")(x))


def test_a_volume_leads_to_its_model(tmp_path: Path) -> None:
    companion = Companion.of(tmp_path / "volume.zarr")
    companion.make()
    save_axial_model(companion.model, model())
    (tmp_path / "volume.zarr").mkdir()
    assert load_axial_model(tmp_path / "volume.zarr").card == CARD
    assert load_axial_model(companion.folder).card == CARD


def test_a_model_for_another_spacing_is_refused() -> None:
    model().check_fits(AxialGrid(9, 4.02))
    with pytest.raises(ModelError, match="4 pixels apart and these are 3"):
        model().check_fits(AxialGrid(9, 3.0))


@pytest.mark.parametrize(
    "content", [b"", b"not a model", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "]
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="damaged or is not one"):
        load_axial_model(tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="no axial model"):
        load_axial_model(tmp_path / "b.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    weights = dict(model().weights["volume"])
    weights["tail.bias"] = torch.full((4,), torch.nan)
    save_axial_model(tmp_path / "a.safetensors", AxialModel(CARD, {"volume": weights}))
    with pytest.raises(ModelError, match="no usable weights"):
        load_axial_model(tmp_path / "a.safetensors")


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    companion = Companion.of(tmp_path / "volume.zarr")
    companion.folder.mkdir()
    (companion.folder / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else"):
        companion.make()
    assert (companion.folder / "thesis.txt").read_text() == "mine"
