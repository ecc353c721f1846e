import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack

NO_VOXEL = (None, None, None)


def noise(shape, dtype=np.uint8, seed=0):
    if np.dtype(dtype).kind == "f":
        return np.random.default_rng(seed).normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def assert_holds(stack, pixels):
    np.testing.assert_array_equal(
        stack.data.compute(), np.atleast_3d(pixels) if pixels.ndim == 3 else pixels[None]
    )
    assert stack.dtype == pixels.dtype.newbyteorder("=")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dtype=st.sampled_from(
        [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.float32, np.float64]
    ),
    shape=st.one_of(
        st.tuples(st.integers(2, 70), st.integers(2, 70)),
        st.tuples(st.integers(2, 5), st.integers(2, 40), st.integers(2, 40)),
    ),
    compression=st.sampled_from([None, "zlib", "lzw", "zstd", "packbits"]),
    byteorder=st.sampled_from("<>"),
    layout=st.sampled_from([{}, {"rowsperstrip": 5}, {"tile": (16, 16)}, {"bigtiff": True}]),
    kind=st.sampled_from([{}, {"metadata": None}, {"ome": True}]),
)
def test_pixels_come_back_as_they_were_saved(
    tmp_path_factory, dtype, shape, compression, byteorder, layout, kind
):
    pixels = noise(shape, dtype)
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    if kind.get("ome"):
        kind = {"ome": True, "metadata": {"axes": "ZYX"[-len(shape) :]}}
    tifffile.imwrite(
        path,
        pixels,
        compression=compression,
        byteorder=byteorder,
        photometric="minisblack",
        **layout,
        **kind,
    )
    stack = read_stack(path)
    assert_holds(stack, pixels)
    assert stack.voxel_nm == NO_VOXEL
    assert stack.name == "a"
    assert stack.paths == (path,)
    assert stack.data.chunks[0] == (1,) * stack.shape[0]


def test_an_array_with_a_last_axis_of_one_is_one_image(tmp_path):
    pixels = noise((20, 30))
    tifffile.imwrite(tmp_path / "a.tif", pixels[..., None])
    assert_holds(read_stack(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_imagej_hyperstack_with_its_voxel_size(tmp_path, dtype):
    pixels = noise((4, 30, 20), dtype)
    tifffile.imwrite(
        tmp_path / "ij.tif",
        pixels,
        imagej=True,
        resolution=(1 / 0.004, 1 / 0.005),
        metadata={"axes": "ZYX", "spacing": 0.01, "unit": "um"},
    )
    stack = read_stack(tmp_path / "ij.tif")
    assert_holds(stack, pixels)
    assert stack.voxel_nm == pytest.approx((10.0, 5.0, 4.0), rel=1e-6)


def test_imagej_stack_without_a_unit_has_unknown_voxel_size(tmp_path):
    tifffile.imwrite(tmp_path / "ij.tif", noise((4, 30, 20)), imagej=True, metadata={"axes": "ZYX"})
    assert read_stack(tmp_path / "ij.tif").voxel_nm == NO_VOXEL


def test_imagej_stack_that_calls_its_slices_channels_is_read_with_a_notice(tmp_path):
    pixels = noise((5, 30, 20))
    tifffile.imwrite(tmp_path / "ij.tif", pixels, imagej=True)
    stack = read_stack(tmp_path / "ij.tif")
    assert_holds(stack, pixels)
    assert "read as slices" in stack.notices[0]


@pytest.mark.parametrize(
    ("unit", "nm"), [("nm", 1.0), ("µm", 1e3), ("mm", 1e6), ("Å", 0.1), ("pm", 1e-3), (None, 1e3)]
)
def test_ome_physical_sizes_in_any_unit(tmp_path, unit, nm):
    sizes = {"PhysicalSizeX": 4.0, "PhysicalSizeY": 5.0, "PhysicalSizeZ": 20.0}
    units = {} if unit is None else {f"{k}Unit": unit for k in sizes}
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        noise((3, 10, 12)),
        ome=True,
        metadata={"axes": "ZYX", **sizes, **units},
    )
    stack = read_stack(tmp_path / "a.ome.tif")
    assert stack.voxel_nm == pytest.approx((20.0 * nm, 5.0 * nm, 4.0 * nm))
    assert stack.name == "a"


@pytest.mark.parametrize("dpi", [72, 96, 150, 300, 600, 1200, 2400, 4800])
def test_a_picture_editors_resolution_is_no_pixel_size(tmp_path, dpi):
    tifffile.imwrite(
        tmp_path / "a.tif", noise((10, 12)), resolution=(dpi, dpi), resolutionunit="INCH"
    )
    assert read_stack(tmp_path / "a.tif").voxel_nm == NO_VOXEL
    tifffile.imwrite(
        tmp_path / "b.tif",
        noise((10, 12)),
        imagej=True,
        resolution=(dpi, dpi),
        metadata={"unit": "inch"},
    )
    assert read_stack(tmp_path / "b.tif").voxel_nm == NO_VOXEL


def test_a_resolution_that_only_a_microscope_has_is_its_pixel_size(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise((10, 12)),
        resolution=(1e7 / 4, 1e7 / 5),
        resolutionunit="CENTIMETER",
    )
    assert read_stack(tmp_path / "a.tif").voxel_nm == pytest.approx((None, 5.0, 4.0))


def test_typed_voxel_size_overrides_axis_by_axis(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise((10, 12)),
        resolution=(1e7 / 4, 1e7 / 5),
        resolutionunit="CENTIMETER",
    )
    stack = read_stack(tmp_path / "a.tif", voxel_nm=(20.0, None, 6.0))
    assert stack.voxel_nm == pytest.approx((20.0, 5.0, 6.0))
    with pytest.raises(InputError, match="voxel size"):
        read_stack(tmp_path / "a.tif", voxel_nm=(20.0, -1.0, 6.0))


def test_grey_palette_is_grey_and_a_coloured_one_is_a_colour_photograph(tmp_path):
    pixels = noise((20, 30))
    ramp = np.arange(256, dtype=np.uint16) * 257
    tifffile.imwrite(
        tmp_path / "grey.tif", pixels, photometric="palette", colormap=np.stack([ramp] * 3)
    )
    assert_holds(read_stack(tmp_path / "grey.tif"), pixels)
    inverted = np.stack([ramp[::-1]] * 3)
    tifffile.imwrite(tmp_path / "inv.tif", pixels, photometric="palette", colormap=inverted)
    assert_holds(read_stack(tmp_path / "inv.tif"), 255 - pixels)
    hot = np.stack([ramp, ramp // 2, ramp[::-1]])
    tifffile.imwrite(tmp_path / "hot.tif", pixels, photometric="palette", colormap=hot)
    with pytest.raises(InputError, match=r"hot\.tif' is a colour photograph.*--grey"):
        read_stack(tmp_path / "hot.tif")
    red, green, blue = ((c >> 8).astype(float)[pixels] for c in hot)
    expected = np.rint(0.299 * red + 0.587 * green + 0.114 * blue).astype(np.uint8)
    assert_holds(read_stack(tmp_path / "hot.tif", grey=True), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [3, 4])
def test_identical_channels_are_grey_and_others_need_consent(tmp_path, dtype, planar, samples):
    def save(name, image):
        stored = image if planar == "contig" else np.moveaxis(image, -1, 0)
        tifffile.imwrite(
            tmp_path / name,
            stored,
            photometric="rgb",
            planarconfig=planar,
            extrasamples=["unassalpha"] if samples == 4 else None,
            metadata=None,
        )

    colour = noise((12, 17, samples), dtype)
    same = colour.copy()
    same[..., 1] = same[..., 2] = same[..., 0]
    save("same.tif", same)
    save("colour.tif", colour)
    assert_holds(read_stack(tmp_path / "same.tif"), same[..., 0])
    assert_holds(read_stack(tmp_path / "same.tif", grey=True), same[..., 0])
    with pytest.raises(InputError, match="colour photograph"):
        read_stack(tmp_path / "colour.tif")
    expected = np.rint(colour[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(dtype)
    assert_holds(read_stack(tmp_path / "colour.tif", grey=True), expected)


@pytest.mark.filterwarnings("ignore:.*stored as RGB")
@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_three_slices_that_tifffile_saved_as_colours_are_slices(tmp_path, count, compression):
    pixels = noise((count, 20, 30))
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression)
    stack = read_stack(tmp_path / "a.tif")
    assert_holds(stack, pixels)
    assert "read as slices" in stack.notices[0]


def test_a_colour_slice_inside_a_stack_is_named_when_it_is_read(tmp_path):
    pixels = np.repeat(noise((4, 12, 17, 1)), 3, axis=-1)
    pixels[2, 5, 5] = (1, 2, 3)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    stack = read_stack(tmp_path / "a.tif")
    np.testing.assert_array_equal(stack.slice(3), pixels[3, ..., 0])
    with pytest.raises(InputError, match=r"Slice 2 of .*a\.tif' is a colour photograph"):
        stack.slice(2)


def test_one_bit_images_are_black_0_and_white_255(tmp_path):
    pixels = noise((20, 30)) > 127
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    assert_holds(read_stack(tmp_path / "a.tif"), pixels.astype(np.uint8) * 255)


def test_white_is_zero_images_are_turned_round(tmp_path):
    pixels = noise((20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    assert_holds(read_stack(tmp_path / "a.tif"), 65535 - pixels)


def test_nan_stays_nan(tmp_path):
    pixels = noise((3, 20, 30), np.float32)
    pixels[:, :4] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    assert_holds(read_stack(tmp_path / "a.tif"), pixels)


def test_pages_of_different_sizes_are_refused_by_number(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise((20, 30)), metadata=None)
        writer.write(noise((20, 30)), metadata=None)
        writer.write(noise((20, 31)), metadata=None)
    with pytest.raises(InputError, match=r"page 1 is 30 x 20 .* page 3 is 31 x 20"):
        read_stack(tmp_path / "a.tif")


def test_a_thumbnail_is_not_a_slice(tmp_path):
    pixels = noise((20, 30))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(pixels, metadata=None)
        writer.write(pixels[::2, ::2], metadata=None, subfiletype=1)
    assert_holds(read_stack(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize(
    ("axes", "shape", "said"),
    [
        ("CYX", (2, 20, 30), "holds 2 channels"),
        ("CZYX", (2, 3, 20, 30), "not a single stack"),
        ("TZYX", (2, 3, 20, 30), "not a single stack"),
    ],
)
def test_several_channels_or_times_are_refused(tmp_path, axes, shape, said):
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(shape), ome=True, metadata={"axes": axes})
    with pytest.raises(InputError, match=said):
        read_stack(tmp_path / "a.ome.tif")


def test_a_time_series_of_slices_is_a_stack(tmp_path):
    pixels = noise((5, 20, 30))
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "TYX"})
    assert_holds(read_stack(tmp_path / "a.tif"), pixels)


@pytest.mark.parametrize(
    "kind", ["single", "pages", "shaped", "imagej", "ome", "deflate", "bigtiff"]
)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_one_sentence_at_once_or_at_the_slice(tmp_path, kind, kept):
    pixels = noise((6, 40, 50), np.uint16)
    path = tmp_path / "a.tif"
    options = {
        "single": {"metadata": None},
        "pages": {"metadata": None},
        "shaped": {},
        "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
        "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
        "deflate": {"compression": "zlib", "metadata": None},
        "bigtiff": {"bigtiff": True},
    }[kind]
    if kind == "pages":
        with tifffile.TiffWriter(path) as writer:
            for page in pixels:
                writer.write(page, contiguous=False, metadata=None)
    else:
        tifffile.imwrite(path, pixels[0] if kind == "single" else pixels, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    if kind == "ome" and kept == 0.999:
        # only the description lay there
        stack = read_stack(path)
        assert "end of 'a.tif' is missing" in stack.notices[0]
        np.testing.assert_array_equal(stack.data.compute(), pixels)
        return
    with pytest.raises(InputError) as caught:
        read_stack(path).data.compute(scheduler="synchronous")
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    assert "cut off" in said or "damaged" in said


def test_damage_within_a_compressed_slice_names_the_slice(tmp_path):
    pixels = noise((5, 40, 50))
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as tiff:
        start, size = tiff.pages[3].dataoffsets[0], tiff.pages[3].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.slice(4), pixels[4])
    with pytest.raises(InputError, match=r"^Slice 3 of '.*a\.tif' cannot be read"):
        stack.slice(3)


def test_a_file_that_vanishes_later_names_the_slice(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise((5, 40, 50)))
    stack = read_stack(tmp_path / "a.tif")
    (tmp_path / "a.tif").unlink()
    with pytest.raises(InputError, match=r"^Slice 1 of '.*a\.tif' cannot be read"):
        stack.slice(1)


@pytest.mark.parametrize(
    "content", [b"", b"these are my notes\n", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"II*\0\0\0\0\0"]
)
def test_what_is_no_tiff_is_one_sentence(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_stack(tmp_path / "a.tif")
    assert "a.tif" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_chain_of_pages_that_bites_its_tail_is_damage(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((20, 30)), metadata=None)
    with tifffile.TiffFile(path) as tiff:
        first = tiff.pages[0]
        link = first.offset + 2 + 12 * len(first.tags)
    data = bytearray(path.read_bytes())
    data[link : link + 4] = data[4:8]
    path.write_bytes(data)
    with pytest.raises(InputError, match="cut off or damaged"):
        read_stack(path)


def test_missing_file_and_no_files(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.tif' does not exist"):
        read_stack(tmp_path / "nothing.tif")
    with pytest.raises(InputError, match="No files"):
        read_stack([])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_any_process_or_thread_can_read_slices(tmp_path, options):
    pixels = noise((40, 30, 20))
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    data = pickle.loads(pickle.dumps(read_stack(tmp_path / "a.tif").data))
    with ThreadPoolExecutor(4) as pool:
        planes = list(pool.map(lambda z: data[z].compute(scheduler="synchronous"), range(40)))
    np.testing.assert_array_equal(planes, pixels)
    np.testing.assert_array_equal(data[3:30:4, 5:9, ::2].compute(), pixels[3:30:4, 5:9, ::2])
    np.testing.assert_array_equal(data[-1, :, 3].compute(), pixels[-1, :, 3])


def test_opening_reads_only_the_first_slice(tmp_path):
    path = tmp_path / "sparse.tif"
    shape = (2000, 5000, 5000)
    tifffile.imwrite(path, np.zeros((1, 10, 10), np.uint16), bigtiff=True)
    # 100 GB that no disk holds: only a sparse file's ends are real
    path.unlink()
    tifffile.memmap(path, shape=shape, dtype=np.uint16, bigtiff=True).flush()
    stack = read_stack(path)
    assert stack.shape == shape
    assert stack.data[1999, :10, :10].compute().shape == (10, 10)
