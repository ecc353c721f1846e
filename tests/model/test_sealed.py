"""A flipped byte in a file that training continues from is noticed, wherever it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from napari_sem_sr.errors import TrainingError
from napari_sem_sr.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from napari_sem_sr.model.sealed import sealed, unsealed


def test_a_sealed_file_is_a_safetensors_file_with_the_same_numbers() -> None:
    arrays = {"a": np.arange(5.0), "b": np.ones((2, 3), np.int16)}
    content = sealed(save(arrays, {"said": "this"}))
    assert unsealed(content)["said"] == "this"
    for name, array in load(content).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_any_byte_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, Checkpoint({"w": torch.arange(6.0)}, {"step": 3, "loss": 0.1}))
    whole = path.read_bytes()
    assert load_checkpoint(path).state == {"step": 3, "loss": 0.1}
    for place in range(len(whole)):
        for bit in (0x01, 0x80):
            damaged = bytearray(whole)
            damaged[place] ^= bit
            path.write_bytes(damaged)
            try:
                same = load_checkpoint(path)
            except TrainingError as error:
                assert "\n" not in str(error)
            else:
                # white space between header and numbers means nothing
                assert same.state == {"step": 3, "loss": 0.1}
                assert torch.equal(same.tensors["w"], torch.arange(6.0))


def test_a_file_that_was_cut_off_or_never_sealed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, Checkpoint({"w": torch.arange(6.0)}, {}))
    for content in (b"", path.read_bytes()[:-1], save({"w": np.arange(6.0)}, {"state": "{}"})):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="damaged"):
            load_checkpoint(path)
