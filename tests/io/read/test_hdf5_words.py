"""What the programs that write HDF5 mean: axes, signs, paddings and voxel sizes."""

import json

import h5py
import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack

STACK = np.random.default_rng(0).integers(0, 65536, (5, 24, 30)).astype(np.uint16)


def held(source, **options):
    return read_stack(source, **options).data.compute()


def write_bdv(path):
    with h5py.File(path, "w") as file:
        file["s00/resolutions"] = np.array([[1.0, 1, 1], [2.0, 2, 1]])
        file["s00/subdivisions"] = np.array([[64, 64, 64], [64, 64, 64]], "i4")
        file["t00000/s00/0/cells"] = STACK.view(np.int16)
        file["t00000/s00/1/cells"] = STACK[:, ::2, ::2].copy().view(np.int16)
    path.with_suffix(".xml").write_text(
        "<SpimData><SequenceDescription><ViewSetups><ViewSetup><id>0</id><voxelSize><unit>um</unit>"
        "<size>0.004 0.005 0.02</size></voxelSize></ViewSetup></ViewSetups></SequenceDescription></SpimData>"
    )
    return path


def test_big_data_viewer_keeps_unsigned_numbers_in_signed_ones(tmp_path):
    path = write_bdv(tmp_path / "a.h5")
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    assert stack.voxel_nm == pytest.approx((20, 5, 4))
    half = read_stack(f"{path}::/t00000/s00/1/cells")
    assert half.voxel_nm == pytest.approx((20, 10, 8))


def letters(text):
    return np.array([c.encode() for c in text], "S1")


def test_imaris_fills_up_chunks(tmp_path):
    path = tmp_path / "a.ims"
    padded = np.zeros((8, 32, 64), np.uint16)
    padded[:5, :24, :30] = STACK
    with h5py.File(path, "w") as file:
        channel = file.create_group("DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
        channel["Data"] = padded
        channel["Histogram"] = np.zeros((2, 256), np.uint64)
        for axis, size in zip("ZYX", STACK.shape, strict=True):
            channel.attrs[f"ImageSize{axis}"] = letters(str(size))
        about = file.create_group("DataSetInfo/Image")
        about.attrs["Unit"] = letters("um")
        for axis, extent in enumerate((0.15, 0.24, 0.1)):
            about.attrs[f"ExtMin{axis}"], about.attrs[f"ExtMax{axis}"] = (
                letters("0"),
                letters(str(extent)),
            )
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    assert stack.voxel_nm == pytest.approx((20, 10, 5))


@pytest.mark.parametrize("order", ["zyx", "zyxc", "yxzc", "xyz", "czyx", "tzyxc"])
def test_axistags_say_which_axis_is_which(tmp_path, order):
    place = {"z": 0, "y": 1, "x": 2}
    data = STACK.transpose([place[a] for a in order if a in place])
    for axis, name in enumerate(order):
        if name not in place:
            data = np.expand_dims(data, axis)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        written = file.create_dataset("exported_data", data=data)
        written.attrs["axistags"] = json.dumps({"axes": [{"key": name} for name in order]})
    np.testing.assert_array_equal(held(tmp_path / "a.h5"), STACK)


def test_channels_that_axistags_name_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        written = file.create_dataset("p", data=np.zeros((24, 30, 2), np.float32))
        written.attrs["axistags"] = json.dumps({"axes": [{"key": name} for name in "yxc"]})
    with pytest.raises(InputError, match="holds 2 channels"):
        read_stack(tmp_path / "a.h5")


def test_labels_of_dimensions_say_which_axis_is_which(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        written = file.create_dataset("a", data=STACK.transpose(1, 2, 0))
        for dimension, name in zip(written.dims, ("row", "column", "slice"), strict=True):
            dimension.label = name
    np.testing.assert_array_equal(held(tmp_path / "a.h5"), STACK)


def test_an_array_that_looks_like_colours_and_says_nothing_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rgb"] = np.zeros((24, 30, 3), np.uint8)
    with pytest.raises(InputError, match=r"does not say which axis is which"):
        read_stack(tmp_path / "a.h5")


def test_velox_counts_frames_last(tmp_path):
    said = json.dumps({"BinaryResult": {"PixelSize": {"height": "4e-9", "width": "5e-9"}}}).encode()
    with h5py.File(tmp_path / "a.emd", "w") as file:
        file["Data/Image/abc/Data"] = np.moveaxis(STACK, 0, -1)
        file["Data/Image/abc/Metadata"] = np.repeat(
            np.frombuffer(said.ljust(500, b"\0"), np.uint8)[:, None], 5, 1
        )
    stack = read_stack(tmp_path / "a.emd")
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    assert stack.voxel_nm == pytest.approx((None, 4, 5))


def test_berkeley_emd_names_its_dimensions(tmp_path):
    with h5py.File(tmp_path / "a.emd", "w") as file:
        group = file.create_group("data/img")
        group.attrs["emd_group_type"] = 1
        group["data"] = np.moveaxis(STACK, 0, -1)
        for i, (name, count, step) in enumerate((("y", 24, 4.0), ("x", 30, 5.0), ("z", 5, 20.0))):
            dimension = group.create_dataset(f"dim{i + 1}", data=np.arange(count) * step)
            dimension.attrs["name"], dimension.attrs["units"] = name, "[n_m]"
    stack = read_stack(tmp_path / "a.emd")
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    assert stack.voxel_nm == (20, 4, 5)


def test_images_of_which_white_is_zero_are_turned_round(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=STACK[0]).attrs["IMAGE_WHITE_IS_ZERO"] = np.uint8(1)
    np.testing.assert_array_equal(held(tmp_path / "a.h5")[0], 65535 - STACK[0])
