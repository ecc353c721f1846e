"""Rows go from one thread to another, one band at a time, and neither waits for one that has left."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.inference.engine.rows import AbandonedError, RowStream

WAITING = Progress("writing", 0, 1, "slices")
BANDS = [np.full((2, 3), n) for n in range(5)]


def put(rows: RowStream) -> Generator[Event, None, list[bool]]:
    taken = []
    for band in BANDS:
        taken.append((yield from rows.iter_put(band, WAITING)))
    rows.end()
    return taken


def test_rows_arrive_in_their_order() -> None:
    rows = RowStream()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: [int(band[0, 0]) for band in rows])
        assert drain(put(rows)) == [True] * 5
        assert written.result() == [0, 1, 2, 3, 4]


def test_a_writer_of_rows_that_are_abandoned_stops() -> None:
    rows = RowStream()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: list(rows))
        drain(rows.iter_put(BANDS[0], WAITING))
        rows.abandon()
        with pytest.raises(AbandonedError):
            written.result()


def test_rows_that_are_whole_cannot_be_abandoned() -> None:
    rows = RowStream()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: list(rows))
        drain(put(rows))
        rows.abandon()
        assert len(written.result()) == 5


def test_nobody_waits_for_a_writer_that_failed() -> None:
    rows = RowStream()
    drain(rows.iter_put(BANDS[0], WAITING))
    rows.leave()
    assert drain(put(rows)) == [False] * 5
