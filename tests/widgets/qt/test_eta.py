"""How far, how long still."""

import pytest

from napari_sem_sr.widgets.qt.eta import Pace


def test_time_left_counts_only_slices_of_this_run() -> None:
    pace = Pace()
    pace.start(100.0, done=10, total=20)
    pace.reach(104.0, done=12)
    assert pace.seconds_left() == pytest.approx(16)
    assert pace.spoken() == "12 of 20 slices · 16 s left"


def test_part_of_a_slice_counts() -> None:
    pace = Pace()
    pace.start(0.0, done=0, total=2)
    pace.within(5.0, 0.5)
    assert pace.fraction == pytest.approx(0.25)
    assert pace.seconds_left() == pytest.approx(15)


def test_nothing_is_said_before_anything_is_known() -> None:
    pace = Pace()
    pace.start(0.0, done=0, total=500)
    assert pace.seconds_left() is None
    assert pace.spoken() == "0 of 500 slices"


@pytest.mark.parametrize(("seconds", "text"), [(600, "10 min left"), (36000, "10.0 h left")])
def test_long_times_are_spoken_in_minutes_and_hours(seconds: int, text: str) -> None:
    pace = Pace()
    pace.start(0.0, done=0, total=2)
    pace.reach(float(seconds), done=1)
    assert text in pace.spoken()
