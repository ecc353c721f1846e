"""A check knows an isotropic volume and says what of it was measured."""

import json
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest

from napari_sem_sr import read_stack
from napari_sem_sr.axial import iter_isotropic
from napari_sem_sr.checking import check
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import drain
from napari_sem_sr.stack import SemStack
from tests.axial.specimens import QUICK, sliced, volume


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SemStack:
    output = tmp_path_factory.mktemp("isotropic") / "volume.zarr"
    drain(iter_isotropic(sliced(), output, QUICK))
    return read_stack(output)


def test_it_says_what_is_synthetic_and_what_the_test_found(tmp_path: Path, made: SemStack) -> None:
    report = check(sliced(), made, out=tmp_path / "check")
    written = json.loads((tmp_path / "check" / "report.json").read_text())
    assert written["isotropic"]["synthetic_axis"] == "z"
    assert written["isotropic"]["synthetic_slices"] == 18
    assert written["isotropic"]["left_out"] == (made.provenance or {})["left_out"]
    assert written["consistency"]["as_measured"] == 7
    assert "18 of the 25 slices" in report.verdict
    assert "it never saw" in report.verdict
    page = (tmp_path / "check" / "report.html").read_text()
    assert "synthetic in z" in page


def test_a_true_volume_is_compared_between_the_measured_slices(
    tmp_path: Path, made: SemStack
) -> None:
    truth = SemStack.from_array(volume((25, 60, 56)), "truth", voxel_nm=(5.0, 5.0, 5.0))
    scores = check(sliced(), made, truth, out=tmp_path / "check").scores
    assert scores is not None
    between = [j for j in range(25) if j % 4]
    error = np.stack([made.slice(j).astype(float) - truth.slice(j) for j in between])
    assert scores["psnr"] == pytest.approx(10 * np.log10(255**2 / np.mean(error**2)))
    assert scores["linear_psnr"] is not None


def test_a_measured_slice_that_was_changed_is_found(tmp_path: Path, made: SemStack) -> None:
    pixels = made.data.compute()
    pixels[8, 0, 0] ^= 1
    changed = replace(made, data=da.from_array(pixels, chunks=(1, 60, 56)), paths=())
    assert "1 of the 7 measured slices" in check(sliced(), changed, out=tmp_path / "c").verdict


def test_slices_it_was_not_made_of_are_refused(tmp_path: Path, made: SemStack) -> None:
    with pytest.raises(InputError, match="was not made of"):
        check(sliced(6), made, out=tmp_path / "check")
    assert not (tmp_path / "check").exists()


def test_a_finished_check_is_left_as_it_is(tmp_path: Path, made: SemStack) -> None:
    out = tmp_path / "check"
    first = check(sliced(), made, out=out)
    before = (out / "report.json").read_bytes()
    with pytest.raises(OutputError, match="holds a check already"):
        check(sliced(), made, out=out)
    assert check(sliced(), made, out=out, resume=True).verdict == first.verdict
    assert (out / "report.json").read_bytes() == before
