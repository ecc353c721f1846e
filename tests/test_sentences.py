"""Whatever goes wrong outside of this package is one sentence, and what is printed does not cost what was done."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_sem_sr import cli
from napari_sem_sr.errors import InputError, MemoryShortError, OutputError
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.pipeline import LACKS_MEMORY, Tally
from napari_sem_sr.inference.runner import _unusable
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.read.raw import RawSource
from napari_sem_sr.stack import SemStack

PIXELS = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError("Unable to allocate 9 TiB"), "not enough memory"),
        (RuntimeError("can't start new thread"), "no more threads"),
        (
            PermissionError(13, "Permission denied", "/r/o"),
            "'/r/o' cannot be used (Permission denied)",
        ),
        (OSError(30, "Read-only file system", "x"), "'x' cannot be used (Read-only file system)"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(monkeypatch, capsys, error, said):
    def fail(args):
        raise error

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["sem-sr", "info", "x"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    found = capsys.readouterr().err
    assert said in found.replace("\n", " ")
    assert "Traceback" not in found


def test_a_defect_of_ours_shows_where_it_is(monkeypatch):
    def fail(args):
        raise RuntimeError("a defect")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["sem-sr"])
    with pytest.raises(RuntimeError, match="a defect"):
        cli.main()


def test_a_terminal_that_lacks_a_character_prints_its_number(tmp_path):
    script = (
        "from napari_sem_sr.terminal import printable, say; printable(); say('\u00b5m \U0001f52c')"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert found.returncode == 0
    assert found.stdout.startswith(b"\\xb5m")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_a_name_in_another_encoding_can_be_printed_and_written(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\x8e\x8e.tif"))
    tifffile.imwrite(path, PIXELS)
    name = read_stack(path).name
    assert name.encode()
    assert "\ufffd" in name


def test_an_output_among_the_slices_of_its_input_is_refused(tmp_path):
    folder = tmp_path / "slices"
    folder.mkdir()
    tifffile.imwrite(folder / "0.tif", PIXELS)
    for inside in (folder / "out.tif", folder / "deeper" / "out.zarr"):
        with pytest.raises(OutputError, match="lie in one another"):
            Destination.of(inside, read_stack(folder))
    Destination.of(folder / "out.tif", read_stack(folder / "0.tif"))
    Destination.of(tmp_path / "out.tif", read_stack(folder))


def test_a_name_that_leaves_no_room_for_the_unfinished_output_is_refused(tmp_path):
    stack = SemStack.from_array(PIXELS, "a")
    with pytest.raises(OutputError, match=r"too long; give one of at most \d+ bytes"):
        Destination.of(tmp_path / ("a" * 251 + ".tif"), stack)


def test_slices_that_lack_memory_are_named_apart_from_those_to_repair():
    stack = SemStack.from_array(np.zeros((4, 8, 8), np.uint8), "a")
    tally = Tally(done=2, total=4, unusable={1: LACKS_MEMORY, 3: "is all NaN"})
    said = str(_unusable(stack, tally))
    assert said.startswith(
        "Slice 3 of 'a' is all NaN; slice 1 of 'a' needs more memory than there is; 2 of 4"
    )
    assert "repair the input and close other programs" in said
    tally = Tally(done=3, total=4, unusable={1: LACKS_MEMORY})
    assert "repair" not in str(_unusable(stack, tally))


def test_a_slice_for_which_there_is_no_memory_is_not_called_damaged(tmp_path, monkeypatch):
    path = tmp_path / "a.raw"
    path.write_bytes(PIXELS.tobytes())

    def fail(self, index):
        raise MemoryError("Unable to allocate 4 KiB")

    monkeypatch.setattr(RawSource, "decode", fail)
    with pytest.raises(MemoryShortError, match="needs more memory") as caught:
        read_stack(f"{path}::1,64,64,uint8")
    assert isinstance(caught.value, InputError)
    assert "damaged" not in str(caught.value)


def test_printing_is_made_safe_before_anything_is_printed(monkeypatch):
    called = []
    monkeypatch.setattr(cli, "printable", lambda: called.append("printable"))
    monkeypatch.setattr(cli, "app", lambda args: called.append("app"))
    cli.main()
    assert called == ["printable", "app"]
