"""How long a queue still takes."""

from pathlib import Path

import numpy as np

from napari_sem_sr.events import SliceDone, UpscaleStarted
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.upscale.queue.runs import Runs, StackRun
from napari_sem_sr.widgets.upscale.results import UpscaleRequest


def run(name: str, slices: int, side: int) -> StackRun:
    stack = SemStack.from_array(np.zeros((slices, side, side), np.uint8), name)
    request = UpscaleRequest(None, stack, UpscaleSettings())  # type: ignore[arg-type]
    return StackRun(name, Path(f"{name}.zarr"), lambda: iter(()), request, "m")  # type: ignore


def test_the_time_of_what_waits_follows_from_the_pixels_of_what_goes_on() -> None:
    runs = Runs()
    runs.begin(run("a", 4, 10))
    runs.waiting.append(run("b", 3, 20))
    assert runs.seconds_left() is None
    runs.take(0.0, UpscaleStarted(Path("a.zarr"), 0, 4))
    runs.take(2.0, SliceDone(0, 1, 4, 2.0))
    # 2 s for 100 pixels: 3 slices of them, and 3 slices of 400
    assert runs.seconds_left() == 3 * 2 + 3 * 8
    assert runs.holds(Path("b.zarr")) and runs.holds(Path("a.zarr"))
    assert "keep 1 slice? 1 more in the queue" in runs.question()
    runs.end()
    assert runs.question() == "" and not runs.holds(Path("a.zarr"))
