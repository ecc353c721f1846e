"""Signs of life from work on a device, which says nothing itself."""

import time
from collections.abc import Generator as Gen
from typing import TypeVar

import torch

from napari_sem_sr.events import Event, Progress

Result = TypeVar("Result")
# Seconds after which work that is not done yet says that it is going on.
BEAT = 0.1


def beating(work: Gen[None, None, Result], computing: Progress) -> Gen[Event, None, Result]:
    """Run ``work``, saying ``computing`` every now and then."""
    last = time.perf_counter()
    while True:
        # entered anew for every step, as the mode belongs to the thread and not to this generator
        with torch.inference_mode():
            try:
                next(work)
            except StopIteration as stop:
                result: Result = stop.value
                return result
        if time.perf_counter() - last > BEAT:
            yield computing
            last = time.perf_counter()
