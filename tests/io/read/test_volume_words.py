"""What MRC, NRRD, Digital Micrograph, raw and picture files say, or do not say."""

import mrcfile
import nrrd
import numpy as np
import pytest
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from tests.io.read.test_read_volumes import DmWriter

BYTES = np.random.default_rng(3).integers(0, 256, (3, 8, 9)).astype(np.uint8)


def write_mrc(path, data, **header):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        for name, value in header.items():
            file.header[name] = value
    return path


@pytest.mark.parametrize(
    ("header", "unsigned"),
    [
        ({"dmin": 0, "dmax": 255}, True),
        ({"dmin": -128, "dmax": 127}, False),
        ({"dmin": 0, "dmax": -1, "nversion": 20141}, False),
    ],
)
def test_statistics_say_whether_the_bytes_of_an_mrc_have_a_sign(tmp_path, header, unsigned):
    path = write_mrc(tmp_path / "a.mrc", BYTES.view(np.int8), **header)
    expected = BYTES if unsigned else BYTES.view(np.int8)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data.compute(), expected)
    assert stack.dtype == expected.dtype


def test_an_mrc_that_does_not_say_whether_bytes_have_a_sign_is_told(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", BYTES.view(np.int8), dmin=0, dmax=-1, nversion=0)
    assert "does not say whether its bytes have a sign" in read_stack(path).notices[0]


def test_16_bits_beyond_32767_by_the_statistics_have_no_sign(tmp_path):
    data = BYTES.astype(np.uint16) * 257
    path = write_mrc(tmp_path / "a.mrc", data.view(np.int16), dmin=0, dmax=65535)
    np.testing.assert_array_equal(read_stack(path).data.compute(), data)


def test_several_volumes_in_one_mrc_are_refused(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", BYTES.view(np.int8)[:2], ispg=401, mz=1)
    with pytest.raises(InputError, match="holds 2 volumes"):
        read_stack(path)


def test_an_nrrd_of_colours_or_times_is_refused(tmp_path):
    for kind in ("RGB-color", "time", "vector"):
        nrrd.write(str(tmp_path / "a.nrrd"), BYTES, {"kinds": [kind, "domain", "domain"]})
        with pytest.raises(InputError, match=f"kind '{kind.lower()}'"):
            read_stack(tmp_path / "a.nrrd")


def test_an_nrrd_without_a_byte_order_is_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(
        b"NRRD0004\ntype: uint16\ndimension: 2\nsizes: 3 2\nencoding: raw\n\n" + bytes(12)
    )
    with pytest.raises(InputError, match="byte order"):
        read_stack(tmp_path / "a.nrrd")


def test_an_nrrd_is_hashed_with_its_header_and_its_pixels(tmp_path):
    (tmp_path / "a.raw").write_bytes(BYTES.tobytes())
    header = (
        b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 9 8 3\nencoding: raw\ndata file: a.raw\n\n"
    )
    (tmp_path / "a.nhdr").write_bytes(header)
    first = read_stack(tmp_path / "a.nhdr")
    np.testing.assert_array_equal(first.data.compute(), BYTES)
    before = first.content_hash
    (tmp_path / "a.raw").write_bytes(BYTES[::-1].tobytes())
    assert read_stack(tmp_path / "a.nhdr").content_hash != before


def test_the_pixels_of_an_nrrd_outside_of_its_folder_are_refused_unless_asked_for(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.raw").write_bytes(BYTES.tobytes())
    for name in ("../a.raw", str(tmp_path / "a.raw")):
        (tmp_path / "in" / "a.nhdr").write_text(
            f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 9 8 3\nencoding: raw\ndata file: {name}\n\n"
        )
        with pytest.raises(InputError, match="--elsewhere"):
            read_stack(tmp_path / "in" / "a.nhdr")
        stack = read_stack(tmp_path / "in" / "a.nhdr", elsewhere=True)
        np.testing.assert_array_equal(stack.data.compute(), BYTES)


@pytest.mark.parametrize("kind", [">uint16", ">u2", "<uint16", "uint16", " >uint16 "])
def test_types_of_raw_pixels_have_long_and_short_names(tmp_path, kind):
    data = BYTES.astype(np.uint16) * 257 + 1
    order = ">u2" if ">" in kind else "<u2"
    (tmp_path / "a.raw").write_bytes(bytes(512) + data.astype(order).tobytes())
    stack = read_stack(f"{tmp_path / 'a.raw'}::3,8,9,{kind},512")
    np.testing.assert_array_equal(stack.data.compute(), data)


@pytest.mark.parametrize("kind", ["jpg", "bmp"])
def test_large_pictures_are_read_although_pillow_takes_them_for_an_attack(
    tmp_path, monkeypatch, kind
):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(tmp_path / f"a.{kind}")
    assert read_stack(tmp_path / f"a.{kind}").shape == (1, 40, 50)


def test_a_small_picture_that_promises_far_more_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = b"\xff\xf0\xff\xf0"
    path.write_bytes(data)
    with pytest.raises(InputError, match="65520 x 65520 pixels in"):
        read_stack(path)


def test_a_photograph_that_is_to_be_turned_is_told(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(BYTES[0]).save(tmp_path / "a.jpg", exif=exif)
    assert "orientation 8" in read_stack(tmp_path / "a.jpg").notices[0]


def test_a_link_to_nothing_among_slices_is_a_lost_slice(tmp_path):
    for k in (0, 1, 3):
        Image.fromarray(BYTES[k % 3]).save(tmp_path / f"s{k}.png")
    (tmp_path / "s2.png").symlink_to("../annex/objects/gone")
    with pytest.raises(
        InputError, match=r"Slice 2 cannot be used: .*annex/objects/gone.*--without 2"
    ):
        read_stack(tmp_path)
    stack = read_stack(tmp_path, without=[2])
    assert stack.shape[0] == 3
    assert stack.content_hash.startswith("blake2b:")


def test_a_number_where_dm3_has_a_group_is_damage(tmp_path):
    writer = DmWriter(3)
    (tmp_path / "a.dm3").write_bytes(writer.file({"ImageList": {"0": 5.0}}))
    with pytest.raises(InputError, match="holds no grey image"):
        read_stack(tmp_path / "a.dm3")
