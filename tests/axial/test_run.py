"""From slices to an isotropic volume: what it holds, that it resumes, and what it refuses."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_sem_sr import read_stack
from napari_sem_sr.axial import isotropic, iter_isotropic
from napari_sem_sr.axial.bundle import load_axial_model
from napari_sem_sr.errors import InputError, ModelError, OutputError
from napari_sem_sr.events import LeftOutScored, Notice, SliceDone, StepDone, drain
from tests.axial.specimens import QUICK, files, sliced


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume of `sliced()` that nothing disturbed; its files are not to be changed."""
    output = tmp_path_factory.mktemp("isotropic") / "volume.zarr"
    drain(iter_isotropic(sliced(), output, QUICK))
    return output


def both(output: Path) -> dict[str, bytes]:
    """Files of a volume and of the folder beside it."""
    return files(output) | files(output.with_name(f"{output.name}.axial"))


def test_voxels_are_cubes_and_measured_slices_are_at_their_places(finished: Path) -> None:
    volume = read_stack(finished)
    assert volume.voxel_nm == (5.0, 5.0, 5.0)
    assert volume.shape == (25, 60, 56)
    for k in range(7):
        np.testing.assert_array_equal(volume.slice(4 * k), sliced().slice(k))


def test_it_says_that_z_is_synthetic_and_what_the_test_found(finished: Path) -> None:
    provenance = read_stack(finished).provenance
    assert provenance is not None
    assert provenance["synthetic"]
    assert provenance["synthetic_axis"] == "z"
    assert set(provenance["left_out"]) == {"psnr", "linear_psnr", "cubic_psnr", "n_slices"}
    assert provenance["left_out"]["n_slices"] == 3
    assert provenance["model_hash"] == load_axial_model(finished).content_hash


def test_the_test_is_there_by_slice_and_as_a_map(finished: Path) -> None:
    beside = files(finished.with_name(f"{finished.name}.axial"))
    assert set(beside) == {"axial.safetensors", "left_out.csv", "left_out.tif", "left_out.png"}
    rows = beside["left_out.csv"].decode().splitlines()
    assert [row.split(",")[0] for row in rows] == ["slice", "1", "3", "5"]


@pytest.mark.parametrize("seed", range(3))
def test_killed_and_resumed_is_the_same_as_run_through(
    tmp_path: Path, finished: Path, seed: int
) -> None:
    output = tmp_path / "volume.zarr"
    script = Path(__file__).parent / "isotropic_process.py"
    events = random.Random(seed).randint(12, 60)
    with subprocess.Popen(
        [sys.executable, str(script), str(output)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(events):
            process.stdout.readline()
        process.kill()
    drain(iter_isotropic(sliced(), output, QUICK, resume=True))
    assert both(output) == both(finished)


@pytest.mark.parametrize("kind", [StepDone, SliceDone])
def test_closing_the_generator_leaves_what_resume_continues(
    tmp_path: Path, finished: Path, kind: type
) -> None:
    output = tmp_path / "volume.zarr"
    work = iter_isotropic(sliced(), output, QUICK)
    while not isinstance(next(work), kind):
        pass
    work.close()
    assert b'"complete": false' in files(output)["zarr.json"]
    result = drain(iter_isotropic(sliced(), output, QUICK, resume=True))
    assert both(output) == both(finished)
    assert result.left_out == read_stack(finished).provenance["left_out"]  # type: ignore[index]


def test_a_finished_volume_is_left_as_it_is(finished: Path) -> None:
    before = both(finished)
    result = drain(iter_isotropic(sliced(), finished, QUICK, resume=True))
    assert result.computed == 0
    assert both(finished) == before


def test_another_input_or_another_budget_is_another_run(finished: Path) -> None:
    with pytest.raises(OutputError, match="the input"):
        drain(iter_isotropic(sliced(side=(60, 60)), finished, QUICK, resume=True))
    with pytest.raises(OutputError, match="steps"):
        drain(iter_isotropic(sliced(), finished, replace(QUICK, steps=5), resume=True))
    with pytest.raises(OutputError, match="exists already"):
        drain(iter_isotropic(sliced(), finished, QUICK))


def test_a_model_learned_before_is_applied_and_tested_again(tmp_path: Path, finished: Path) -> None:
    result = isotropic(sliced(), tmp_path / "again.zarr", model=finished, device="cpu")
    assert result.left_out == read_stack(finished).provenance["left_out"]  # type: ignore[index]
    again, first = read_stack(tmp_path / "again.zarr"), read_stack(finished)
    np.testing.assert_array_equal(again.data.compute(), first.data.compute())
    with pytest.raises(ModelError, match="4 pixels apart and these are 3"):
        isotropic(sliced(ratio=3.0), tmp_path / "other.zarr", model=finished)
    assert not (tmp_path / "other.zarr").exists()


def test_a_ratio_that_is_not_whole_fills_cubes_all_the_same(tmp_path: Path) -> None:
    result = drain(iter_isotropic(sliced(ratio=2.5), tmp_path / "v.tif", QUICK))
    volume = read_stack(tmp_path / "v.tif")
    assert volume.voxel_nm == pytest.approx((5.0, 5.0, 5.0))
    assert volume.shape[0] == result.total == 16
    assert volume.provenance is not None
    assert volume.provenance["left_out"] == result.left_out
    for k in range(7):
        np.testing.assert_array_equal(volume.slice(round(2.5 * k)), sliced(ratio=2.5).slice(k))


def test_learning_beats_interpolation_on_slices_it_never_saw(tmp_path: Path) -> None:
    settings = replace(QUICK, steps=150, recipe=replace(QUICK.recipe, channels=16, batch=4))
    events = list(iter_isotropic(sliced(9, 2.0, (64, 64)), tmp_path / "v.zarr", settings))
    scored = next(e for e in events if isinstance(e, LeftOutScored))
    assert scored.psnr > scored.linear_psnr + 0.3
    assert scored.psnr > scored.cubic_psnr


def test_overwritten_it_is_the_new_volume_with_its_own_model(
    tmp_path: Path, finished: Path
) -> None:
    output = tmp_path / "volume.zarr"
    drain(iter_isotropic(sliced(), output, replace(QUICK, steps=1)))
    with pytest.raises(OutputError, match="steps"):
        drain(iter_isotropic(sliced(), output, QUICK, resume=True))
    drain(iter_isotropic(sliced(), output, QUICK, overwrite=True))
    assert both(output) == both(finished)
    assert {p.name for p in tmp_path.iterdir()} == {"volume.zarr", "volume.zarr.axial"}


def test_a_slice_that_went_missing_is_made_again(tmp_path: Path, finished: Path) -> None:
    output = tmp_path / "volume.zarr"
    drain(iter_isotropic(sliced(), output, QUICK))
    (output / "0" / "c" / "7" / "0" / "0").unlink()
    assert drain(iter_isotropic(sliced(), output, QUICK, resume=True)).computed == 1
    assert both(output) == both(finished)


def test_without_a_test_it_says_so(tmp_path: Path) -> None:
    result = isotropic(
        sliced(), tmp_path / "v.zarr", steps=1, leave_out=0, recipe=QUICK.recipe, device="cpu"
    )
    assert result.left_out is None
    assert "Not tested" in result.sentence


def test_planes_too_small_for_the_test_are_said_and_the_volume_is_made(tmp_path: Path) -> None:
    narrow = sliced(7, 6.0, (60, 60))
    events = list(iter_isotropic(narrow, tmp_path / "v.zarr", QUICK))
    said = [e.message for e in events if isinstance(e, Notice)]
    assert any("not tested on left-out slices" in s for s in said)
    assert read_stack(tmp_path / "v.zarr").shape[0] == 37


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        (sliced(1), "single slice"),
        (sliced(4), "4 slices; an isotropic volume needs at least 5"),
        (replace(sliced(), voxel_nm=(None, 5.0, 5.0)), "slice spacing"),
        (replace(sliced(), voxel_nm=(5.0, 5.0, 5.0)), "nothing is to be filled in"),
        (sliced(6, 12.0), "too small to learn from"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, stack: object, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        isotropic(stack, tmp_path / "v.zarr")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
