"""The command line: contracts of output, exit codes and one-line errors."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import typer
from PIL import Image

from napari_sem_sr import cli
from napari_sem_sr.model import zoo

COMMANDS = typer.main.get_command(cli.app)


def said_by(command: Any, path: str = "sem-sr") -> Iterator[tuple[str, Any]]:
    """Every command with what it is called."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from said_by(below, f"{path} {name}")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``sem-sr`` as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "napari_sem_sr", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


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
def lr(tmp_path: Path) -> Path:
    path = tmp_path / "lr.tif"
    image = np.random.default_rng(0).integers(0, 255, (3, 20, 24), np.uint8)
    tifffile.imwrite(path, image, imagej=True, metadata={"axes": "ZYX"})
    return path


def one_line(err: str) -> str:
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("Error: ")
    return lines[0]


@pytest.mark.parametrize(("path", "command"), dict(said_by(COMMANDS)).items())
def test_help_says_what_a_command_does_and_what_each_of_its_parameters_is(
    path: str, command: Any
) -> None:
    said = str(command.help)
    assert said.endswith(".")
    assert "Parameters" not in said
    assert "---" not in said
    assert [p.name for p in command.params if not p.help] == []


def test_without_arguments_it_explains_itself() -> None:
    shown = run()
    text = shown.stdout + shown.stderr
    for command in ("demo", "app", "info", "models", "train", "upscale", "check", "bench"):
        assert command in text


def test_info_prints_one_json_document(sem_sr, lr: Path) -> None:
    code, out, _ = sem_sr("info", lr, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["shape"] == [3, 20, 24]
    assert document["dtype"] == "uint8"
    assert document["voxel_nm"] == [None, None, None]
    assert {"tilt_deg", "instrument"} <= document.keys()
    assert {"maker", "model", "detector", "kv", "wd_mm"} <= document["instrument"].keys()


def test_a_typed_voxel_size_is_used(sem_sr, lr: Path) -> None:
    code, out, _ = sem_sr("info", lr, "--json", "--voxel", "20,5,5")
    assert code == 0
    assert json.loads(out)["voxel_nm"] == [20.0, 5.0, 5.0]


def test_info_says_where_each_number_comes_from(sem_sr, lr: Path) -> None:
    code, out, _ = sem_sr("info", lr, "--voxel", "20,5,5", "--tilt", "38")
    assert code == 0
    lines = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    assert "20 nm" in lines["slice thickness (z)"]
    assert "(typed)" in lines["pixel size (y)"]
    assert "38 °" in lines["tilt of the face"]
    document = json.loads(sem_sr("info", lr, "--json")[1])
    assert document["voxel_source"] == ["unknown"] * 3
    assert document["notices"] == []


def test_info_examines_slices_and_leaves_out_what_it_is_told_to(sem_sr, lr: Path) -> None:
    code, out, err = sem_sr("info", lr, "--examine", "--json")
    assert code == 0, err
    assert json.loads(out)["findings"] == []
    assert json.loads(sem_sr("info", lr, "--without", "0,2", "--json")[1])["shape"][0] == 1
    code, _, err = sem_sr("info", lr, "--without", "7")
    assert code == 1
    assert "no slice 7 to leave out" in err


def test_upscale_prints_json_on_stdout_and_progress_on_stderr(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    out_path = tmp_path / "sr.zarr"
    code, out, err = sem_sr("upscale", lr, out_path, "--model", bundle, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["output"].endswith("sr.zarr")
    assert [stage["name"] for stage in document["stages"]]
    code, out, _ = sem_sr("info", out_path, "--json")
    assert json.loads(out)["shape"] == [3, 80, 96]
    assert json.loads(out)["synthetic"] is True


def test_an_existing_output_is_kept_unless_told_otherwise(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    out_path = tmp_path / "sr.zarr"
    assert sem_sr("upscale", lr, out_path, "--model", bundle)[0] == 0
    code, _, err = sem_sr("upscale", lr, out_path, "--model", bundle)
    assert code == 1
    assert "--resume" in one_line(err) and "--overwrite" in one_line(err)
    assert sem_sr("upscale", lr, out_path, "--model", bundle, "--resume")[0] == 0
    assert sem_sr("upscale", lr, out_path, "--model", bundle, "--overwrite")[0] == 0


def test_several_stacks_go_into_one_folder_and_a_damaged_one_stops_none_of_the_others(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    damaged, other = tmp_path / "damaged.tif", tmp_path / "more" / lr.name
    damaged.write_bytes(b"II*\0nonsense")
    other.parent.mkdir()
    other.write_bytes(lr.read_bytes())
    out = tmp_path / "night"
    arguments = ("upscale", lr, damaged, other, "--out", out, "--model", bundle, "--json")
    code, printed, err = sem_sr(*arguments)
    assert code == 1
    assert "'damaged.tif'" in err or "damaged.tif" in err
    document = json.loads(printed)
    names = [Path(result["output"]).name for result in document["results"]]
    assert names == [f"{lr.stem}_tiny-x4_sr.zarr", f"{lr.stem}_tiny-x4_sr-2.zarr"]
    assert list(document["failed"]) == [str(damaged)]
    assert all((out / name).is_dir() for name in names)
    code, printed, _ = sem_sr(*arguments, "--resume")
    assert code == 1 and [r["computed"] for r in json.loads(printed)["results"]] == [0, 0]


def test_several_stacks_without_a_folder_are_a_usage_error(sem_sr, lr: Path, bundle: Path) -> None:
    assert sem_sr("upscale", lr, lr, lr, "--model", bundle)[0] == 2
    assert sem_sr("upscale", lr, "--model", bundle)[0] == 2


def test_a_missing_file_is_one_line_and_exit_1(sem_sr, tmp_path: Path) -> None:
    code, out, err = sem_sr("info", tmp_path / "nothing.tif")
    assert code == 1
    assert out == ""
    assert "nothing.tif" in one_line(err)


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    shown = run("info", tmp_path / "nothing.tif", "--debug")
    assert shown.returncode == 1
    assert "Traceback" in shown.stderr


def test_an_empty_folder_is_one_line_and_exit_1(sem_sr, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = sem_sr("info", tmp_path / "empty")
    assert code == 1
    assert "empty" in one_line(err)


def test_a_truncated_tiff_is_one_line_and_exit_1(sem_sr, lr: Path, bundle: Path) -> None:
    lr.write_bytes(lr.read_bytes()[:700])
    code, _, err = sem_sr("upscale", lr, lr.with_name("sr.zarr"), "--model", bundle)
    assert code == 1
    one_line(err)


def test_a_colour_photograph_needs_grey(sem_sr, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)).save(path)
    code, _, err = sem_sr("info", path)
    assert code == 1
    assert "--grey" in one_line(err)
    assert sem_sr("info", path, "--grey")[0] == 0


def test_mixed_slice_sizes_are_one_line_and_exit_1(sem_sr, tmp_path: Path) -> None:
    for name, side in (("s1.png", 8), ("s2.png", 8), ("s3.png", 9)):
        Image.fromarray(np.zeros((side, side), np.uint8)).save(tmp_path / name)
    code, _, err = sem_sr("info", tmp_path)
    assert code == 1
    assert "s3.png" in one_line(err)


def test_an_all_nan_image_is_one_line_and_exit_1(sem_sr, bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "nan.tif"
    tifffile.imwrite(path, np.full((16, 16), np.nan, np.float32))
    code, _, err = sem_sr("upscale", path, tmp_path / "sr.zarr", "--model", bundle)
    assert code == 1
    assert "NaN" in one_line(err)


def test_a_corrupt_bundle_is_one_line_and_exit_1(sem_sr, lr: Path, bundle: Path) -> None:
    (bundle / "generator.safetensors").write_bytes(b"oops")
    code, _, err = sem_sr("upscale", lr, lr.with_name("sr.zarr"), "--model", bundle)
    assert code == 1
    assert "damaged" in one_line(err)


def test_a_bundle_with_a_pickle_in_it_is_one_line_and_exit_1(
    sem_sr, lr: Path, bundle: Path
) -> None:
    (bundle / "weights.pkl").write_bytes(b"\x80\x04.")
    code, _, err = sem_sr("upscale", lr, lr.with_name("sr.zarr"), "--model", bundle)
    assert code == 1
    assert "weights.pkl" in one_line(err)


def test_an_output_of_unknown_kind_is_one_line_and_exit_1(sem_sr, lr: Path, bundle: Path) -> None:
    code, _, err = sem_sr("upscale", lr, lr.with_name("sr.png"), "--model", bundle)
    assert code == 1
    assert ".zarr" in one_line(err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--slices", "1"),
        ("--slices", "a:b"),
        ("--region", "0:5"),
        ("--sharpness", "2"),
        ("--voxel", "1,2"),
        ("--resume", "--overwrite"),
    ],
)
def test_wrong_usage_exits_2(sem_sr, lr: Path, bundle: Path, arguments: tuple[str, ...]) -> None:
    code, _, _ = sem_sr("upscale", lr, lr.with_name("sr.zarr"), "--model", bundle, *arguments)
    assert code == 2


def test_models_can_be_imported_listed_shown_and_exported(
    sem_sr, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "user_folder", lambda: tmp_path / "user")
    assert sem_sr("models", "import", bundle)[0] == 0
    listed = json.loads(sem_sr("models", "--json")[1])
    assert "tiny" in [m["name"] for m in listed]
    assert json.loads(sem_sr("models", "show", "tiny", "--json")[1])["factor"] == 4
    assert sem_sr("models", "export", "tiny", tmp_path / "tiny.semsr")[0] == 0
    assert (tmp_path / "tiny.semsr").exists()
    assert sem_sr("models", "import", bundle, "--name", "twice")[0] == 0
    assert json.loads(sem_sr("models", "show", "twice", "--json")[1])["name"] == "twice"
    code, _, err = sem_sr("models", "import", bundle, "--name", "sem-x4")
    assert code == 1
    assert "another name" in one_line(err)
    code, _, err = sem_sr("models", "show", "unheard-of")
    assert code == 1
    assert "tiny" in one_line(err)


def test_check_prints_its_report_and_resumes_a_finished_one(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    sem_sr("upscale", lr, tmp_path / "sr.zarr", "--model", bundle)
    arguments = ("check", "--lr", lr, "--sr", tmp_path / "sr.zarr", "--out", tmp_path / "check")
    code, out, err = sem_sr(*arguments, "--model", bundle, "--json")
    assert code == 0, err
    assert json.loads(out) == json.loads((tmp_path / "check" / "report.json").read_text("utf-8"))
    before = (tmp_path / "check" / "report.html").read_bytes()
    assert "--resume" in one_line(sem_sr(*arguments, "--model", bundle)[2])
    assert sem_sr(*arguments, "--model", bundle, "--resume")[0] == 0
    assert (tmp_path / "check" / "report.html").read_bytes() == before


def test_upscaling_checks_in_the_same_pass_where_asked_to_and_a_quick_look_says_of_what(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    sr = tmp_path / "sr.zarr"
    code, out, err = sem_sr("upscale", lr, sr, "--model", bundle, "--check", "--json")
    assert code == 0, err
    document = json.loads(out)
    report = json.loads((tmp_path / "sr_check" / "report.json").read_text("utf-8"))
    assert document["check"] == report and document["computed"] == document["total"]
    assert "compute" in err and "write" in err, "where the time went"
    arguments = ("--lr", lr, "--sr", sr, "--model", bundle, "--out", tmp_path / "quick")
    code, out, err = sem_sr("check", *arguments, "--every", 2, "--json")
    assert code == 0, err
    checked = json.loads(out)["sr"]["checked"]
    assert checked.get("looked_at", [0]) == list(range(0, checked["slices"][1], 2))
    code, _, err = sem_sr(
        "upscale", lr, sr, "--model", bundle, "--check", "--scheduler", "tcp://x:1"
    )
    assert code == 2


def test_a_model_of_another_factor_is_one_line_and_exit_1(
    sem_sr, lr: Path, bundle: Path, tmp_path: Path
) -> None:
    sem_sr("upscale", lr, tmp_path / "sr.zarr", "--model", bundle)
    card = bundle / "card.json"
    card.write_text(card.read_text().replace('"factor": 4', '"factor": 2'))
    arguments = ("--sr", tmp_path / "sr.zarr", "--model", bundle, "--out", tmp_path / "check")
    code, _, err = sem_sr("check", "--lr", lr, *arguments)
    assert code == 1
    one_line(err)
    assert not (tmp_path / "check").exists()


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process"
)
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.tif"
    tifffile.imwrite(path, np.zeros((400, 64, 64), np.uint8))
    work = subprocess.Popen(
        [sys.executable, "-m", "napari_sem_sr", "upscale", str(path), str(tmp_path / "sr.zarr"),
         "--model", str(bundle)],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    while not (tmp_path / "sr.zarr" / "0" / "c" / "0").exists():
        assert work.poll() is None
        time.sleep(0.01)
    work.send_signal(signal.SIGINT)
    _, err = work.communicate(timeout=60)
    assert work.returncode == 130
    assert "--resume" in err and "Traceback" not in err
