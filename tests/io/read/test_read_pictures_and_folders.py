import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack


def noise(shape=(40, 50), dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_lossless_pictures_come_back(tmp_path, suffix):
    pixels = noise()
    save(tmp_path / f"a{suffix}", pixels)
    stack = read_stack(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(stack.data.compute(), pixels[None])
    assert stack.dtype == np.uint8
    assert stack.voxel_nm == (None, None, None)


def test_a_dim_16_bit_png_keeps_its_grey_values(tmp_path):
    pixels = noise(dtype=np.uint16) % 37 + 500
    save(tmp_path / "a.png", pixels)
    stack = read_stack(tmp_path / "a.png")
    assert stack.dtype == np.uint16
    np.testing.assert_array_equal(stack.slice(0), pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_identical_channels_are_grey_in_their_own_depth(tmp_path, dtype):
    grey = noise(dtype=dtype)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.stack([grey] * 3, axis=-1)))
    stack = read_stack(tmp_path / "a.png")
    assert stack.dtype == dtype
    np.testing.assert_array_equal(stack.slice(0), grey)


def test_alpha_is_left_out(tmp_path):
    grey = noise()
    rgba = np.stack([grey, grey, grey, noise(seed=1)], axis=-1)
    save(tmp_path / "rgba.png", rgba)
    np.testing.assert_array_equal(read_stack(tmp_path / "rgba.png").slice(0), grey)
    save(tmp_path / "la.png", rgba[..., 2:])
    np.testing.assert_array_equal(read_stack(tmp_path / "la.png").slice(0), grey)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg"])
def test_colour_needs_consent(tmp_path, suffix):
    colour = np.zeros((16, 24, 3), np.uint8)
    colour[..., 0], colour[..., 1] = 200, 100
    path = tmp_path / f"a{suffix}"
    save(path, colour)
    with pytest.raises(InputError, match=r"colour photograph.*--grey"):
        read_stack(path)
    grey = read_stack(path, grey=True).slice(0)
    assert grey.dtype == np.uint8
    assert abs(int(grey[5, 5]) - round(0.299 * 200 + 0.587 * 100)) <= (suffix == ".jpg")


@pytest.mark.parametrize("mode", ["P", "1"])
@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_palette_and_one_bit_pictures_are_grey(tmp_path, suffix, mode):
    pixels = noise() // 64 * 64
    picture = Image.fromarray(pixels).convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    expected = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(read_stack(tmp_path / f"a{suffix}").slice(0), expected)


def test_a_pictures_print_resolution_is_no_pixel_size(tmp_path):
    save(tmp_path / "a.png", noise(), dpi=(300, 300))
    assert read_stack(tmp_path / "a.png").voxel_nm == (None, None, None)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg"])
@pytest.mark.parametrize("kept", [0.001, 0.05, 0.5, 0.95])
def test_truncated_pictures_are_one_sentence(tmp_path, suffix, kept):
    path = tmp_path / f"a{suffix}"
    save(path, noise((80, 90)))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(4, int(len(whole) * kept))])
    with pytest.raises(InputError) as caught:
        read_stack(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_is_known_by_its_content_not_its_name(tmp_path):
    pixels = noise()
    Image.fromarray(pixels).save(tmp_path / "a.tif", format="PNG")
    np.testing.assert_array_equal(read_stack(tmp_path / "a.tif").slice(0), pixels)


def test_folder_slices_are_in_natural_order(tmp_path):
    for number in (10, 2, 1, 33):
        save(tmp_path / f"slice{number}.png", np.full((8, 9), number, np.uint8))
    stack = read_stack(tmp_path)
    assert [int(stack.slice(z)[0, 0]) for z in range(4)] == [1, 2, 10, 33]
    assert [p.name for p in stack.paths] == [f"slice{n}.png" for n in (1, 2, 10, 33)]
    assert stack.name == tmp_path.name


def test_a_list_keeps_its_order(tmp_path):
    for number in (1, 2, 3):
        save(tmp_path / f"{number}.png", np.full((8, 9), number, np.uint8))
    stack = read_stack([tmp_path / "3.png", str(tmp_path / "1.png"), tmp_path / "2.png"])
    assert [int(stack.slice(z)[0, 0]) for z in range(3)] == [3, 1, 2]
    with pytest.raises(InputError, match="folder in a list"):
        read_stack([tmp_path, tmp_path / "1.png"])


def test_files_that_are_no_images_are_skipped_and_named(tmp_path):
    save(tmp_path / "1.png", noise())
    tifffile.imwrite(tmp_path / "2.tif", noise())
    (tmp_path / "notes.txt").write_text("kV 2")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "below").mkdir()
    stack = read_stack(tmp_path)
    assert stack.shape == (2, 40, 50)
    assert "'notes.txt'" in stack.notices[0]
    assert "hidden" not in stack.notices[0]


def test_an_image_that_is_none_is_not_skipped(tmp_path):
    save(tmp_path / "1.png", noise())
    (tmp_path / "2.tif").write_text("these are my notes")
    with pytest.raises(InputError, match=r"2\.tif' is no image"):
        read_stack(tmp_path)
    (tmp_path / "2.tif").write_bytes(b"")
    with pytest.raises(InputError, match=r"2\.tif' is empty"):
        read_stack(tmp_path)


def test_empty_folders_and_folders_without_images(tmp_path):
    with pytest.raises(InputError, match="it is empty"):
        read_stack(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="none of its files is an image"):
        read_stack(tmp_path)


def test_the_odd_slice_is_named(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.png", noise((40, 51) if number == 2 else (40, 50)))
    with pytest.raises(InputError, match=r"2\.png' is 51 x 40 .* other slices are 50 x 40"):
        read_stack(tmp_path)
    save(tmp_path / "2.png", noise(dtype=np.uint16))
    with pytest.raises(InputError, match=r"2\.png' is .* uint16.* other slices .* uint8"):
        read_stack(tmp_path)
    save(tmp_path / "0.png", noise((40, 51)))
    save(tmp_path / "2.png", noise())
    with pytest.raises(InputError, match=r"0\.png' is 51 x 40"):
        read_stack(tmp_path)


def test_a_damaged_slice_of_a_folder_is_named_when_it_is_read(tmp_path):
    for number in range(3):
        save(tmp_path / f"{number}.png", noise())
    path = tmp_path / "1.png"
    path.write_bytes(path.read_bytes()[:-200])
    stack = read_stack(tmp_path)
    np.testing.assert_array_equal(stack.slice(2), noise())
    with pytest.raises(InputError, match=r"1\.png' cannot be read .*cut off or damaged"):
        stack.slice(1)


def test_a_stack_saved_in_parts_is_joined(tmp_path):
    pixels = noise((9, 20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "part2.tif", pixels[5:])
    tifffile.imwrite(tmp_path / "part1.tif", pixels[:5], compression="zlib")
    np.testing.assert_array_equal(read_stack(tmp_path).data.compute(), pixels)
