"""Typed voxel sizes are kept by what a file is."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sem_sr.geometry import spoken_length, spoken_voxel, with_typed
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.metadata import typed


@pytest.fixture(autouse=True)
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home" / "typed_sizes.json"
    monkeypatch.setattr(typed, "kept_in", lambda: path)
    return path


def write(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    data = np.random.default_rng(seed).integers(0, 255, (3, 20, 30), np.uint8)
    tifffile.imwrite(path, data, photometric="minisblack", metadata=None)
    return path


def test_typed_numbers_come_back_and_only_those(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "stack.tif")
    typed.keep_typed(with_typed(read_stack(path), (20.0, None, None), 38.0))
    again = typed.with_kept(read_stack(path))
    assert again.voxel_nm == (20.0, None, None)
    assert again.tilt_deg == 38.0
    assert again.sources.z == "typed"


def test_they_follow_a_file_that_is_moved_and_not_one_of_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "stack.tif")
    typed.keep_typed(with_typed(read_stack(path), (20.0, 5.0, 5.0)))
    (tmp_path / "b").mkdir()
    path.rename(tmp_path / "b" / "stack.tif")
    other = write(tmp_path / "a" / "stack.tif", seed=1)
    assert typed.with_kept(read_stack(tmp_path / "b" / "stack.tif")).voxel_nm == (20.0, 5.0, 5.0)
    assert typed.with_kept(read_stack(other)).voxel_nm == (None, None, None)


def test_they_are_forgotten_when_nothing_is_typed_any_more(tmp_path: Path, kept_in: Path) -> None:
    path = write(tmp_path / "a" / "stack.tif")
    typed.keep_typed(with_typed(read_stack(path), (20.0, 5.0, 5.0)))
    typed.keep_typed(read_stack(path))
    assert typed.with_kept(read_stack(path)).voxel_nm == (None, None, None)
    kept_in.write_text("{ damaged")
    assert typed.with_kept(read_stack(path)).voxel_nm == (None, None, None)


def test_lengths_change_to_micrometres_at_a_thousand_nanometres() -> None:
    assert spoken_length(999.5) == "999.5 nm"
    assert spoken_length(1234.0) == "1.234 µm"
    assert spoken_voxel((20.0, 5.83, 5.83)) == "20 × 5.83 × 5.83 nm"
    assert spoken_voxel((2000.0, None, 500.0)) == "2 × ? × 0.5 µm"
    assert spoken_voxel((None, None, None)) == "unknown"
