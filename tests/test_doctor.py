"""The doctor: all is well here, and what it says where it is not."""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_sem_sr import cli, doctor
from napari_sem_sr.inference.in_memory import LoadedModel


def found(name: str) -> doctor.Diagnosis:
    return doctor.EXAMINATIONS[name](name)


def health() -> doctor.Health:
    work = doctor.iter_examine_installation()
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def command(monkeypatch, capfd):
    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sem-sr", "doctor", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return int(end.value.code or 0), capfd.readouterr().out

    return call


@pytest.fixture
def brief(monkeypatch):
    """Only the examinations that take no time."""
    kept = {name: doctor.EXAMINATIONS[name] for name in ("Python", "your models' folder")}
    monkeypatch.setattr(doctor, "EXAMINATIONS", kept)


def test_the_self_test_gains_over_bicubic_here() -> None:
    test = found("self-test")
    assert test.state == "well", test
    assert "dB over bicubic" in test.found


def test_a_device_that_computes_wrongly_is_named(monkeypatch) -> None:
    right = LoadedModel.upscale

    def wrong(self, lr, **settings):
        sr = right(self, lr, **settings)
        return sr if "device" in settings else np.roll(sr, 2, axis=0)

    monkeypatch.setattr(LoadedModel, "upscale", wrong)
    test = found("self-test")
    assert test.state == "unwell"
    assert "--device cpu" in test.advice


def test_a_model_that_makes_it_worse_is_named(monkeypatch) -> None:
    monkeypatch.setattr(
        LoadedModel, "upscale", lambda self, lr, **_: np.zeros(np.multiply(lr.shape, 4), lr.dtype)
    )
    assert "--force-reinstall" in found("self-test").advice


def test_a_package_that_is_too_old_is_named_with_the_bound(monkeypatch) -> None:
    needs = ["zarr>=3.1.6", 'unheard-of; extra == "all"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needs)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.1.0")
    packages = found("packages")
    assert packages.state == "unwell"
    assert packages.found == "zarr 3.1.0 where >=3.1.6 is needed"


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "user_folder", lambda: tmp_path / "models")

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    folder = found("your models' folder")
    assert folder.state == "unwell"
    assert "Permission denied" in folder.found
    assert not list(tmp_path.iterdir())


def test_looking_at_the_folder_leaves_nothing_behind(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "user_folder", lambda: tmp_path / "models")
    assert found("your models' folder").state == "well"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="a display is always there")
def test_no_display_is_a_note_as_the_command_line_works(monkeypatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert found("display").state == "note"
    monkeypatch.setenv("DISPLAY", ":7")
    assert found("display") == doctor.Diagnosis("display", "well", ":7")


def test_what_breaks_in_one_examination_hides_no_other(monkeypatch, brief) -> None:
    def broken(name: str) -> doctor.Diagnosis:
        raise ImportError("DLL load failed")

    monkeypatch.setitem(doctor.EXAMINATIONS, "Python", broken)
    first, second = health().findings
    assert (first.state, second.state) == ("unwell", "well")
    assert "DLL load failed" in first.found


def test_the_command_says_each_line_and_exits_0(command, brief) -> None:
    code, out = command()
    assert code == 0
    assert [line.split(":")[0].split()[0] for line in out.splitlines()[:2]] == ["well", "well"]
    assert out.endswith("All is well.\n")


def test_the_command_exits_1_with_what_to_do_where_something_is_not_well(
    command, brief, monkeypatch
) -> None:
    monkeypatch.setitem(
        doctor.EXAMINATIONS,
        "Python",
        lambda name: doctor.Diagnosis(name, "unwell", "broken", "mend"),
    )
    code, out = command("--json")
    document = json.loads(out)
    assert code == 1
    assert document["well"] is False
    assert document["findings"][0] == {
        "name": "Python",
        "state": "unwell",
        "found": "broken",
        "advice": "mend",
    }
