"""``sem-sr isotropic``: contracts of output and exit codes."""

import json
import sys
from pathlib import Path

import pytest

from napari_sem_sr import cli
from napari_sem_sr.io import write_tiff
from tests.axial.specimens import sliced


@pytest.fixture
def sem_sr(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run ``sem-sr`` in this process: (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sem-sr", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    path = tmp_path / "slices.tif"
    write_tiff(sliced(), path, provenance={"synthetic": False})
    return path


def test_json_holds_the_test_on_slices_left_out_and_resume_changes_nothing(
    sem_sr, slices: Path, tmp_path: Path
) -> None:
    asked = ("isotropic", slices, tmp_path / "v.zarr", "--steps", 1, "--json", "--device", "cpu")
    code, out, err = sem_sr(*asked)
    assert code == 0, err
    document = json.loads(out)
    assert set(document["provenance"]["left_out"]) == {
        "psnr",
        "linear_psnr",
        "cubic_psnr",
        "n_slices",
    }
    assert document["total"] == 25
    code, out, _ = sem_sr(*asked, "--resume")
    assert code == 0
    assert json.loads(out)["computed"] == 0
    code, _, err = sem_sr(*asked)
    assert code == 1
    assert "exists already" in err


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--minutes", 1, "--steps", 1), 2, "either --minutes or --steps"),
        (("--model", "nowhere.zarr"), 1, "There is no axial model at 'nowhere.zarr'"),
        (("--voxel", "5,5,5"), 1, "nothing is to be filled in"),
        (("--leave-out", 1), 1, "Leaving out 1 is not possible"),
        (("--minutes", 0), 1, "0 minutes is not possible"),
    ],
)
def test_what_cannot_be_is_one_line(
    sem_sr, slices: Path, tmp_path: Path, options: tuple[object, ...], code: int, says: str
) -> None:
    found, _, err = sem_sr("isotropic", slices, tmp_path / "v.zarr", *options)
    assert found == code
    # a usage error is drawn in a box, whose lines break anywhere
    assert says in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "v.zarr").exists()
