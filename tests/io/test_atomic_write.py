import errno
import os
import sys

import pytest

import napari_sem_sr.io.atomic_write as atomic_write_module
from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import (
    atomic_write,
    exchange,
    make_folder,
    recover_folder,
    replace_folder,
    translate_os_errors,
)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "a.txt"
    with atomic_write(target) as unfinished:
        unfinished.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    with pytest.raises(RuntimeError), atomic_write(target) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_is_synced_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    log = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (log.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *a: (log.append("rename"), replace(*a)))
    with atomic_write(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("x")
    assert log == ["sync", "rename", "sync"]


def test_folders_are_made_with_those_above_them(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.EIO, "check the disk"),
    ],
)
def test_what_the_system_says_becomes_one_sentence(tmp_path, code, said):
    with pytest.raises(OutputError, match=said) as caught, translate_os_errors(tmp_path / "out"):
        raise OSError(code, os.strerror(code))
    assert str(tmp_path / "out") in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def refusing(times, monkeypatch):
    """Let the system refuse to rename a few times, as a virus scanner makes it."""
    intact, left = os.replace, iter(range(times))

    def refuse(*args):
        if next(left, None) is not None:
            raise PermissionError(errno.EACCES, "Permission denied")
        intact(*args)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(atomic_write_module.time, "sleep", lambda _: None)


def test_on_windows_a_rename_that_is_refused_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    refusing(3, monkeypatch)
    monkeypatch.setattr(sys, "platform", "win32")
    with atomic_write(tmp_path / "a") as path:
        path.write_text("x")
    assert (tmp_path / "a").read_text() == "x"


@pytest.mark.parametrize(("system", "times"), [("win32", 99), ("linux", 1)])
def test_a_rename_that_is_refused_for_good_is_an_error(tmp_path, monkeypatch, system, times):
    refusing(times, monkeypatch)
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(PermissionError), atomic_write(tmp_path / "a") as path:
        path.write_text("x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exchanged", [True, False])
def test_a_folder_takes_the_place_of_another(tmp_path, monkeypatch, exchanged):
    if not exchanged:
        monkeypatch.setattr(atomic_write_module, "exchange", lambda *_: False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert [p.name for p in (tmp_path / "old").iterdir()] == ["new"]


def test_what_a_kill_left_aside_is_brought_back_or_removed(tmp_path):
    aside = tmp_path / ".out.replaced.partial"
    aside.mkdir()
    recover_folder(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    aside.mkdir()
    recover_folder(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_names_are_exchanged_where_the_system_can(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    swapped = exchange(tmp_path / "a", tmp_path / "b")
    expected = ("b", "a") if swapped else ("a", "b")
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == expected
    assert not exchange(tmp_path / "a", tmp_path / "nothing")
