"""Shortest ways against Dijkstra's, and through channels whose length is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.graph import MCP_Geometric

from napari_sem_sr.events import drain
from napari_sem_sr.measure.numbers.geodesic import iter_arrivals
from tests.measure.shapes import filed


def tortuosity(mask, folder, size=(1.0, 1.0, 1.0)):
    lengths, reached = drain(iter_arrivals(filed(mask, folder), size, folder, "ways"))
    return (
        (float(lengths.sum() / reached.sum()), int(reached.sum())) if reached.any() else (None, 0)
    )


@given(st.integers(0, 10**6), st.floats(0.35, 0.9), st.tuples(*[st.integers(3, 9)] * 3))
@settings(max_examples=40)
def test_sweeps_find_what_dijkstra_finds(tmp_path_factory, seed, density, shape):
    mask = np.random.default_rng(seed).random(shape) < density
    size = (2.0, 1.0, 1.5)
    found, reached = tortuosity(mask, tmp_path_factory.mktemp("g"), size)
    starts = [(0, *p) for p in np.argwhere(mask[0])]
    if not starts:
        assert reached == 0
        return
    search = MCP_Geometric(np.where(mask, 1.0, -1), sampling=size)
    costs, _ = search.find_costs(starts)
    last = costs[-1][mask[-1] & np.isfinite(costs[-1])]
    assert reached == last.size
    if last.size:
        assert found == pytest.approx(last.mean() / (2.0 * (shape[0] - 1)), rel=1e-4)


def test_a_straight_channel_has_one_and_a_slanted_one_the_root_of_two(tmp_path):
    straight = np.zeros((20, 9, 30), bool)
    straight[:, 3:6, 3:6] = True
    assert tortuosity(straight, tmp_path)[0] == pytest.approx(1)
    slanted = np.zeros((20, 9, 30), bool)
    for z in range(20):
        slanted[z, 4, z + 2] = True
    assert tortuosity(slanted, tmp_path)[0] == pytest.approx(np.sqrt(2))


def test_a_way_that_turns_back_is_found(tmp_path):
    # down on the left, up in the middle, down on the right
    mask = np.zeros((15, 3, 11), bool)
    mask[:12, 1, 1] = mask[3:12, 1, 5] = mask[3:, 1, 9] = True
    mask[11, 1, 1:6] = mask[3, 1, 5:10] = True
    found, reached = tortuosity(mask, tmp_path)
    assert reached == 1
    assert found > 30 / 14


def test_walls_leave_no_way(tmp_path):
    mask = np.ones((8, 6, 6), bool)
    mask[4] = False
    assert tortuosity(mask, tmp_path) == (None, 0)
