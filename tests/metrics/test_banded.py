"""Banded products beside SciPy's filters."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from napari_sem_sr.metrics.banded import Banded, gaussian, mirrored, radius_of, sampled, smoothing

IMAGE = np.random.default_rng(0).normal(0, 50, (70, 45)).astype(np.float32)


def around(image: np.ndarray, margin: int) -> torch.Tensor:
    """The image as in a mirror beyond its ends."""
    rows, columns = (mirrored(-margin, n + margin, n) for n in image.shape)
    return torch.from_numpy(image[rows][:, columns])


@pytest.mark.parametrize("sigma", [0.7, 2.5, 5.0])
def test_a_gaussian_is_that_of_scipy(sigma):
    found = smoothing(sigma).both(around(IMAGE, radius_of(sigma)))
    np.testing.assert_allclose(found, gaussian_filter(IMAGE, sigma), atol=1e-3)


@pytest.mark.parametrize("order", [1, 2])
def test_so_are_its_derivatives(order):
    reach = radius_of(1.4)
    found = smoothing(1.4, order).along_x(around(IMAGE, reach)[reach:-reach])
    expected = gaussian_filter1d(IMAGE.astype(float), 1.4, order=order)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_several_outputs_of_a_period_are_places_in_it():
    reach = 8
    wide = Banded(sampled(2.0, 3, (0.0, 1.0, 2.0), reach), 3)
    found = wide.along_y(torch.from_numpy(IMAGE[: 60 + 2 * reach - 6]))
    every = Banded(gaussian(2.0, reach=reach), 1)
    np.testing.assert_allclose(
        found, every.along_y(torch.from_numpy(IMAGE[: 60 + 2 * reach - 6])), rtol=1e-3, atol=1e-2
    )


def test_a_length_that_is_no_whole_number_of_periods_is_refused():
    with pytest.raises(ValueError, match="periods of 4"):
        Banded(np.full((1, 4), 0.25), 4).along_x(torch.zeros(3, 10))


def test_mirrors_face_each_other():
    assert mirrored(-3, 7, 2).tolist() == [1, 1, 0, 0, 1, 1, 0, 0, 1, 1]
