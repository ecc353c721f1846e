"""Components found plane by plane are those of the whole volume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from napari_sem_sr.measure.numbers.components import Components


def components(mask, folder, marked=None):
    found = Components(len(mask), folder)
    for index, plane in enumerate(mask):
        found.add(index, plane, None if marked is None else marked[index])
    found.settled()
    return found


@given(st.integers(0, 10**6), st.floats(0.2, 0.7), st.tuples(*[st.integers(1, 9)] * 3))
@settings(max_examples=60)
def test_planes_give_the_components_of_the_whole(tmp_path_factory, seed, density, shape):
    mask = np.random.default_rng(seed).random(shape) < density
    found = components(mask, tmp_path_factory.mktemp("c"))
    labels, n = label(mask)
    assert found.count == n
    ours = np.stack([found.plane(i, plane) for i, plane in enumerate(mask)])
    assert ((ours > 0) == mask).all()
    # the same parts under other numbers
    pairs = np.unique(np.column_stack([ours[mask], labels[mask]]), axis=0)
    assert len(pairs) == n
    for axis in range(3):
        first, last = (set(np.take(labels, i, axis).ravel()) - {0} for i in (0, -1))
        assert found.through(axis).sum() == len(first & last)
    found.close()


def test_a_u_that_meets_in_the_last_plane_is_one(tmp_path):
    mask = np.zeros((5, 3, 5), bool)
    mask[:, 1, 1] = mask[:, 1, 3] = mask[4, 1, 1:4] = True
    found = components(mask, tmp_path)
    assert found.count == 1
    assert found.through(0).tolist() == [True]
    assert found.through(2).tolist() == [False]


def test_marks_are_those_of_whole_components(tmp_path):
    mask = np.zeros((4, 4, 6), bool)
    mask[:, 1, 1] = mask[:, 2, 4] = True
    marked = np.zeros_like(mask)
    marked[3, 1, 1] = True
    found = components(mask, tmp_path, marked)
    assert found.marked.sum() == 1
    chosen = np.append(False, found.marked)
    kept = np.stack([chosen[found.plane(i, p)] for i, p in enumerate(mask)])
    assert kept[:, 1, 1].all()
    assert not kept[:, 2, 4].any()
    found.close()


def test_nothing_has_no_components(tmp_path):
    found = components(np.zeros((3, 4, 5), bool), tmp_path)
    assert found.count == 0
    assert not found.plane(0, np.zeros((4, 5), bool)).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_rod_reaches_through_along_its_own_axis(tmp_path, axis):
    mask = np.zeros((6, 6, 6), bool)
    mask[tuple(slice(None) if a == axis else 2 for a in range(3))] = True
    found = components(mask, tmp_path)
    assert [bool(found.through(a).any()) for a in range(3)] == [a == axis for a in range(3)]
