"""TIFF outputs go through a resumable OME-Zarr and end as one file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Progress, SliceDone
from napari_sem_sr.inference.inputs import COMPARING
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.io import ZarrStackWriter, atomic_write, read_stack, write_tiff
from tests.inference.specimens import files, model, stack

FP32 = UpscaleSettings(device="cpu", precision="fp32", tile=16)


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("name", ["sr.tif", "sr.ome.tiff"])
def test_a_tiff_holds_the_pixels_place_and_provenance_of_the_zarr(
    tmp_path: Path, name: str
) -> None:
    expected = upscale(stack(3), tmp_path / "sr.zarr", model(), FP32)
    result = upscale(stack(3), tmp_path / name, model(), FP32)
    assert result.output == tmp_path / name
    assert names(tmp_path) == sorted([name, "sr.zarr"])
    assert np.array_equal(
        tifffile.imread(tmp_path / name), zarr.open_group(tmp_path / "sr.zarr", mode="r")["0"][:]
    )
    read = read_stack(tmp_path / name)
    assert read.voxel_nm == pytest.approx((20.0, 2.5, 2.0))
    assert read.world.translate == pytest.approx(read_stack(tmp_path / "sr.zarr").world.translate)
    assert dict(read.provenance or {}) == dict(expected.provenance)


def stopped_after(
    event: Callable[[object], bool],
    output: Path,
    settings: UpscaleSettings = FP32,
    *,
    overwrite: bool = False,
) -> None:
    """Begin `stack(3)` and stop at an event."""
    work = iter_upscale(stack(3), output, model(), settings, overwrite=overwrite)
    for happened in work:
        if event(happened):
            break
    work.close()


def is_comparing(event: object) -> bool:
    """Whether all slices are done and the input is looked at once more."""
    return isinstance(event, Progress) and event.what == COMPARING


def is_assembling(event: object) -> bool:
    """Whether the TIFF is being assembled."""
    return isinstance(event, Progress) and event.what == "writing"


@pytest.mark.parametrize("event", [lambda e: isinstance(e, SliceDone), is_assembling])
def test_a_tiff_is_resumed_and_is_the_same_file(tmp_path: Path, event: Callable) -> None:
    upscale(stack(3), tmp_path / "through" / "sr.tif", model(), FP32)
    output = tmp_path / "stopped" / "sr.tif"
    stopped_after(event, output)
    assert names(tmp_path / "stopped") == ["sr.tif.partial.zarr"]
    with pytest.raises(OutputError, match="exists already"):
        upscale(stack(3), output, model(), FP32)
    upscale(stack(3), output, model(), FP32, resume=True)
    assert files(tmp_path / "stopped") == files(tmp_path / "through")


def test_resume_of_a_finished_tiff_changes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "sr.tif"
    upscale(stack(3), output, model(), FP32)
    before = (output.read_bytes(), output.stat().st_mtime_ns)
    result = upscale(stack(3), output, model(), FP32, resume=True)
    assert result.computed == 0
    assert (output.read_bytes(), output.stat().st_mtime_ns) == before
    with pytest.raises(OutputError, match="sharpness"):
        upscale(stack(3), output, model(), replace(FP32, sharpness=0.0), resume=True)
    assert (output.read_bytes(), output.stat().st_mtime_ns) == before


def test_resume_removes_what_a_kill_between_the_last_two_steps_left(tmp_path: Path) -> None:
    output = tmp_path / "sr.tif"
    stopped_after(lambda e: isinstance(e, SliceDone), output)
    upscale(stack(3), tmp_path / "b" / "sr.tif", model(), FP32)
    (tmp_path / "b" / "sr.tif").rename(output)
    upscale(stack(3), output, model(), FP32, resume=True)
    assert names(tmp_path) == ["b", "sr.tif"]


def test_overwrite_replaces_a_tiff_and_what_is_left_of_an_unfinished_one(tmp_path: Path) -> None:
    output = tmp_path / "sr.tif"
    upscale(stack(2), output, model(), FP32)
    stopped_after(lambda e: isinstance(e, SliceDone), output, overwrite=True)
    assert names(tmp_path) == ["sr.tif", "sr.tif.partial.zarr"]
    assert tifffile.imread(output).shape == (2, 132, 164)
    upscale(stack(3), output, model(), FP32, overwrite=True)
    assert names(tmp_path) == ["sr.tif"]
    assert tifffile.imread(output).shape == (3, 132, 164)


@pytest.mark.parametrize("when", [lambda e: isinstance(e, SliceDone), is_comparing])
def test_an_overwritten_zarr_keeps_its_place_until_the_new_one_is_whole(
    tmp_path: Path, when: Callable[[object], bool]
) -> None:
    output = tmp_path / "sr.zarr"
    upscale(stack(3), output, model(), FP32)
    old = files(output)
    sharper = replace(FP32, sharpness=1.0)
    stopped_after(when, output, settings=sharper, overwrite=True)
    assert files(output) == old
    upscale(stack(3), output, model(), sharper, overwrite=True)
    assert names(tmp_path) == ["sr.zarr"]
    upscale(stack(3), tmp_path / "fresh" / "sr.zarr", model(), sharper)
    assert files(output) == files(tmp_path / "fresh" / "sr.zarr")


@pytest.mark.parametrize("exchanged", [True, False])
def test_a_system_that_cannot_exchange_names_puts_the_old_aside_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanged: bool
) -> None:
    output = tmp_path / "sr.zarr"
    upscale(stack(2), output, model(), FP32)
    if not exchanged:
        monkeypatch.setattr(atomic_write, "exchange", lambda *_: False)
    upscale(stack(3), output, model(), FP32, overwrite=True)
    assert names(tmp_path) == ["sr.zarr"]
    # as a kill between two renames leaves it
    output.rename(tmp_path / ".sr.zarr.replaced.partial")
    result = upscale(stack(3), output, model(), FP32, resume=True)
    assert (result.computed, names(tmp_path)) == (0, ["sr.zarr"])


@pytest.mark.parametrize("name", ["sr.zarr", "sr.tif"])
def test_a_folder_that_lies_where_the_new_output_would_be_made_is_never_removed(
    tmp_path: Path, name: str
) -> None:
    upscale(stack(2), tmp_path / name, model(), FP32)
    (tmp_path / f"{name}.partial.zarr").mkdir()
    (tmp_path / f"{name}.partial.zarr" / "thesis.txt").write_text("three years")
    before = files(tmp_path)
    with pytest.raises(OutputError, match="not a stack written by"):
        upscale(stack(3), tmp_path / name, model(), FP32, overwrite=True)
    assert files(tmp_path) == before


def measured_tiff(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8))


def own_tiff_of_something_measured(path: Path) -> None:
    write_tiff(stack(2), path, provenance={"synthetic": False})


def own_zarr_of_something_measured(path: Path) -> None:
    writer = ZarrStackWriter.create(path, like=stack(2), provenance={"synthetic": False})
    for z in range(2):
        writer.write_slice(z, stack(2).slice(z))
    writer.finish()


def foreign_zarr(path: Path) -> None:
    zarr.save_array(path, np.zeros((2, 4, 4), np.uint8))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sr.tif", measured_tiff),
        ("sr.tif", own_tiff_of_something_measured),
        ("sr.zarr", own_zarr_of_something_measured),
        ("sr.zarr", foreign_zarr),
    ],
)
@pytest.mark.parametrize("how", [{"overwrite": True}, {"resume": True}])
def test_what_was_measured_is_never_overwritten(
    tmp_path: Path, name: str, make: Callable[[Path], None], how: dict[str, bool]
) -> None:
    make(tmp_path / name)
    before = files(tmp_path)
    with pytest.raises(OutputError) as caught:
        upscale(stack(3), tmp_path / name, model(), FP32, **how)
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == before


def test_a_finished_tiff_that_was_cut_off_is_not_called_finished(tmp_path: Path) -> None:
    output = tmp_path / "sr.tif"
    upscale(stack(3), output, model(), FP32)
    output.write_bytes(output.read_bytes()[:-2000])
    with pytest.raises(OutputError, match="cannot be read"):
        upscale(stack(3), output, model(), FP32, resume=True)


@pytest.mark.parametrize("name", ["sr.zarr", "sr.tif"])
def test_another_tilt_is_another_run(tmp_path: Path, name: str) -> None:
    upscale(replace(stack(3), tilt_deg=38.0), tmp_path / name, model(), FP32)
    for other in (52.0, None):
        with pytest.raises(OutputError, match="the tilt"):
            upscale(replace(stack(3), tilt_deg=other), tmp_path / name, model(), FP32, resume=True)


def test_a_folder_named_like_a_tiff_is_never_removed(tmp_path: Path) -> None:
    output = tmp_path / "sr.tif"
    output.mkdir()
    (output / "thesis.txt").write_text("three years")
    with pytest.raises(OutputError, match="is a folder"):
        upscale(stack(3), output, model(), FP32, overwrite=True)
    assert (output / "thesis.txt").exists()


def test_a_dtype_that_tiff_cannot_hold_is_refused_before_any_work(tmp_path: Path) -> None:
    lr = stack(2, dtype=np.float16)
    with pytest.raises(OutputError, match="float16"):
        upscale(lr, tmp_path / "sr.tif", model(), FP32)
    assert names(tmp_path) == []
    upscale(lr, tmp_path / "sr.zarr", model(), FP32)
