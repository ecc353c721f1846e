import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.trust import THRESHOLDS as ALL_THRESHOLDS
from napari_sem_sr.checking.evidence.trust import Curves, Trust, curves, fit_trust, image_curves
from napari_sem_sr.checking.view.invention_maps import invention

THRESHOLDS = ALL_THRESHOLDS["detail"]


def curves_of(gan, twin, hr):
    return image_curves(gan, hr, 4, 1.0, 255.0, invention(gan, twin, 4))


def specimen(rng: np.random.Generator) -> Curves:
    """Places whose chance to be wrong grows with their score; specimens differ in how much."""
    score = rng.normal(0.3, 0.6, 400)
    chance = 1 / (1 + np.exp(-4 * (score - rng.normal(0.5, 0.4))))
    return curves(score, rng.random(400) < chance)


def both(images: list[Curves]) -> list[dict]:
    """The same places for the mask of error, whose thresholds differ."""
    nothing = np.zeros(ALL_THRESHOLDS["error"].size)
    return [{"detail": i, "error": Curves(nothing, nothing)} for i in images]


def trust_of(images: list[Curves]) -> Trust:
    return Trust.of(fit_trust(both(images), [str(i) for i in range(len(images))]))


def test_the_loss_is_the_share_of_all_places_that_is_trusted_and_wrong():
    found = curves(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([False, True, False, True]))
    at = int(np.argmin(np.abs(THRESHOLDS - 1.0)))
    assert found.trusted[at] == 0.75
    assert found.lost[at] == 0.25
    assert (found.trusted[-1], found.lost[-1]) == (1.0, 0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999))
def test_loss_and_trust_grow_with_the_threshold_within_zero_and_one(seed):
    found = specimen(np.random.default_rng(seed))
    for values in (found.lost, found.trusted):
        assert (np.diff(values) >= 0).all()
        assert values.min() >= 0 and values.max() <= 1
    assert (found.lost <= found.trusted).all()


@pytest.mark.parametrize("n", [9, 20])
def test_the_mean_loss_on_new_specimens_keeps_the_promise(n):
    rng = np.random.default_rng(0)
    alpha, losses = 0.1, []
    for _ in range(150):
        threshold = trust_of([specimen(rng) for _ in range(n)]).threshold(alpha)
        column = 0 if threshold is None else int(np.searchsorted(THRESHOLDS, threshold - 1e-9))
        losses.append(
            0.0 if threshold is None else np.mean([specimen(rng).lost[column] for _ in range(4)])
        )
    error = np.std(losses) / np.sqrt(len(losses))
    assert np.mean(losses) <= alpha + 2 * error
    assert np.mean(losses) >= alpha - 2 / (n + 1) - 2 * error


def test_too_few_specimens_are_refused_and_told_how_many_more_would_do():
    rng = np.random.default_rng(1)
    three = trust_of([specimen(rng) for _ in range(3)])
    assert three.threshold(0.1) is None
    assert "6 more would do" in three.refusal(0.1)
    assert Trust.of({}).refusal(0.1).startswith("the model has 0 calibration specimens and 9")
    assert trust_of([specimen(rng) for _ in range(9)]).refusal(0.1) is None
    assert three.refusal(0.25) is None


def test_images_of_one_specimen_count_once():
    rng = np.random.default_rng(2)
    images = [specimen(rng) for _ in range(12)]
    found = Trust.of(fit_trust(both(images), ["a", "b", "c"] * 4))
    assert found.n == 3
    np.testing.assert_allclose(found.lost[0], np.mean([i.lost for i in images[::3]], axis=0))
    with pytest.raises(ValueError, match="1 specimen names"):
        fit_trust(both(images), ["a"])


def test_detail_that_follows_hr_may_be_trusted_and_made_up_detail_may_not():
    rng = np.random.default_rng(3)

    def texture() -> np.ndarray:
        image = gaussian_filter(rng.standard_normal((128, 128)), 1.2)
        return 100 + 20 * image / image.std()

    hr, other = texture(), texture()
    good = curves_of(hr, 100 + 0.8 * (hr - 100), hr)["detail"]
    assert good.lost.max() == 0
    half = np.where(np.arange(128) < 64, hr, other)
    mixed = curves_of(half, hr, hr)["detail"]
    at = int(np.searchsorted(THRESHOLDS, -1.4))
    assert mixed.trusted[at] == pytest.approx(0.5, abs=0.1)
    assert mixed.lost[at] < 0.02
    assert mixed.lost[-1] == pytest.approx(0.5, abs=0.1)


def test_what_is_reported_of_the_calibration_is_what_was_measured():
    rng = np.random.default_rng(4)
    images = [specimen(rng) for _ in range(20)]
    found = trust_of(images)
    threshold = found.threshold(0.1)
    trusted, wrong = found.at(threshold)
    column = int(np.argmin(np.abs(THRESHOLDS - threshold)))
    assert trusted == pytest.approx(np.mean([i.trusted[column] for i in images]))
    assert wrong == pytest.approx(np.mean([i.lost[column] for i in images]) / trusted)
    assert 0 < trusted < 1


def test_grey_values_are_trusted_where_sr_is_smooth_and_nothing_was_invented():
    rng = np.random.default_rng(5)
    hr = np.full((128, 128), 100.0)
    sr = hr.copy()
    sr[:, 64:] += 40 * (rng.random((128, 64)) - 0.5)
    found = curves_of(sr, hr, hr)["error"]
    assert found.lost[-1] == pytest.approx(0.5 * (1 - 2 * 0.05 * 255 / 40), abs=0.03)
    half = int(np.argmax(found.trusted > 0.4))
    assert found.lost[half] == 0


def test_the_two_masks_of_a_model_do_not_mix():
    rng = np.random.default_rng(6)
    arrays = fit_trust(both([specimen(rng) for _ in range(12)]), [str(i) for i in range(12)])
    detail, error = Trust.of(arrays), Trust.of(arrays, "error")
    assert detail.n == error.n == 12
    assert detail.thresholds is not error.thresholds
    assert error.threshold() == ALL_THRESHOLDS["error"][-1]
