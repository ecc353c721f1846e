"""The input is what it was, or the slices that changed are named and made again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import SliceDone
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.io import read_stack

from .specimens import files, image, model

FP32 = UpscaleSettings(device="cpu", precision="fp32", tile=64)
SLICES = 6


def folder_of_slices(path: Path) -> Path:
    path.mkdir()
    for z in range(SLICES):
        tifffile.imwrite(path / f"{z}.tif", image((20, 24), seed=z))
    return path


def one_file(path: Path) -> Path:
    tifffile.imwrite(path, np.stack([image((20, 24), seed=z) for z in range(SLICES)]))
    return path


def disturbed(source: Path, output: Path, change: Callable[[], None], after: int) -> None:
    """Upscale ``source`` and change it once some slices are done."""
    for event in iter_upscale(read_stack(source), output, model(), FP32):
        if isinstance(event, SliceDone) and event.done == after:
            change()


def undisturbed(source: Path, tmp_path: Path) -> dict[str, bytes]:
    upscale(read_stack(source), tmp_path / "fresh" / "sr.zarr", model(), FP32)
    return files(tmp_path / "fresh" / "sr.zarr")


@pytest.mark.parametrize("z", [0, 1, 5])
def test_one_slice_that_is_replaced_is_named_and_made_again(tmp_path: Path, z: int) -> None:
    source = folder_of_slices(tmp_path / "lr")
    output = tmp_path / "sr.zarr"
    upscale(read_stack(source), tmp_path / "before.zarr", model(), FP32)
    other = (255 - image((20, 24), seed=z)).astype(np.uint8)
    with pytest.raises(InputError, match=rf"Slice {z} of 'lr' changed .*--resume"):
        disturbed(source, output, lambda: tifffile.imwrite(source / f"{z}.tif", other), after=2)
    assert b'"complete": false' in (output / "zarr.json").read_bytes()
    result = upscale(read_stack(source), output, model(), FP32, resume=True)
    assert result.computed == 1
    before = read_stack(tmp_path / "before.zarr")
    after = read_stack(output)
    changed = [n for n in range(SLICES) if not np.array_equal(before.slice(n), after.slice(n))]
    assert changed == [z]
    assert not any(name.startswith("inputs") for name in files(output))


def test_a_file_that_is_overwritten_in_place_is_noticed_and_the_old_slices_named(
    tmp_path: Path,
) -> None:
    source = one_file(tmp_path / "lr.tif")
    other = np.stack([255 - image((20, 24), seed=z) for z in range(SLICES)]).astype(np.uint8)
    with pytest.raises(InputError, match=r"[Ss]lices? 0.*changed"):
        disturbed(source, tmp_path / "sr.zarr", lambda: tifffile.imwrite(source, other), after=2)
    result = upscale(read_stack(source), tmp_path / "sr.zarr", model(), FP32, resume=True)
    assert 1 <= result.computed < SLICES
    assert result.provenance["source_hash"] == read_stack(source).content_hash


def test_what_changed_before_it_was_read_is_noticed_by_the_whole(tmp_path: Path) -> None:
    source = one_file(tmp_path / "lr.tif")

    def change_the_last() -> None:
        with tifffile.TiffFile(source) as tiff:
            place = tiff.series[0].dataoffset + (SLICES - 1) * 20 * 24
        content = bytearray(source.read_bytes())
        content[place : place + 100] = bytes(100)
        source.write_bytes(content)

    with pytest.raises(InputError, match=r"changed while it was read.*--overwrite"):
        disturbed(source, tmp_path / "sr.zarr", change_the_last, after=1)


def test_a_slice_that_was_another_one_only_while_it_was_read_is_named(tmp_path: Path) -> None:
    source = folder_of_slices(tmp_path / "lr")
    kept = shutil.copytree(source, tmp_path / "kept")
    work = iter_upscale(read_stack(source), tmp_path / "sr.zarr", model(), FP32)
    with pytest.raises(InputError, match="Slice 5 of 'lr' changed"):
        for event in work:
            if isinstance(event, SliceDone) and event.done == 1:
                tifffile.imwrite(source / "5.tif", image((20, 24), seed=99))
            if isinstance(event, SliceDone) and event.done == SLICES:
                shutil.copy2(kept / "5.tif", source / "5.tif")
    # as it was all the time for whoever looks now: only this slice is made again
    assert (
        upscale(read_stack(source), tmp_path / "sr.zarr", model(), FP32, resume=True).computed == 1
    )
    assert files(tmp_path / "sr.zarr") == undisturbed(source, tmp_path)


def test_an_input_that_stays_as_it_is_is_no_change(tmp_path: Path) -> None:
    source = folder_of_slices(tmp_path / "lr")
    expected = undisturbed(source, tmp_path)
    disturbed(source, tmp_path / "sr.zarr", lambda: None, after=2)
    assert files(tmp_path / "sr.zarr") == expected
