"""Slices are laid over each other only where that makes neighbours more alike."""

from dataclasses import replace

import dask.array as da
import numpy as np

from napari_sem_sr.axial.steady import Steadied, iter_steady
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.stack import SemStack
from tests.axial.specimens import sliced, volume


def steadied(stack: SemStack) -> tuple[Steadied, list[str]]:
    work, events = iter_steady(stack), list[Event]()
    while True:
        try:
            events.append(next(work))
        except StopIteration as stop:
            return stop.value, [e.message for e in events if isinstance(e, Notice)]


def test_a_stack_that_stands_still_is_left_as_it_is() -> None:
    stack = sliced(12, 2.0, (64, 64))
    found, _ = steadied(stack)
    assert found.undone == "nothing"
    assert found.stack is stack


def test_wander_is_undone_and_said() -> None:
    whole = volume((40, 96, 96))
    steps = np.cumsum(np.random.default_rng(1).integers(-4, 5, (40, 2)), axis=0)
    moved = np.stack([np.roll(s, tuple(w), (0, 1)) for s, w in zip(whole, steps, strict=True)])
    stack = SemStack.from_array(moved, "moved", voxel_nm=(10.0, 5.0, 5.0))
    found, said = steadied(stack)
    assert found.undone == "wander"
    assert found.stack.shape[0] == 40
    assert found.stack.shape[1] < 96
    assert any("wander was undone" in s for s in said)


def test_shear_of_a_known_tilt_is_undone() -> None:
    whole = volume((30, 96, 96))
    # 10 nm at 38 degrees on pixels of 5 nm: 1.56 px a slice
    step = 10 * np.tan(np.radians(38)) / 5
    moved = np.stack([np.roll(s, round(z * step), 0) for z, s in enumerate(whole)])
    stack = SemStack.from_array(moved, "sheared", voxel_nm=(10.0, 5.0, 5.0), tilt_deg=38.0)
    found, said = steadied(stack)
    assert found.undone == "shear"
    assert any("shear was undone" in s for s in said)


def test_odd_slices_are_named() -> None:
    stack = sliced(12, 2.0, (64, 64))
    data = stack.data.compute()
    data[5] = data[4]
    _, said = steadied(replace(stack, data=da.from_array(data, chunks=(1, 64, 64))))
    assert any("Slice 5" in s for s in said)
