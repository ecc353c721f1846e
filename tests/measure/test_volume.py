import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.measure.volume import opaque, shared_part
from napari_sem_sr.stack import SemStack


def stacks(depth=6, side=20):
    lr = SemStack.from_array(
        np.zeros((depth, side, side), np.uint8), "LR", voxel_nm=(30.0, 40.0, 40.0)
    )
    fine = np.zeros((depth, 4 * side, 4 * side), np.uint8)
    return {"LR": lr, "SR": lr.upscaled(SemStack.from_array(fine, "SR").data, 4)}


def edges(stack):
    world = stack.world
    first = np.array(world.translate) - np.array(world.scale) / 2
    return np.array([first, first + np.array(stack.shape) * world.scale])


def test_small_stacks_are_taken_whole():
    whole = stacks()
    part = shared_part(whole, (0.0, 0.0, 0.0))
    assert {r: s.shape for r, s in part.items()} == {r: s.shape for r, s in whole.items()}


@settings(max_examples=30, deadline=None)
@given(st.floats(-100, 300), st.floats(-200, 1000), st.floats(-200, 1000), st.integers(4, 40))
def test_parts_cover_the_same_field_and_are_never_larger_than_asked(z, y, x, largest):
    part = shared_part(stacks(), (z, y, x), largest)
    np.testing.assert_allclose(edges(part["LR"]), edges(part["SR"]))
    assert max(part["SR"].shape) <= largest
    assert (
        tuple(n * f for n, f in zip(part["LR"].shape, (1, 4, 4), strict=True)) == part["SR"].shape
    )


def test_a_part_lies_around_the_place_that_is_looked_at():
    part = shared_part(stacks(), (60.0, 400.0, 200.0), 16)["SR"]
    low, high = edges(part)
    for at, a, b in zip((400.0, 200.0), low[1:], high[1:], strict=True):
        assert abs((a + b) / 2 - at) <= 20.0


def test_only_what_is_trusted_stays_and_nothing_of_it_is_black():
    sr = np.arange(1 * 4 * 4, dtype=np.uint8).reshape(1, 4, 4) + 100
    trust = np.array([[[1, 0], [np.nan, 1]]], np.float32)
    seen = opaque(sr, 100.0, 228.0, trust)
    # two grey levels above black
    np.testing.assert_array_equal(seen[0, :2, :2], np.maximum(sr[0, :2, :2], 102))
    np.testing.assert_array_equal(seen[0, 2:, 2:], sr[0, 2:, 2:])
    assert (seen[0, :2, 2:] == 100).all() and (seen[0, 2:, :2] == 100).all()
    assert sr.min() == 100
    assert opaque(sr, 100.0, 228.0).min() == 102
