"""``sem-sr measure``: what it prints and leaves, and one line for what it cannot measure."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_sem_sr import cli
from napari_sem_sr.io import write_tiff
from napari_sem_sr.stack import SemStack


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


def volume(path: Path, shape: tuple[int, int, int], pixel: float) -> Path:
    """Layers across x, the same field at any pixel."""
    width = 64.0 / shape[2]
    layers = np.indices(shape)[2] * width % 16 < 8
    stack = SemStack.from_array(
        np.where(layers, 180, 60).astype(np.uint8), path.stem, voxel_nm=(20.0, pixel, pixel)
    )
    write_tiff(stack, path, provenance={"synthetic": False})
    return path


def test_volumes_and_lr_are_measured_side_by_side(sem_sr, tmp_path):
    sr = volume(tmp_path / "sr.tif", (6, 64, 64), 5.0)
    lr = volume(tmp_path / "lr.tif", (6, 16, 16), 20.0)
    out = tmp_path / "numbers"
    code, text, _ = sem_sr("measure", sr, "--bicubic", lr, "--out", out, "--quick", "--json")
    assert code == 0
    told = json.loads(text)
    assert [v["name"] for v in told["volumes"]] == ["bicubic of lr", "sr"]
    assert told["volumes"][0]["shape"] == told["volumes"][1]["shape"]
    for file in ("measure.json", "measure.csv", "report.html", "labels.zarr"):
        assert (out / file).exists()
    code, text, err = sem_sr("measure", sr, "--out", out)
    assert code == 1
    assert err.count("\n") == 1
    assert "--overwrite" in err


def test_an_unknown_voxel_size_is_asked_for_and_taken(sem_sr, tmp_path):
    stack = SemStack.from_array(
        np.where(np.indices((5, 24, 24))[2] % 8 < 4, 180, 60).astype(np.uint8), "bare"
    )
    write_tiff(stack, tmp_path / "bare.tif", provenance={"synthetic": False})
    code, _, err = sem_sr("measure", tmp_path / "bare.tif", "--out", tmp_path / "n", "--quick")
    assert code == 1
    assert "--voxel" in err
    assert not (tmp_path / "n").exists()
    code, out, _ = sem_sr(
        "measure", tmp_path / "bare.tif", "--out", tmp_path / "n", "--quick", "--voxel", "20,5,5"
    )
    assert code == 0
    assert "1/µm" in out
