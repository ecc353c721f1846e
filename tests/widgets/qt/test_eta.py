"""How far, how long still."""

import pytest

from napari_sem_sr.events import Progress
from napari_sem_sr.widgets.qt.eta import Eta, Steps


def test_time_left_counts_only_slices_of_this_run() -> None:
    eta = Eta()
    eta.start(100.0, done=10, total=20)
    eta.reach(104.0, done=12)
    assert eta.seconds_left() == pytest.approx(16)
    assert eta.spoken() == "12 of 20 slices · 16 s left"


def test_part_of_a_slice_counts() -> None:
    eta = Eta()
    eta.start(0.0, done=0, total=2)
    eta.within(5.0, 0.5)
    assert eta.fraction == pytest.approx(0.25)
    assert eta.seconds_left() == pytest.approx(15)


def test_nothing_is_said_before_anything_is_known() -> None:
    eta = Eta()
    eta.start(0.0, done=0, total=500)
    assert eta.seconds_left() is None
    assert eta.spoken() == "0 of 500 slices"


@pytest.mark.parametrize(("seconds", "text"), [(600, "10 min left"), (36000, "10.0 h left")])
def test_long_times_are_spoken_in_minutes_and_hours(seconds: int, text: str) -> None:
    eta = Eta()
    eta.start(0.0, done=0, total=2)
    eta.reach(float(seconds), done=1)
    assert text in eta.spoken()


def test_a_step_says_what_how_far_and_how_long_still() -> None:
    steps = Steps()
    assert steps.spoken(0.0, Progress("loading the model", 0, 1, "step")) == "loading the model"
    assert steps.spoken(1.0, Progress("reading", 0, 4, "slices")) == "reading, 0 of 4 slices"
    said = steps.spoken(3.0, Progress("reading", 1, 4, "slices"))
    assert said == "reading, 1 of 4 slices · 6 s left"
    # another step has a pace of its own
    assert steps.spoken(9.0, Progress("checking", 0, 4, "slices")) == "checking, 0 of 4 slices"
