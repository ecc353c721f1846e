"""One writer at a time, and the second is told who the first is."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io import lock
from napari_sem_sr.io.lock import lock_file, locked


def test_a_second_writer_is_told_the_process_and_the_machine(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "sr.zarr"),
        pytest.raises(OutputError) as caught,
        locked(tmp_path / "sr.zarr"),
    ):
        pass
    said = str(caught.value)
    assert f"process {os.getpid()} on '{socket.gethostname()}'" in said
    assert "\n" not in said


def test_a_writer_that_has_not_signed_yet_is_waited_for(tmp_path: Path, monkeypatch) -> None:
    read, unsigned = lock._read, [{}, {}]
    with locked(tmp_path / "a"):
        monkeypatch.setattr(lock, "_read", lambda file: unsigned.pop() if unsigned else read(file))
        again = locked(tmp_path / "a")
        with pytest.raises(OutputError, match=f"process {os.getpid()}"):
            again.__enter__()
    assert not unsigned


def test_nothing_is_left_behind_and_other_outputs_are_free(tmp_path: Path) -> None:
    with locked(tmp_path / "sr.zarr"), locked(tmp_path / "sr.tif"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_let_go_of_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "a"):
        raise RuntimeError
    with locked(tmp_path / "a"):
        pass


def test_the_lock_of_a_process_that_was_killed_is_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from napari_sem_sr.io.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {process.pid}"), locked(tmp_path / "a"):
            pass
        process.kill()
    assert lock_file(tmp_path / "a").exists()
    with locked(tmp_path / "a"):
        assert json.loads(lock_file(tmp_path / "a").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("content", [b"", b"\x00\xff{", b"[1, 2]", b'{"pid": "x"}'])
def test_a_damaged_lock_file_of_nobody_is_no_lock(tmp_path: Path, content: bytes) -> None:
    lock_file(tmp_path / "a").write_bytes(content)
    with locked(tmp_path / "a"):
        pass


def left_by(path: Path, pid: int, host: str) -> Path:
    file = lock_file(path)
    file.write_text(json.dumps({"pid": pid, "host": host, "since": "noon"}))
    return file


def test_another_machine_holds_it_as_long_as_it_touches_the_file(tmp_path: Path) -> None:
    file = left_by(tmp_path / "a", 1, "elsewhere")
    with pytest.raises(OutputError, match="process 1 on 'elsewhere'"), locked(tmp_path / "a"):
        pass
    silent = file.stat().st_mtime - lock.GONE - 1
    os.utime(file, (silent, silent))
    with locked(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_holder_touches_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = threading.Event()
    utime = os.utime
    monkeypatch.setattr(lock, "BEAT", 0.01)
    monkeypatch.setattr(os, "utime", lambda *a, **k: (utime(*a, **k), touched.set()))
    with locked(tmp_path / "a"):
        assert touched.wait(20)


def test_without_locks_of_the_system_the_process_named_in_the_file_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_hold", lambda _: True)
    monkeypatch.setattr(lock, "_has_locks", lambda _: False)
    here = socket.gethostname()
    left_by(tmp_path / "a", os.getppid(), here)
    with pytest.raises(OutputError, match=f"process {os.getppid()}"), locked(tmp_path / "a"):
        pass
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    left_by(tmp_path / "a", gone.pid, here)
    with locked(tmp_path / "a"):
        pass


def test_one_can_wait_for_a_writer_who_is_soon_done(tmp_path: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def first() -> None:
        with locked(tmp_path / "a"):
            held.set()
            done.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(20)
    threading.Timer(0.2, done.set).start()
    with locked(tmp_path / "a", wait_s=20):
        pass
    thread.join()


def test_a_place_where_nothing_may_be_written_needs_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with locked(tmp_path / "a"):
        pass


def test_the_longest_names_have_locks_of_their_own(tmp_path: Path) -> None:
    one, other = ("x" * 250 + end for end in ("1.tif", "2.tif"))
    with locked(tmp_path / one), locked(tmp_path / other):
        pass
