"""MRC, Digital Micrograph, HDF5, NRRD and raw pixels, each also damaged."""

import gzip
import struct

import h5py
import mrcfile
import nrrd
import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from tests.io.metadata.test_metadata import READERS, real_files

STACK = np.random.default_rng(0).integers(-300, 300, (4, 5, 6), np.int16)


def write_mrc(path, array=STACK, nm=(25.0, 5.0, 5.0), endian="<"):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(array)
        if nm is not None:
            file.voxel_size = tuple(10 * v for v in nm[::-1])
    if endian == ">":
        with mrcfile.open(path, permissive=True) as file:
            data, header = file.data.copy(), file.header.copy()
        swapped = header.byteswap().view(header.dtype.newbyteorder())
        swapped["machst"] = [17, 17, 0, 0]
        path.write_bytes(swapped.tobytes() + data.astype(data.dtype.newbyteorder(">")).tobytes())
    return path


def write_nrrd(path, array=STACK, **header):
    options = {"spacings": [5, 5, 25], "units": ["nm"] * 3, "encoding": "raw"} | header
    nrrd.write(str(path), array.transpose(), options)
    return path


class DmWriter:
    """Writes a tag tree as Digital Micrograph does; dict = group, list of numbers = array."""

    def __init__(self, version):
        self.version = version
        self.long = ">I" if version == 3 else ">Q"

    def number(self, value):
        return struct.pack(self.long, value)

    def file(self, tree):
        body = self.group(tree)
        return (
            struct.pack(">I", self.version) + self.number(len(body)) + struct.pack(">I", 1) + body
        )

    def group(self, tree):
        tags = b"".join(self.tag(name, value) for name, value in tree.items())
        return b"\0\1" + self.number(len(tree)) + tags

    def tag(self, name, value):
        kind, body = (20, self.group(value)) if isinstance(value, dict) else (21, self.value(value))
        name = "" if name.isdecimal() else name
        size = self.number(len(body)) if self.version == 4 else b""
        return struct.pack(">BH", kind, len(name)) + name.encode("latin-1") + size + body

    def value(self, value):
        if isinstance(value, np.ndarray):
            codes = {"i2": 2, "u2": 4, "f4": 6, "u1": 10}
            info, data = [20, codes[value.dtype.str[1:]], value.size], value.tobytes()
        elif isinstance(value, str):
            info, data = [20, 4, len(value)], value.encode("utf-16-le")
        elif isinstance(value, float):
            info, data = [6], struct.pack("<f", value)
        elif isinstance(value, tuple):
            info, data = [15, 0, 2, 0, 6, 0, 6], struct.pack("<ff", *value)
        else:
            info, data = [5], struct.pack("<I", value)
        return b"%%%%" + self.number(len(info)) + b"".join(map(self.number, info)) + data


def write_dm(path, array=STACK, version=3):
    def axis(scale, unit):
        return {"Origin": 0.0, "Scale": scale, "Units": unit}

    calibrations = {
        "Dimension": {"0": axis(0.005, "µm"), "1": axis(0.006, "µm"), "2": axis(25.0, "nm")}
    }
    thumbnail = {
        "ImageData": {
            "Data": np.zeros(16, np.uint8),
            "DataType": 23,
            "Dimensions": {"0": 2, "1": 2},
        }
    }
    image = {
        "ImageData": {
            "Calibrations": calibrations,
            "Data": array.ravel(),
            "DataType": {"i2": 1, "u2": 10, "f4": 2}[array.dtype.str[1:]],
            "Dimensions": {str(i): n for i, n in enumerate(array.shape[::-1])},
        },
        "ImageTags": {
            "Microscope Info": {
                "Microscope": "Gemini 3View",
                "Voltage": 2500.0,
                "Range": (0.0, 1.0),
            }
        },
    }
    path.write_bytes(DmWriter(version).file({"ImageList": {"0": thumbnail, "1": image}}))
    return path


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.float32])
def test_mrc(tmp_path, dtype, endian):
    array = STACK.astype(dtype)
    stack = read_stack(write_mrc(tmp_path / "a.mrc", array, endian=endian))
    assert stack.dtype == dtype
    assert stack.voxel_nm == (25.0, 5.0, 5.0)
    np.testing.assert_array_equal(stack.data.compute(), array)


def test_an_mrc_without_a_voxel_size_has_none(tmp_path):
    assert read_stack(write_mrc(tmp_path / "a.mrc", nm=(0.1, 0.1, 0.1))).voxel_nm == (None,) * 3


def test_imod_bytes_are_unsigned(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", STACK.astype(np.int8))
    data = bytearray(path.read_bytes())
    data[152:160] = struct.pack("<ii", 1146047817, 0)
    path.write_bytes(data)
    stack = read_stack(path)
    assert stack.dtype == np.uint8
    np.testing.assert_array_equal(stack.slice(1), STACK[1].astype(np.int8).view(np.uint8))


@real_files
def test_real_mrc_maps():
    stack = read_stack(READERS / "mrc" / "EMD-3197.map")
    assert (stack.shape, stack.dtype) == ((20, 20, 20), np.float32)
    assert stack.voxel_nm == pytest.approx((1.14, 1.14, 1.14))
    turned = read_stack(READERS / "mrc" / "EMD-3001.map")
    # its sections lie along y, its columns along z
    assert turned.voxel_nm != (None, None, None)
    assert "another order" in turned.notices[0]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32])
@pytest.mark.parametrize("version", [3, 4])
def test_digital_micrograph(tmp_path, version, dtype):
    array = STACK.astype(dtype)
    stack = read_stack(write_dm(tmp_path / f"a.dm{version}", array, version))
    assert stack.dtype == dtype
    assert stack.voxel_nm == (25.0, 6.0, 5.0)
    assert (stack.instrument.model, stack.instrument.kv) == ("Gemini 3View", 2.5)
    np.testing.assert_array_equal(stack.data.compute(), array)


def test_a_folder_of_digital_micrograph_slices(tmp_path):
    for z in range(3):
        write_dm(tmp_path / f"slice_{z}.dm3", STACK[z])
    stack = read_stack(tmp_path)
    assert stack.voxel_nm == (None, 6.0, 5.0)
    np.testing.assert_array_equal(stack.data.compute(), STACK[:3])


def test_nrrd(tmp_path):
    stack = read_stack(write_nrrd(tmp_path / "a.nrrd"))
    assert stack.voxel_nm == (25.0, 5.0, 5.0)
    np.testing.assert_array_equal(stack.data.compute(), STACK)


def test_nrrd_gzipped_detached_and_without_units(tmp_path):
    zipped = read_stack(write_nrrd(tmp_path / "zipped.nrrd", encoding="gzip"))
    np.testing.assert_array_equal(zipped.data.compute(), STACK)
    header = {"spacings": [5, 5, 25]}
    nrrd.write(
        str(tmp_path / "a.nhdr"),
        STACK.transpose(),
        header | {"encoding": "raw"},
        detached_header=True,
    )
    beside = read_stack(tmp_path / "a.nhdr")
    assert beside.voxel_nm == (None, None, None)
    np.testing.assert_array_equal(beside.data.compute(), STACK)


def test_nrrd_with_a_gzip_bomb_reads_only_what_it_says(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", encoding="gzip")
    head = path.read_bytes().split(b"\n\n")[0] + b"\n\n"
    path.write_bytes(head + gzip.compress(bytes(100 << 20)))
    assert read_stack(path).slice(3).max() == 0


def test_hdf5_single_dataset_and_named_dataset(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("volumes/raw", data=STACK[None], chunks=(1, 2, 3, 3))
        data.attrs["resolution"] = [40.0, 4.0, 4.0]
    stack = read_stack(path)
    assert stack.voxel_nm == (40.0, 4.0, 4.0)
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    with h5py.File(path, "a") as file:
        file["other"] = STACK[:2]
        file["other"].attrs["element_size_um"] = [0.03, 0.005, 0.005]
    with pytest.raises(
        InputError, match=r"'/other', '/volumes/raw'; say which one, as 'a\.h5::/other'"
    ):
        read_stack(path)
    other = read_stack(f"{path}::/other")
    assert other.voxel_nm == pytest.approx((30.0, 5.0, 5.0))
    assert other.content_hash != read_stack(f"{path}::volumes/raw").content_hash
    with pytest.raises(InputError, match="no dataset '/nothing'"):
        read_stack(f"{path}::/nothing")


@pytest.mark.parametrize("kind", ["int16", ">i2"])
def test_raw_pixels_with_a_typed_header(tmp_path, kind):
    path = tmp_path / "a.raw"
    path.write_bytes(b"head" + STACK.astype(kind).tobytes())
    stack = read_stack(f"{path}::4,5,6,{kind},4")
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    assert not stack.notices
    assert "check size and type" in read_stack(f"{path}::3,5,6,{kind},4").notices[0]


@pytest.mark.parametrize("header", ["", "4,5,6", "4,5,6,nothing", "0,5,6,uint8", "a,b,c,uint8", "4,5,6,complex64", "4,5,6,int16,x", "4,5,6,int16,0,0"])  # fmt: skip
def test_a_typed_header_that_is_none(tmp_path, header):
    path = tmp_path / "a.raw"
    path.write_bytes(STACK.tobytes())
    with pytest.raises(InputError, match=r"Z,Y,X,TYPE|does not exist"):
        read_stack(f"{path}::{header}")


def volume(path, kind):
    if kind == "mrc":
        return write_mrc(path)
    if kind == "nrrd":
        return write_nrrd(path)
    return write_dm(path, version=int(kind[-1]))


@pytest.mark.parametrize("kind", ["mrc", "nrrd", "raw"])
def test_a_truncated_last_slice_is_named_and_can_be_left_out(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "raw":
        path.write_bytes(STACK.tobytes())
    else:
        volume(path, kind)
    path.write_bytes(path.read_bytes()[:-7])
    source = f"{path}::4,5,6,int16" if kind == "raw" else path
    with pytest.raises(
        InputError, match=r"Slice 3 cannot be used: .* 3 of its 4 slices .*--without 3"
    ):
        read_stack(source)
    np.testing.assert_array_equal(read_stack(source, without=[3]).data.compute(), STACK[:3])


@pytest.mark.parametrize("kind", ["mrc", "nrrd", "dm3", "dm4", "h5"])
def test_damaged_volumes_are_read_or_refused_in_one_sentence(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("a", data=STACK, chunks=(2, 3, 3), compression="gzip")
    else:
        volume(path, kind)
    content = path.read_bytes()
    random = np.random.default_rng(list(kind.encode()))
    refused = 0
    for _ in range(100):
        data = bytearray(content)
        for place in random.integers(4, min(len(data), 1100), random.integers(1, 6)):
            data[place] = random.choice([0, 1, 127, 255])
        path.write_bytes(data[: random.integers(8, len(data))] if random.random() < 0.3 else data)
        try:
            stack = read_stack(path)
            assert stack.slice(0).shape == stack.shape[1:]
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 5
