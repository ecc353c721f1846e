"""Slices are read in bands of rows where a whole one would be much memory, and formats that can read no others."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sem_sr.io import ZarrStackWriter, bands, read_stack, write_tiff
from napari_sem_sr.io.read.omezarr import ZarrSource
from napari_sem_sr.io.read.raw import RawSource
from napari_sem_sr.stack import SemStack

PIXELS = np.random.default_rng(0).integers(0, 65535, (2, 1100, 60)).astype(np.uint16)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "_BYTES", 300 * 60 * 2)


def written(folder: Path) -> dict[str, SemStack]:
    """The same pixels in files of which rows are read, in others, and in memory."""
    like = SemStack.from_array(PIXELS, "specimen")
    writer = ZarrStackWriter.create(folder / "a.zarr", like=like, provenance={})
    for z, image in enumerate(PIXELS):
        writer.write_slice(z, image)
    writer.finish()
    PIXELS.astype(">u2").tofile(folder / "a.raw")
    tifffile.imwrite(folder / "a.tif", PIXELS, compression="zlib", photometric="minisblack")
    return {
        "zarr": read_stack(folder / "a.zarr"),
        "raw": read_stack(f"{folder / 'a.raw'}::2,1100,60,>uint16"),
        "tiff": read_stack(folder / "a.tif"),
        "cropped": read_stack(folder / "a.tif").cropped((0, 2), ((0, 1100), (0, 60))),
        "memory": like,
    }


def test_bands_are_the_slice_in_pieces(tmp_path: Path) -> None:
    for name, stack in written(tmp_path).items():
        for z, image in enumerate(PIXELS):
            found = list(bands.iter_bands(stack, z))
            assert [len(band) for band in found] == [300, 300, 300, 200], name
            np.testing.assert_array_equal(np.concatenate(found), image)
            np.testing.assert_array_equal(bands.rows_of(stack, z, 1099, 1100), image[1099:])


@pytest.mark.parametrize(("name", "kind"), [("zarr", ZarrSource), ("raw", RawSource)])
def test_rows_are_read_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: type
) -> None:
    stack = written(tmp_path)[name]
    monkeypatch.delattr(kind, "decode")
    monkeypatch.setattr(kind, "plane", None)
    np.testing.assert_array_equal(bands.rows_of(stack, 1, 7, 9), PIXELS[1, 7:9])


def test_a_tiff_written_in_bands_is_the_one_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = written(tmp_path)["zarr"]
    write_tiff(stack, tmp_path / "bands.tif", provenance={})
    monkeypatch.undo()
    write_tiff(stack, tmp_path / "once.tif", provenance={})
    assert (tmp_path / "bands.tif").read_bytes() == (tmp_path / "once.tif").read_bytes()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "bands.tif"), PIXELS)


def test_an_output_of_ours_is_opened_without_a_whole_slice_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    write_tiff(read_stack(tmp_path / "a.zarr"), tmp_path / "ours.tif", provenance={})
    for kind in (ZarrSource, RawSource):
        monkeypatch.setattr(kind, "plane", None)
    assert read_stack(tmp_path / "a.zarr").shape == PIXELS.shape
    assert read_stack(tmp_path / "ours.tif").shape == PIXELS.shape
