import numpy as np
import pytest

from napari_sem_sr.checking.evidence.stability import (
    PIECE_PX,
    VIEWS,
    Squares,
    instability,
    piece_of,
    rms_of,
    sampled,
)
from napari_sem_sr.model.bicubic import upscale_bicubic

LR = np.random.default_rng(0).normal(100, 20, (12, 17)).astype(np.float32)


def test_interpolation_does_not_care_how_the_slice_lies():
    found = instability(lambda lr: upscale_bicubic(lr, 4), LR, 4)
    assert found.shape == LR.shape
    assert found.max() < 1e-2


def test_a_network_that_knows_up_from_down_is_caught():
    def brighter_at_the_top(lr: np.ndarray) -> np.ndarray:
        sr = lr.repeat(2, 0).repeat(2, 1)
        sr[: len(sr) // 2] += 8
        return sr

    square = LR[:12, :12]
    # any place is bright in four of the eight views
    expected = 8 * np.sqrt(0.25 * VIEWS / (VIEWS - 1))
    assert instability(brighter_at_the_top, square, 2) == pytest.approx(expected, rel=1e-3)


def test_all_eight_views_are_different():
    seen = []
    instability(lambda lr: seen.append(lr.tobytes()) or lr.repeat(2, 0).repeat(2, 1), LR, 2)
    assert len(set(seen)) == VIEWS


def test_a_few_slices_stand_for_the_stack():
    assert sampled(1) == {0}
    assert sampled(100) == {0, 33, 66, 99}


def test_sums_of_slices_give_the_rms_of_all():
    a, b = np.full((2, 2), 3, np.float32), np.array([[np.nan, 4]], np.float32)
    assert rms_of([Squares.of(a), Squares.of(b)]) == pytest.approx(np.sqrt((4 * 9 + 16) / 5))
    assert rms_of([]) is None


def test_pieces_lie_in_the_slice_and_in_another_quarter_of_each():
    shape = (400, 300)
    pieces = [piece_of(shape, number) for number in range(4)]
    assert len(set(pieces)) == 4
    for bounds in pieces:
        for (start, end), size in zip(bounds, shape, strict=True):
            assert 0 <= start < end <= size and end - start == PIECE_PX
    assert piece_of((40, 30), 3) == ((0, 40), (0, 30))
