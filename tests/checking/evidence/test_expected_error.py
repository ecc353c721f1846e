import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.expected_error import (
    ErrorSample,
    ExpectedError,
    auroc,
    evidence_of,
    example_of,
    fit_error,
)
from napari_sem_sr.checking.view.invention_maps import invention


def pictures(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HR, and a GAN and a twin that differ from it more in some places than in others."""
    rng = np.random.default_rng(seed)
    hr = 120 + 200 * gaussian_filter(rng.standard_normal((96, 96)), 2)
    busy = np.clip(gaussian_filter(rng.standard_normal((96, 96)), 12) * 12, 0, None)
    gan, twin = (hr + busy * 40 * gaussian_filter(rng.standard_normal(hr.shape), 1) for _ in "ab")
    return hr, gan, twin


def example(seed: int) -> ErrorSample:
    hr, gan, twin = pictures(seed)
    return example_of(gan, hr, invention(gan, twin, 4), 4, 255.0)


def test_where_two_networks_differ_error_is_expected_and_better_than_by_slope_alone():
    arrays = fit_error([example(s) for s in range(4)], [str(s) for s in range(4)])
    known = ExpectedError.of(arrays)
    assert known.auroc > 0.8
    assert known.auroc > known.auroc_slope + 0.1
    hr, gan, twin = pictures(9)
    expected = known.map(evidence_of(invention(gan, twin, 4), 255.0), (24, 24), 255.0)
    true = np.sqrt(((gan - hr) ** 2).reshape(24, 4, 24, 4).mean(axis=(1, 3)))
    assert np.corrcoef(np.log(expected + 1).ravel(), np.log(true + 1).ravel())[0, 1] > 0.7
    assert expected[true > 1].mean() == pytest.approx(true[true > 1].mean(), rel=0.4)


def test_one_specimen_cannot_be_left_out_so_nothing_is_claimed():
    known = ExpectedError.of(fit_error([example(0), example(1)], ["same", "same"]))
    assert known.auroc is None and known.auroc_slope is None


def test_a_model_without_it_has_none():
    assert ExpectedError.of({}) is None


def test_auroc_is_the_chance_of_ranking_a_wrong_place_higher():
    wrong = np.array([False, False, True, True])
    assert auroc(np.array([1, 2, 3, 4]), wrong) == 1
    assert auroc(np.array([1, 1, 1, 1]), wrong) == 0.5
    assert auroc(np.array([4, 3, 2, 1]), wrong) == 0
