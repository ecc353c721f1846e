"""Runs wait for each other, and one that fails is named and passed over."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, drain
from napari_sem_sr.inference.runs.queue import QueuedRun, RunEnded, RunStarted, iter_queue


def run(name: str, error: Exception | None = None) -> QueuedRun:
    def begin() -> Generator[Event, None, Any]:
        yield Notice(name)
        if error is not None:
            raise error
        return f"result of {name}"

    return QueuedRun(name, Path(f"{name}.zarr"), begin)


@pytest.mark.parametrize("error", [InputError("'b' is damaged."), ZeroDivisionError("zero")])
def test_a_failure_does_not_stop_the_rest_and_is_named(error: Exception) -> None:
    ended = drain(iter_queue([run("a"), run("b", error), run("c")]))
    assert [e.result for e in ended] == ["result of a", None, "result of c"]
    assert str(error) in ended[1].error and not ended[0].error


def test_events_come_in_turn_and_later_runs_may_be_added_meanwhile() -> None:
    waiting = [run("a")]

    def following() -> Generator[QueuedRun, None, None]:
        while waiting:
            yield waiting.pop(0)

    said = []
    for event in iter_queue(following()):
        match event:
            case RunStarted(r):
                said.append(f"start {r.name}")
            case Notice(text):
                said.append(text)
                if text == "a":
                    waiting.append(run("b"))
            case RunEnded(r, _, _):
                said.append(f"end {r.name}")
    assert said == ["start a", "a", "end a", "start b", "b", "end b"]


def test_closing_the_queue_closes_the_run_that_goes_on() -> None:
    closed = []

    def begin() -> Generator[Event, None, Any]:
        try:
            yield Notice("going on")
            yield Notice("never")
        finally:
            closed.append("a")

    events = iter_queue([QueuedRun("a", Path("a.zarr"), begin), run("b")])
    next(events), next(events)
    events.close()
    assert closed == ["a"]
