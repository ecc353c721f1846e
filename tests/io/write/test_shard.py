"""A shard is one that Zarr reads, and says whether it is whole."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.zarr_layout import lost_slices, slice_file, spoken
from napari_sem_sr.stack import SemStack


def written(path: Path, pixels: np.ndarray) -> Path:
    writer = ZarrStackWriter.create(path, like=SemStack.from_array(pixels, "a"), provenance={})
    for z, image in enumerate(pixels):
        writer.write_slice(z, image)
    writer.finish()
    return path


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">u2", "float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 512, 1024), (2, 1030, 513)])
def test_zarr_reads_every_level_of_what_was_written(
    tmp_path: Path, dtype: str, shape: tuple[int, int, int]
) -> None:
    pixels = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    group = zarr.open_group(written(tmp_path / "a.zarr", pixels), mode="r")
    np.testing.assert_array_equal(group["0"][:], pixels)
    assert all(np.asarray(group[name][:]).any() for name in group.array_keys())


def test_a_black_slice_is_a_slice(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr", np.zeros((2, 600, 600), np.uint8))
    assert lost_slices(path) == ()


@pytest.mark.parametrize("level", [0, 1])
def test_whatever_is_cut_off_empty_too_long_or_gone_is_lost(tmp_path: Path, level: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (3, 1030, 513), np.uint8)
    path = written(tmp_path / "a.zarr", pixels)
    file = slice_file(path, level, 1)
    whole = file.read_bytes()
    for keep in (0, 1, 50, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:keep])
        assert lost_slices(path) == (1,)
    file.write_bytes(whole + b"x")
    assert lost_slices(path) == (1,)
    file.unlink()
    assert lost_slices(path) == (1,)
    file.write_bytes(whole)
    assert lost_slices(path) == ()


@pytest.mark.parametrize(
    ("slices", "said"),
    [
        ([3], "slice 3"),
        ([3, 7], "slices 3 and 7"),
        ([1, 2, 3], "slices 1 to 3"),
        ([9, 1, 2, 3, 5], "slices 1 to 3, 5 and 9"),
        (
            range(0, 100, 2),
            "slices 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and others (50 in all)",
        ),
    ],
)
def test_slices_are_named_as_a_person_would(slices: list[int], said: str) -> None:
    assert spoken(slices) == said
