"""What a Zarr says of its axes is followed, what it lacks is told, and links in it are hashed."""

import numpy as np
import pytest
import zarr

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack

STACK = np.random.default_rng(2).integers(1, 255, (6, 20, 24)).astype(np.uint8)


def write(path, data=STACK, version=3, **options):
    array = zarr.create_array(
        path, shape=data.shape, dtype=data.dtype, zarr_format=version, chunks=(1, 10, 24)[: data.ndim], **options
    )  # fmt: skip
    array[:] = data
    return path


def held(path):
    return read_stack(path).data.compute()


def test_xarray_names_the_axes(tmp_path):
    path = write(
        tmp_path / "a.zarr",
        STACK.transpose(1, 2, 0).copy(),
        2,
        attributes={"_ARRAY_DIMENSIONS": ["y", "x", "z"]},
    )
    np.testing.assert_array_equal(held(path), STACK)


def test_names_of_dimensions_in_any_order_and_language(tmp_path):
    path = write(
        tmp_path / "a.zarr",
        STACK.transpose(2, 0, 1).copy(),
        dimension_names=["width", "depth", "height"],
    )
    np.testing.assert_array_equal(held(path), STACK)


def test_an_array_that_looks_like_colours_and_says_nothing_is_refused(tmp_path):
    path = write(tmp_path / "a.zarr", np.zeros((20, 24, 3), np.uint8))
    with pytest.raises(InputError, match="does not say which axis is which"):
        read_stack(path)


@pytest.mark.parametrize("version", [2, 3])
def test_slices_that_lack_chunks_are_told(tmp_path, version):
    path = write(tmp_path / "a.zarr", version=version)
    assert read_stack(path).notices == ()
    gone = ("2.1.0", "3.0.0") if version == 2 else ("c/2/1/0", "c/3/0/0")
    for name in gone:
        (path / name).unlink()
    assert "lacks parts of slices 2 to 3, read as 0" in read_stack(path).notices[0]


def test_a_level_that_is_a_link_is_hashed(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr")
    level = write(tmp_path / "level")
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {"axes": [{"name": n, "type": "space"} for n in "zyx"], "datasets": [{"path": "0"}]}
        ],
    }
    (tmp_path / "a.zarr" / "0").symlink_to(level, target_is_directory=True)
    stack = read_stack(tmp_path / "a.zarr")
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    before = stack.content_hash
    zarr.open_array(level)[3, 4, 5] ^= 1
    assert read_stack(tmp_path / "a.zarr").content_hash != before


def test_a_link_that_leads_back_does_not_hang(tmp_path):
    path = write(tmp_path / "a.zarr")
    (path / "again").symlink_to(path, target_is_directory=True)
    assert read_stack(path).content_hash.startswith("blake2b:")
