"""``sem-sr register`` as a program uses it."""

import json
import sys

import pytest

from napari_sem_sr import cli
from napari_sem_sr.io import read_stack, write_tiff
from napari_sem_sr.stack import SemStack
from tests.teachers.registration.test_register import field, measured


@pytest.fixture
def files(tmp_path):
    known = {"lr": (measured(field()), 20.0), "hr": (field(), 5.0)}
    for name, (image, pixel) in known.items():
        stack = SemStack.from_array(image.astype("float32"), name, voxel_nm=(None, pixel, pixel))
        write_tiff(stack, tmp_path / f"{name}.tif", provenance={"synthetic": False})
    return tmp_path


def call(monkeypatch, capfd, *arguments) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["sem-sr", "register", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def test_the_shift_is_printed_as_json_and_the_pair_is_there(files, monkeypatch, capfd):
    out = files / "pair"
    code, text, _ = call(
        monkeypatch, capfd, "--hr", files / "hr.tif", "--lr", files / "lr.tif", "--out", out, "--json"
    )  # fmt: skip
    assert code == 0
    assert json.loads(text)["shift_px"] == pytest.approx([0, 0], abs=0.1)
    assert read_stack(out / "hr.tif").shape[1] == 4 * read_stack(out / "lr.tif").shape[1]


def test_the_same_file_twice_is_refused_in_one_line(files, monkeypatch, capfd):
    out = files / "pair"
    code, _, err = call(
        monkeypatch, capfd, "--hr", files / "lr.tif", "--lr", files / "lr.tif", "--out", out
    )
    assert code == 1
    assert err.startswith("Error: ") and len(err.splitlines()) == 1 and "twice as fine" in err
    assert not out.exists()
