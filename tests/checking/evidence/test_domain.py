import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.evidence.domain import Domain, fit_domain
from napari_sem_sr.checking.evidence.image_features import (
    FEATURES,
    STATISTICS,
    TILE_FEATURES,
    domain_features,
)
from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.texture import PATTERNS
from tests.checking.numpy_reference import features as reference


def material(seed: int, grain: float, size: int = 128) -> np.ndarray:
    """Blobs of about ``grain`` px over weak noise, on the network's scale."""
    rng = np.random.default_rng(seed)
    blobs = gaussian_filter(rng.standard_normal((size, size)), grain)
    return 0.5 + 0.15 * blobs / blobs.std() + 0.01 * rng.standard_normal((size, size))


def domain(n: int = 8) -> Domain:
    """Two images each of ``n`` specimens whose grains vary a little."""
    names = [f"specimen {i // 2}" for i in range(2 * n)]
    features = np.stack([domain_features(material(i, 2 + 0.1 * (i // 2))) for i in range(2 * n)])
    found = Domain.of(fit_domain(features, names))
    assert found is not None
    return found


def test_a_feature_vector_has_mean_and_spread_of_every_tile_feature_and_the_patterns():
    features = domain_features(material(0, 2))
    assert features.shape == (2 * len(TILE_FEATURES) + PATTERNS,) == (FEATURES,)
    assert np.isfinite(features).all()
    assert (features[STATISTICS:] ** 2).sum() == pytest.approx(1)


def test_features_hardly_depend_on_the_size_of_the_field():
    small, large = (domain_features(material(1, 2, size)) for size in (128, 512))
    other = domain_features(material(1, 5, 128))
    assert np.linalg.norm(small - large) < 0.2 * np.linalg.norm(small - other)


def test_nan_borders_and_images_smaller_than_a_tile_are_described():
    image = material(2, 2)
    holed = image.copy()
    holed[:20] = np.nan
    assert np.linalg.norm(domain_features(holed) - domain_features(image)) < 1
    assert np.isfinite(domain_features(image[:20, :20])).all()
    assert np.isfinite(domain_features(np.full((64, 64), 0.5))).all()


def test_an_image_of_nan_is_refused():
    with pytest.raises(InputError, match="free of NaN"):
        domain_features(np.full((64, 64), np.nan))


def test_another_material_is_farther_than_any_left_out_specimen_and_an_own_one_is_not():
    known = domain()
    assert known.threshold is not None
    assert known.distance(domain_features(material(99, 2.3))) < known.threshold
    assert known.distance(domain_features(material(99, 6))) > known.threshold
    assert known.n_specimens == 8
    assert len(known.left_out) == 8


def test_there_is_no_p_value_below_nineteen_specimens():
    few, many = domain(18), domain(19)
    assert few.p_value(1.0) is None
    assert many.p_value(1e9) == pytest.approx(1 / 20)
    assert many.p_value(0.0) == pytest.approx(1.0)


def test_one_specimen_gives_no_threshold():
    assert domain(1).threshold is None


def test_calibration_without_domain_or_of_another_kind_gives_none():
    assert Domain.of({}) is None
    assert Domain.of({"domain_features": np.zeros((3, 5)), "domain_specimens": np.zeros(3)}) is None


def test_a_model_that_knows_no_patterns_is_still_judged_by_the_other_statistics():
    known = domain()
    arrays = fit_domain(known.features[:, :STATISTICS], [str(s) for s in known.specimens])
    early = Domain.of(arrays)
    assert known.knows_patterns and not early.knows_patterns
    assert not early.unlike(domain_features(material(99, 2.3)))
    assert early.unlike(domain_features(material(99, 6)))


def test_what_is_unlike_is_said_in_words():
    known = domain()
    assert known.unlike(domain_features(material(99, 2.3))) == []
    assert (
        known.unlike(domain_features(material(99, 6)))[0]
        == "its LR looks unlike every teacher specimen"
    )


def test_a_texture_of_the_same_spectrum_and_grey_values_is_told_by_its_patterns():
    """Cells and worms of one power spectrum: phases differ, and so do patterns, far more than statistics do."""
    rng = np.random.default_rng(0)

    def cells(seed: int) -> np.ndarray:
        return np.abs(material(seed, 3) - 0.5) + 0.5

    names = [f"specimen {i}" for i in range(8)]
    known = Domain.of(fit_domain(np.stack([domain_features(cells(i)) for i in range(8)]), names))
    own = cells(50)
    power = np.abs(np.fft.rfft2(own))
    phase = np.angle(np.fft.rfft2(rng.standard_normal(own.shape)))
    phase[0, 0] = 0
    other = np.fft.irfft2(power * np.exp(1j * phase), own.shape)
    other[...] = np.sort(own, axis=None)[np.argsort(np.argsort(other, axis=None))].reshape(
        own.shape
    )
    assert not known.unlike(domain_features(own))
    assert known.unlike(domain_features(other))


def test_fit_refuses_features_without_specimens():
    with pytest.raises(ValueError, match="0 specimen names"):
        fit_domain(np.zeros((3, FEATURES)), [])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(3.0, 8.0))
def test_a_coarser_material_is_farther_than_every_teacher(seed, grain):
    known = domain(3)
    own = max(known.distance(teacher) for teacher in known.features)
    assert own < known.distance(domain_features(material(seed, grain)))


def test_more_noise_and_more_blur_each_raise_their_own_gate():
    known = domain()
    image = material(99, 2.3)
    rng = np.random.default_rng(0)
    noisy = domain_features(image + 0.05 * rng.standard_normal(image.shape))
    soft = domain_features(gaussian_filter(image, 0.8))
    plain = domain_features(image)
    assert (known.is_noisier(plain), known.is_softer(plain)) == (False, False)
    assert (known.is_noisier(noisy), known.is_softer(noisy)) == (True, False)
    assert (known.is_noisier(soft), known.is_softer(soft)) == (False, True)


def test_an_odd_specimen_among_the_teachers_does_not_open_the_door_to_everything():
    names = [f"specimen {i}" for i in range(9)]
    grains = [*np.linspace(2, 2.8, 8), 14]
    features = np.stack([domain_features(material(i, g)) for i, g in enumerate(grains)])
    with_odd = Domain.of(fit_domain(features, names))
    assert with_odd.left_out.max() > 2 * with_odd.threshold
    assert with_odd.distance(domain_features(material(99, 2.4))) < with_odd.threshold
    assert with_odd.distance(domain_features(material(99, 1))) > with_odd.threshold


def test_many_images_of_one_specimen_count_no_more_than_one():
    grains = np.linspace(2, 2.8, 8)
    once = [domain_features(material(i, g)) for i, g in enumerate(grains)]
    more = [domain_features(material(100 + i, grains[0])) for i in range(30)]
    names = [f"specimen {i}" for i in range(8)]
    few = Domain.of(fit_domain(np.stack(once), names))
    many = Domain.of(fit_domain(np.stack([*once, *more]), [*names, *[names[0]] * 30]))
    assert many.threshold == pytest.approx(few.threshold, rel=0.3)


def test_the_distance_of_a_typical_specimen_is_about_one():
    known = domain(12)
    assert 0.8 < np.median(known.left_out) < 1.5


@pytest.mark.parametrize("shape", [(100, 70), (20, 25)])
def test_features_are_those_of_the_reference_in_double_precision(shape):
    rng = np.random.default_rng(0)
    image = (
        0.5 + gaussian_filter(rng.standard_normal(shape), 1.5) + 0.02 * rng.standard_normal(shape)
    )
    image = image.astype(np.float32)
    np.testing.assert_allclose(domain_features(image), reference.domain_features(image), atol=2e-4)
