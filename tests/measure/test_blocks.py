"""Intervals hold the truth as often as they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.measure.blocks import BlockGrid, Merging, Ratio, jackknife
from tests.measure.fields import thresholded, true_surface
from tests.measure.shapes import correlated, counted

SIGMA, FRACTION, TRIES = 2.5, 0.3, 40


def test_intervals_hold_the_truth_of_the_material_nine_times_of_ten():
    held = {"fraction": 0, "surface": 0}
    surface = true_surface(SIGMA, FRACTION)
    for seed in range(TRIES):
        mask = thresholded((48, 48, 48), SIGMA, FRACTION, seed)
        crossings, pairs = counted(mask, (1.0, 1.0, 1.0)), correlated(mask)
        length = max(pairs.curve(a, 1.0).length.value for a in range(3))
        merged = Merging.beyond(BlockGrid(mask.shape), (1.0, 1.0, 1.0), length)
        fraction = crossings.fraction.interval(merged)
        held["fraction"] += fraction.low <= FRACTION <= fraction.high
        area = crossings.specific_surface.interval(merged)
        held["surface"] += area.low <= surface <= area.high
    # 90 % of 40, less what chance takes from an interval that keeps its promise once in twenty times
    assert held["fraction"] >= 0.85 * TRIES
    assert held["surface"] >= 0.85 * TRIES


@given(st.tuples(*[st.integers(1, 40)] * 3))
def test_blocks_cover_a_volume_once(shape):
    grid = BlockGrid(shape)
    sums = grid.zeros()
    for index in range(shape[0]):
        sums[grid.block_of(0, index)] += grid.plane_sums(np.ones(shape[1:], bool))
    assert sums.sum() == np.prod(shape)
    assert (sums > 0).all()


@given(st.tuples(*[st.integers(2, 60)] * 3), st.floats(0, 30))
def test_merging_keeps_sums_and_puts_positions_into_the_same_blocks(shape, length):
    grid = BlockGrid(shape)
    merged = Merging.beyond(grid, (1.0, 1.0, 1.0), length)
    rng = np.random.default_rng(0)
    positions = rng.integers(0, shape, (50, 3)).astype(float)
    fine = grid.zeros()
    np.add.at(fine, tuple(grid.blocks_of(a, positions[:, a]) for a in range(3)), 1)
    counts = np.bincount(merged.blocks_of(positions), minlength=int(np.prod(merged.counts)))
    assert (merged(fine).ravel() == counts).all()


def test_few_blocks_give_a_number_without_an_interval():
    interval = Ratio(np.array([1.0, 2.0]), np.array([2.0, 2.0])).interval(lambda v: v)
    assert interval.value == 0.75
    assert interval.low is None


def test_nothing_to_divide_by_gives_no_number():
    assert Ratio(np.zeros(4), np.zeros(4)).interval(lambda v: v) is None


def test_the_interval_of_equal_blocks_is_a_point_and_never_negative():
    assert jackknife(0.5, np.full(8, 0.5)).high == pytest.approx(0.5)
    assert jackknife(0.01, np.array([0.0, 0.1, 0.0, 0.02])).low == 0
