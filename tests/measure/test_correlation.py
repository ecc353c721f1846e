"""Two-point correlation against counting every pair, and lengths that are known."""

import numpy as np
import pytest

from tests.measure.shapes import correlated


def test_every_pair_is_counted_along_each_axis():
    mask = np.random.default_rng(3).random((11, 12, 13)) > 0.5
    found = correlated(mask)
    for axis in range(3):
        curve = found.curve(axis, 2.0)
        for lag in range(len(curve.lags)):
            a = np.take(mask, range(mask.shape[axis] - lag), axis)
            b = np.take(mask, range(lag, mask.shape[axis]), axis)
            assert curve.s2[lag] == pytest.approx((a & b).mean())
        assert curve.lags[1] == 2.0


def test_length_of_blobs_is_the_same_along_all_axes_in_nm_whatever_the_voxels():
    from tests.measure.fields import thresholded

    mask = thresholded((64, 64, 64), 4.0, 0.4, seed=2)
    fine = [correlated(mask).curve(a, 1.0).length.value for a in range(3)]
    thin = correlated(mask[::2]).curve(0, 2.0).length.value
    assert np.ptp(fine) < 0.12 * np.mean(fine)
    assert thin == pytest.approx(fine[0], rel=0.06)


def test_there_is_no_length_where_nothing_changes():
    assert correlated(np.ones((8, 8, 8), bool)).curve(0, 1.0).length is None
