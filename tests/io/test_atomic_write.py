import errno
import os

import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import make_folder, replacing, told_plainly


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as unfinished:
        unfinished.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    with pytest.raises(RuntimeError), replacing(target) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_file_is_synced_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    log = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (log.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda *a: (log.append("rename"), replace(*a)))
    with replacing(tmp_path / "a.txt") as unfinished:
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
    with pytest.raises(OutputError, match=said) as caught, told_plainly(tmp_path / "out"):
        raise OSError(code, os.strerror(code))
    assert str(tmp_path / "out") in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
