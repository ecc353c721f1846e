"""A log loses nothing that was kept, and gives nothing that was not."""

import os
import threading
from pathlib import Path

import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.append_log import AppendLog


@pytest.fixture
def log(tmp_path: Path) -> AppendLog:
    return AppendLog(tmp_path / "log.jsonl", tmp_path)


def test_records_come_back_in_order(log: AppendLog) -> None:
    assert log.records() == []
    kept = [{"slice": n, "name": "粒子\n", "x": 0.1} for n in range(5)]
    for record in kept:
        log.append(record)
    assert AppendLog(log.path, log.path.parent).records() == kept


def test_a_record_is_on_disk_before_append_returns(
    log: AppendLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: seen.append(os.fstat(fd).st_size))
    log.append({"a": 1})
    assert seen == [log.path.stat().st_size]


def test_threads_do_not_mix_their_lines(log: AppendLog) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [log.append({"n": n}) for _ in range(20)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r["n"] for r in log.records()) == sorted(list(range(4)) * 20)


def test_whatever_byte_changes_a_record_is_lost_and_none_is_made_up(log: AppendLog) -> None:
    kept = [{"slice": n, "is": "ab" * 4} for n in range(3)]
    for record in kept:
        log.append(record)
    whole = log.path.read_bytes()
    for place in range(len(whole)):
        for change in (0x01, 0x80, whole[place] ^ 0x0A, whole[place] ^ 0x0D):
            damaged = bytearray(whole)
            damaged[place] ^= change
            log.path.write_bytes(damaged)
            found = log.records()
            assert all(record in kept for record in found)
            assert len(found) >= 2


def test_a_torn_end_costs_its_own_record_only(log: AppendLog) -> None:
    log.append({"n": 0})
    log.append({"n": 1})
    log.path.write_bytes(log.path.read_bytes()[:-5])
    log.append({"n": 2})
    assert log.records() == [{"n": 0}, {"n": 2}]


def test_a_log_is_rewritten_at_once_or_not_at_all(
    log: AppendLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append({"n": 0})
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OutputError, match="full"):
            log.rewrite([{"n": 1}])
    assert log.records() == [{"n": 0}]
    log.rewrite([{"n": 1}])
    assert log.records() == [{"n": 1}]
    log.remove()
    log.remove()
    assert log.records() == []


def test_a_log_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(OutputError) as caught:
        AppendLog(tmp_path / "log.jsonl", tmp_path).records()
    assert "\n" not in str(caught.value)
