"""What a TIFF says about its numbers and slices is followed, or told; never guessed in silence."""

import uuid

import numpy as np
import pytest
import tifffile

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from tests.io.read.test_read_tiff import assert_holds, noise


def test_slices_that_were_appended_one_by_one_are_a_stack(tmp_path):
    pixels = noise((5, 20, 30))
    for image in pixels:
        tifffile.imwrite(tmp_path / "a.tif", image, append=True, photometric="minisblack")
    assert_holds(read_stack(tmp_path / "a.tif"), pixels)
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        for image in pixels:
            writer.write(image, photometric="minisblack", compression="zlib")
    assert_holds(read_stack(tmp_path / "b.tif"), pixels)


def test_appended_pages_of_another_photometric_are_no_slices_of_it(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise((20, 30)), photometric="minisblack")
        writer.write(noise((20, 30)), photometric="miniswhite")
    with pytest.raises(InputError, match=r"minisblack.*miniswhite"):
        read_stack(tmp_path / "a.tif")


def write_ome_set(folder, pixels, order=None):
    """Write an OME-TIFF of one file per slice; every file names all of them."""
    folder.mkdir()
    count = len(pixels)
    names = [f"img_z{i}.ome.tif" for i in range(count)]
    ids = [f"urn:uuid:{uuid.uuid4()}" for _ in names]
    planes = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1"><UUID FileName="{names[i]}">{ids[i]}</UUID></TiffData>'
        for z, i in enumerate(order or range(count))
    )
    for i, image in enumerate(pixels):
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{ids[i]}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{image.dtype}" '
            f'SizeX="{image.shape[1]}" SizeY="{image.shape[0]}" SizeZ="{count}" SizeC="1" SizeT="1" '
            f'PhysicalSizeX="5" PhysicalSizeXUnit="nm" PhysicalSizeY="5" PhysicalSizeYUnit="nm" PhysicalSizeZ="10" '
            f'PhysicalSizeZUnit="nm"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(
            folder / names[i],
            image,
            description=xml.encode(),
            metadata=None,
            photometric="minisblack",
        )
    return [folder / name for name in names]


def test_a_folder_or_list_of_one_ome_tiff_in_many_files_has_each_slice_once(tmp_path):
    pixels = noise((4, 20, 30), np.uint16)
    files = write_ome_set(tmp_path / "set", pixels)
    for given in (tmp_path / "set", files, files[1]):
        stack = read_stack(given)
        assert_holds(stack, pixels)
        assert stack.voxel_nm == (10, 5, 5)


def test_slices_of_an_ome_tiff_in_many_files_are_in_its_own_order(tmp_path):
    pixels = noise((3, 20, 30), np.uint16)
    write_ome_set(tmp_path / "set", pixels, order=(2, 0, 1))
    assert_holds(read_stack(tmp_path / "set"), pixels[[2, 0, 1]])


def test_some_files_of_an_ome_tiff_are_the_slices_in_them(tmp_path):
    pixels = noise((4, 20, 30), np.uint16)
    files = write_ome_set(tmp_path / "set", pixels)
    assert_holds(read_stack(files[1:3]), pixels[1:3])


def test_an_ome_tiff_that_goes_on_outside_of_its_folder_is_refused_unless_asked_for(tmp_path):
    pixels = noise((2, 20, 30), np.uint16)
    files = write_ome_set(tmp_path / "set", pixels)
    inside = tmp_path / "inside"
    inside.mkdir()
    first = inside / "first.ome.tif"
    content = files[0].read_bytes()
    first.write_bytes(content)
    # tags lie before the pixels, so a longer name is written by tifffile itself
    with tifffile.TiffFile(first) as tiff:
        xml = tiff.ome_metadata.replace("img_z1", "../set/img_z1").replace("img_z0", "first")
    tifffile.tiffcomment(first, xml.encode())
    with pytest.raises(InputError, match=r"outside of its own folder.*--elsewhere"):
        read_stack(first)
    assert_holds(read_stack(first, elsewhere=True), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int8, np.int16])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_white_is_low_at_any_depth(tmp_path, dtype, compression):
    pixels = noise((2, 20, 30), dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite", compression=compression)
    limits = np.iinfo(dtype)
    upright = (limits.max + limits.min - pixels.astype(np.int64)).astype(dtype)
    assert_holds(read_stack(tmp_path / "a.tif"), upright)


def test_white_is_low_in_12_bits(tmp_path):
    pixels = noise((20, 30), np.uint16) >> 4
    try:
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite", bitspersample=12)
    except NotImplementedError:
        pytest.skip("imagecodecs before 2026 reads 12 bits but cannot write them")
    assert_holds(read_stack(tmp_path / "a.tif"), 4095 - pixels)


def test_white_is_low_in_1_bit(tmp_path):
    pixels = noise((20, 30), np.uint16) > 2000
    tifffile.imwrite(tmp_path / "b.tif", pixels, photometric="miniswhite", software="Scanner")
    assert_holds(read_stack(tmp_path / "b.tif"), (~pixels).astype(np.uint8) * 255)


def test_floats_of_which_white_is_low_change_their_sign_and_that_is_told(tmp_path):
    pixels = noise((20, 30), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    stack = read_stack(tmp_path / "a.tif")
    assert_holds(stack, -pixels)
    assert "white is low" in stack.notices[0]


def spoil(path, page, code):
    """Set the one value of a tag of a page to 0."""
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages[page].tags[code].valueoffset
    data = bytearray(path.read_bytes())
    data[place : place + 4] = bytes(4)
    path.write_bytes(data)


def test_slices_of_which_a_part_was_never_written_are_named(tmp_path):
    path = tmp_path / "a.tif"
    pixels = noise((4, 20, 30))
    tifffile.imwrite(path, pixels, metadata=None, compression="zlib", photometric="minisblack")
    spoil(path, 2, 273)
    spoil(path, 2, 279)
    with pytest.raises(InputError, match=r"Slice 2 cannot be used: part of it was never written"):
        read_stack(path)
    assert_holds(read_stack(path, without=[2]), pixels[[0, 1, 3]])


def test_one_of_many_strips_that_was_never_written_is_found_too(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((40, 30)), metadata=None, rowsperstrip=8)
    with tifffile.TiffFile(path) as tiff:
        tags = [tiff.pages[0].tags[code] for code in (273, 279)]
        places = [tag.valueoffset + 2 * tag.valuebytecount // tag.count for tag in tags]
        size = tags[1].valuebytecount // tags[1].count
    data = bytearray(path.read_bytes())
    data[places[1] : places[1] + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(InputError, match="never written"):
        read_stack(path)


@pytest.mark.parametrize(
    ("said", "voxel"),
    [
        ("unit=um\nspacing=0.01\n", (10, 5, 5)),
        ("unit=um\nzunit=nm\nspacing=10\n", (10, 5, 5)),
        ("unit=um\nyunit=mm\nzunit=nm\nspacing=10\n", (10, 5000, 5)),
        ("unit=um\nzunit=ms\nspacing=10\n", (None, 5, 5)),
        ("unit=um\nzunit=sec\nspacing=10\n", (None, 5, 5)),
        ("unit=um\nzunit=pixel\nspacing=10\n", (None, 5, 5)),
    ],
)
def test_imagej_writes_units_of_single_axes(tmp_path, said, voxel):
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise((5, 20, 30)),
        description=f"ImageJ=1.53t\nimages=5\nslices=5\n{said}".encode(),
        metadata=None,
        resolution=(200, 200),
        photometric="minisblack",
    )
    found = read_stack(tmp_path / "a.tif").voxel_nm
    assert found == tuple(v if v is None else pytest.approx(v) for v in voxel)


def test_time_points_are_told(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 20, 30)), ome=True, metadata={"axes": "TYX"})
    assert "time points; they are read as slices" in read_stack(tmp_path / "a.tif").notices[0]


def test_an_image_that_is_to_be_turned_is_told(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise((20, 30)), extratags=[(274, 3, 1, 6, True)])
    assert "orientation 6" in read_stack(tmp_path / "a.tif").notices[0]


def test_colours_of_other_kinds_and_unnamed_samples_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "lab.tif", noise((20, 30, 3)), photometric="cielab", planarconfig="contig"
    )
    with pytest.raises(InputError, match="CIELAB"):
        read_stack(tmp_path / "lab.tif", grey=True)
    tifffile.imwrite(
        tmp_path / "two.tif", noise((20, 30, 2)), photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(InputError, match="2 values for each pixel"):
        read_stack(tmp_path / "two.tif")
