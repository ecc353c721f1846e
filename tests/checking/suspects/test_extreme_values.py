import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.suspects.extreme_values import (
    KEPT,
    USUAL_TAILS,
    Tail,
    fit_tails,
    peaks,
    tails_of,
)


def field(rng: np.random.Generator, size: int = 128) -> np.ndarray:
    """Smooth noise of variance 1: what a clean image's heights look like, a little more heavy in the tail."""
    image = gaussian_filter(rng.standard_normal((size, size)), 0.8)
    image /= image.std()
    return image * (1 + 0.15 * np.abs(image))


def above_one(tail: Tail, images: list[np.ndarray]) -> int:
    pixels = sum(i.size for i in images)
    return sum(int((peaks(tail.score(i, pixels) + 2.5) > 3.5).sum()) for i in images)


def test_a_clean_stack_of_any_size_has_about_one_place_above_score_one():
    rng = np.random.default_rng(0)
    tail = tails_of(fit_tails([{"texture": field(rng)} for _ in range(12)]))["texture"]
    for slices in (1, 6, 40):
        counts = [above_one(tail, [field(rng) for _ in range(slices)]) for _ in range(6)]
        assert 0.1 <= np.mean(counts) <= 3


def test_every_further_unit_of_the_score_is_ten_times_rarer():
    tail = Tail(level=4.0, rate=1e-3, height=0.5)
    one = tail.threshold(10**5)
    assert tail.score(np.array([one]), 10**5)[0] == pytest.approx(1)
    assert tail.score(np.array([one]), 10**4)[0] == pytest.approx(2)
    assert tail.score(np.array([tail.threshold(10**6)]), 10**5)[0] == pytest.approx(2)


def test_only_the_highest_peaks_of_an_image_are_kept_and_neighbours_count_once():
    image = np.zeros((100, 100))
    image[10, 10], image[10, 11], image[50, 50] = 6.0, 5.9, 8.0
    image[80, 80] = np.nan
    found = peaks(image)
    assert found.shape == (KEPT,)
    assert found[:3].tolist() == [8.0, 6.0, 0.0]


def test_two_reasons_share_the_peaks_of_the_residual():
    rng = np.random.default_rng(1)
    maps = [field(rng) for _ in range(12)]
    found = tails_of(fit_tails([{"texture": m, "residual": m} for m in maps]))
    assert found["residual"].rate == pytest.approx(found["texture"].rate / 2)


def test_a_model_without_calibration_or_with_hardly_a_peak_gets_the_usual_tails():
    assert tails_of({}) == USUAL_TAILS
    blank = fit_tails([{"residual": np.zeros((20, 20))}])
    assert tails_of(blank) == USUAL_TAILS
