import errno
import os

import numpy as np
import pytest
from PIL import Image

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io import write_png


def noise(shape=(400, 600), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_without_the_mark_the_pixels_are_unchanged(tmp_path, dtype):
    pixels = noise(dtype=dtype)
    write_png(pixels, tmp_path / "a.png", mark=False)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


@pytest.mark.parametrize("shape", [(400, 600), (2000, 3000), (300, 90), (12, 15), (1, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_mark_is_small_and_in_the_lower_left_corner(tmp_path, shape, dtype):
    pixels = noise(shape, dtype)
    before = pixels.copy()
    write_png(pixels, tmp_path / "a.png")
    np.testing.assert_array_equal(pixels, before)
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn.shape == shape
    rows, columns = np.nonzero(drawn != pixels)
    assert rows.size
    assert rows.max() >= shape[0] - 3
    assert columns.min() <= 2
    if min(shape) >= 400:
        assert rows.size < 0.03 * pixels.size
        # white letters on black
        corner = drawn[rows.min() :, : columns.max()]
        assert corner.max() > 0.9 * np.iinfo(dtype).max
        assert np.median(corner) == 0


def test_other_dtypes_are_drawn_between_robust_percentiles(tmp_path):
    image = np.linspace(-5.0, 5.0, 10_000, dtype=np.float32).reshape(100, 100)
    image[0, 0] = np.nan
    write_png(image, tmp_path / "a.png", mark=False)
    drawn = np.asarray(Image.open(tmp_path / "a.png"))
    assert drawn.dtype == np.uint8
    assert drawn[0, 0] == 0
    assert drawn[-1, -1] == 255
    assert drawn[50, 0] == pytest.approx(128, abs=2)


def test_a_full_disk_leaves_the_old_picture(tmp_path, monkeypatch):
    write_png(noise(), tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OutputError, match="disk is full"):
            write_png(noise((20, 20)), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
