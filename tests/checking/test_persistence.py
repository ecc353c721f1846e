import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking import check
from napari_sem_sr.checking.invention import detail
from napari_sem_sr.checking.persistence import (
    flicker_sums,
    inapplicable,
    persistence,
    persistence_numbers,
)
from napari_sem_sr.stack import SemStack

from .conftest import truth_of


def texture(seed: int, depth: float = 0.0, shape=(3, 96, 96)) -> np.ndarray:
    image = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), (depth, 1.2, 1.2))
    return 100 + 20 * image / image.std()


def test_detail_that_is_there_again_persists_and_independent_detail_does_not():
    thick, thin = texture(0, depth=3.0), texture(0, depth=0.0)
    for stack, low, high in ((thick, 0.7, 1.0), (thin, -0.3, 0.4)):
        planes = [detail(plane, 4) for plane in stack]
        found = persistence(planes[1], [planes[0], planes[2]], 4)
        assert low < found.mean() <= high


def test_one_neighbour_that_shows_it_is_enough():
    a, b = (detail(texture(seed)[0], 4) for seed in (0, 1))
    np.testing.assert_allclose(persistence(a, [b, a], 4), 1, atol=1e-6)


def test_only_visible_detail_counts():
    found = np.array([[0.0, 0.0, 0.9]], np.float32)
    numbers = persistence_numbers(found, np.array([[5.0, 0.1, 5.0]]), 1.0)
    assert (numbers["visible"], numbers["absent"], numbers["n"]) == (2, 1, 3)
    assert numbers["sum"] == pytest.approx(0.9)


def test_flicker_is_nothing_for_a_still_stack_and_root_two_for_independent_slices():
    a, b = (detail(texture(seed)[0], 4) for seed in (0, 1))
    assert flicker_sums(a, a)["change"] == 0
    sums = flicker_sums(a, b)
    assert np.sqrt(sums["change"] / sums["detail"]) == pytest.approx(np.sqrt(2), abs=0.1)


@pytest.mark.parametrize(
    ("voxel", "n", "word"),
    [
        ((10.0, 10.0, 10.0), 3, None),
        ((30.0, 10.0, 10.0), 3, "30 nm apart"),
        ((10.0, 10.0, 10.0), 1, "single slice"),
        ((None, 10.0, 10.0), 3, "unknown"),
    ],
)
def test_it_applies_only_where_the_next_slice_has_to_show_the_same(voxel, n, word):
    stack = SemStack.from_array(np.zeros((n, 8, 8), np.uint8), "SR", voxel_nm=voxel)
    reason = inapplicable(stack, 4)
    assert (reason is None) if word is None else (word in reason)


def test_a_report_says_how_much_persists_or_why_it_cannot(tmp_path):
    for name, voxel, applies in (
        ("thin", (5.0, 5.0, 5.0), True),
        ("thick", (50.0, 5.0, 5.0), False),
    ):
        truth = truth_of(texture(0, depth=2.0).astype(np.uint8), voxel)
        report = check(truth.lr, truth.sr, out=tmp_path / name)
        assert report.persistence["applicable"] is applies
        assert (tmp_path / name / "maps.zarr" / "persistence").exists() is applies
    assert any("50 nm apart" in line for line in report.limits)
