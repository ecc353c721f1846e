"""A volume of cubes: levels halve z as well, whenever its slices were written."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_zarr_models.v05 import Image

from napari_sem_sr.io.pyramid import halve_pair, level_shapes
from napari_sem_sr.io.write.volume import ZarrVolumeWriter
from napari_sem_sr.stack import SemStack

SHAPE = (5, 1030, 60)


def stack(dtype: type = np.uint8) -> SemStack:
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE).astype(dtype)
    return SemStack.from_array(
        pixels, "cubes", voxel_nm=(5.0, 5.0, 5.0), origin_nm=(100.0, 0.0, 0.0)
    )


def written(path: Path, volume: SemStack, stop_after: int = SHAPE[0]) -> zarr.Group:
    writer = ZarrVolumeWriter.create(path, like=volume, provenance={})
    for z in range(stop_after):
        writer.write_slice(z, volume.slice(z))
    writer = ZarrVolumeWriter.reopen(path)
    for z in range(stop_after, SHAPE[0]):
        writer.write_slice(z, volume.slice(z))
    writer.finish()
    return zarr.open_group(path, mode="r")


def test_every_level_is_the_mean_of_eight_voxels(tmp_path: Path) -> None:
    whole = stack().data.compute()
    group = written(tmp_path / "v.zarr", stack())
    shapes = [group[str(level)].shape for level in range(3)]
    assert shapes == list(level_shapes(SHAPE, "zyx")) == [(5, 1030, 60), (3, 515, 30), (2, 258, 15)]
    blocks = whole[:4].reshape(2, 2, 515, 2, 30, 2).mean((1, 3, 5))
    np.testing.assert_allclose(group["1"][:2], blocks, atol=0.5)
    # the fifth slice has no partner
    np.testing.assert_allclose(
        group["1"][2], whole[4].reshape(515, 2, 30, 2).mean((1, 3)), atol=0.5
    )


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_reopened_it_holds_the_same_on_every_level(tmp_path: Path, stop_after: int) -> None:
    through = written(tmp_path / "a.zarr", stack())
    reopened = written(tmp_path / "b.zarr", stack(), stop_after)
    for level in "012":
        np.testing.assert_array_equal(reopened[level][:], through[level][:])


def test_it_is_valid_ome_zarr_whose_levels_share_their_first_corner(tmp_path: Path) -> None:
    group = written(tmp_path / "v.zarr", stack())
    image = Image.from_zarr(group)
    datasets = image.ome_attributes.multiscales[0].datasets
    for level, dataset in enumerate(datasets):
        scale, start = (t for t in dataset.coordinateTransformations)
        assert scale.scale == [5.0 * 2**level] * 3
        # the first voxel's edge, half a voxel before its centre, stays where it is
        assert start.translation[0] - scale.scale[0] / 2 == pytest.approx(97.5)


def test_voxels_without_data_are_left_out_of_means() -> None:
    above, below = np.ones((2, 2), np.float32), np.full((2, 2), 3, np.float32)
    below[0] = np.nan
    assert halve_pair(above, below)[0, 0] == pytest.approx((1 + 1 + 2 + 2) / 4)
    assert np.isnan(halve_pair(np.full((2, 2), np.nan), np.full((2, 2), np.nan))).all()
