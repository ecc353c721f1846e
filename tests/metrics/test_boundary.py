"""Near an edge a mean is of fewer pixels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.metrics.boundary import crowding


@pytest.mark.parametrize("scale", [0.8, 1.8])
@pytest.mark.parametrize("shape", [(40, 24), (9, 30), (3, 5)])
def test_smoothed_noise_scatters_alike_everywhere_once_it_is_allowed_for(
    shape: tuple[int, int], scale: float
) -> None:
    rng = np.random.default_rng(0)
    smooth = np.stack([gaussian_filter(rng.standard_normal(shape), scale) for _ in range(4000)])
    scatter = smooth.std(axis=0) / crowding(shape, scale)
    assert np.ptp(scatter) < 0.13 * scatter.mean()


def test_the_inside_is_as_it_was_and_a_corner_counts_half() -> None:
    found = crowding((60, 70), 1.0)
    assert np.allclose(found[10:-10, 10:-10], 1)
    assert found[0, 0] == pytest.approx(found[-1, -1])
    assert found[0, 0] == pytest.approx(found[0, 30] ** 2)
    assert 1.2 < found[0, 30] < 1.5
