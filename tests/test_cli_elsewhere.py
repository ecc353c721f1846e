"""Wherever the command line opens an image, pixels outside of its folder are read if that was asked for, and only then."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_sem_sr.cli import app
from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

COMMANDS = {
    "info": ["info", "a.h5"],
    "upscale": ["upscale", "a.h5", "sr.zarr", "--model", "sem-x4-fast"],
    "check --lr": ["check", "--lr", "a.h5", "--sr", "sr.zarr", "--out", "check"],
    "isotropic": ["isotropic", "a.h5", "iso.zarr"],
    "measure": ["measure", "a.h5", "--out", "numbers"],
    "register": ["register", "--hr", "hr.tif", "--lr", "a.h5", "--out", "pair"],
    "match --hr": ["match", "--hr", "a.h5", "--lr", "b.h5"],
    "models export --lr": ["models", "export", "sem-x4-fast", "m.onnx", "--onnx", "--lr", "a.h5"],
    "train, teachers": ["train", "a.h5", "--out", "mine"],
    "check --reference": ["check", "--lr", "a.h5", "--sr", "b.h5", "--reference", "c.h5", "--out", "d"],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("asked", [False, True])
def test_every_command_passes_on_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], asked: bool
) -> None:
    def opened(path: Path, *, elsewhere: bool = False, **_: Any) -> None:
        raise InputError(f"{path.name} {'elsewhere' if elsewhere else 'here'}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("napari_sem_sr.io.read_stack", opened)
    monkeypatch.setattr("napari_sem_sr.teachers.teacher.read_stack", opened)
    result = CliRunner().invoke(app, [*command, *(["--elsewhere"] if asked else [])])
    assert result.exit_code == 1
    assert str(result.exception).endswith("elsewhere" if asked else "here")


def test_the_stack_that_a_model_is_trained_for_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(path: Path, *, elsewhere: bool = False, **_: Any) -> None:
        raise InputError(f"{path.name} {'elsewhere' if elsewhere else 'here'}")

    teacher = SemStack.from_array(np.eye(64), "teacher")
    monkeypatch.setattr("napari_sem_sr.teachers.teacher.read_stack", lambda *_, **__: teacher)
    monkeypatch.setattr("napari_sem_sr.io.read_stack", opened)
    command = ["train", "t.tif", "--out", str(tmp_path / "mine"), "--lr", "lr.h5"]
    assert str(CliRunner().invoke(app, command).exception) == "lr.h5 here"
    asked = CliRunner().invoke(app, [*command, "--elsewhere"])
    assert str(asked.exception) == "lr.h5 elsewhere"
