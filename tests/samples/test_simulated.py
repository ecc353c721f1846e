"""Simulated SEM: repeatable, independent specimens, and a truth that is in the picture."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.samples.physics import backscattering, fractal, record
from napari_sem_sr.samples.specimens import simulate, specimens
from napari_sem_sr.samples.tin import simulate_tin, tin_specimen

SMALL = (192, 256)
KINDS = ("tin", "cathode")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_numbers_give_the_same_image_and_others_another(kind) -> None:
    first, again = (simulate(kind, 3, 1, SMALL) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.particles.y_nm, again.particles.y_nm)
    for other in (simulate(kind, 4, 1, SMALL), simulate(kind, 3, 2, SMALL)):
        assert abs(np.corrcoef(first.image.ravel(), other.image.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_a_specimen_share_its_name_and_specimens_do_not(kind) -> None:
    found = list(specimens(kind, 3, first=7, shape=SMALL))
    assert len({s.specimen for s in found}) == 3
    assert simulate(kind, 7, 5, SMALL).specimen == found[0].specimen


@pytest.mark.parametrize("kind", KINDS)
def test_the_image_fills_its_grey_range_without_being_cut_off(kind) -> None:
    for s in specimens(kind, 6, shape=SMALL):
        assert s.image.dtype == np.uint8 and s.image.shape == SMALL
        assert s.image.std() > 15
        assert np.mean((s.image == 0) | (s.image == 255)) < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_of_it_has_its_pixel_size_and_says_that_it_is_simulated(kind) -> None:
    stack = simulate(kind, 0, 0, SMALL, pixel_nm=4.0).stack()
    assert stack.voxel_nm == (None, 4.0, 4.0)
    assert stack.provenance["synthetic"] is True
    assert stack.instrument.model == "simulated SEM"


def test_tin_spheres_are_brighter_inside_than_the_carbon_around_them() -> None:
    s = simulate("tin", 1)
    p = s.particles
    lone = p[(p.visible > 0.95) & (p.diameter_nm > 60)]
    assert len(lone) > 20
    y, x = (np.rint(v / s.pixel_nm).astype(int) for v in (lone.y_nm, lone.x_nm))
    carbon = np.percentile(s.image, 10)
    assert np.mean(s.image[y, x] > carbon + 30) > 0.95


def test_rims_of_lone_tin_spheres_are_brighter_than_their_centres() -> None:
    lone = replace(tin_specimen(0), coverage=0.08, touching=0.0, detector=0.0)
    s = simulate_tin(lone)
    large = s.particles[(s.particles.visible > 0.99) & (s.particles.diameter_nm > 100)]
    assert len(large) > 5
    yy, xx = np.indices(s.image.shape) * s.pixel_nm
    for y, x, d in zip(large.y_nm, large.x_nm, large.diameter_nm, strict=True):
        from_rim = d / 2 - np.hypot(yy - y, xx - x)
        rim = s.image[(from_rim > 2) & (from_rim < 10)].mean()
        assert rim > s.image[from_rim > d / 4].mean()


def test_tin_spheres_do_not_overlap_in_space() -> None:
    p = simulate("tin", 2).particles
    away = np.hypot(p.y_nm[:, None] - p.y_nm, p.x_nm[:, None] - p.x_nm)
    # two spheres on a plane touch at 2 sqrt(R r) = sqrt(D d)
    touching = np.sqrt(p.diameter_nm[:, None] * p.diameter_nm)
    np.fill_diagonal(away, np.inf)
    assert (away >= touching * 0.999).all()
    assert ((away < touching * 1.01).any(axis=1)).mean() > 0.2, "many touch another"


def test_the_visible_share_tells_hidden_spheres_from_free_ones() -> None:
    p = simulate("tin", 4).particles
    assert ((p.visible >= 0) & (p.visible <= 1)).all()
    assert (p.visible > 0.9).mean() > 0.4
    assert (p.visible < 0.6).any()


def test_diameters_follow_the_specimens_distribution() -> None:
    specimen = tin_specimen(5)
    diameters = np.concatenate(
        [simulate_tin(specimen, f, (512, 512)).particles.diameter_nm for f in range(3)]
    )
    assert np.median(diameters) == pytest.approx(specimen.median_nm, rel=0.15)
    assert np.exp(np.log(diameters).std()) == pytest.approx(specimen.spread, rel=0.15)


def test_active_particles_are_brighter_than_the_matrix_and_hold_nothing_small() -> None:
    s = simulate("cathode", 1)
    p = s.particles[s.particles.visible > 0.6]
    assert p.diameter_nm.min() > 250
    y, x = (np.rint(v / s.pixel_nm).astype(int) for v in (p.y_nm, p.x_nm))
    around = [
        s.image[max(0, a - 10) : a + 11, max(0, b - 10) : b + 11] for a, b in zip(y, x, strict=True)
    ]
    assert all(np.median(part) > s.image.mean() for part in around)


@given(st.integers(2, 92))
@settings(max_examples=30, deadline=None)
def test_heavier_elements_scatter_back_more(z: int) -> None:
    assert 0 < backscattering(z + 1) - backscattering(z) < 0.03


def test_the_noise_of_a_recorded_image_is_poisson() -> None:
    rng = np.random.default_rng(0)
    signal = np.ones((256, 256))
    signal[:, 128:] = 4.0
    image = record(
        signal, 5.0, rng, beam_nm=1.0, electrons=400.0, line_noise=0.0, black=60, white=180
    ).astype(float)  # fmt: skip
    dark, bright = image[:, :120], image[:, 136:]
    assert bright.std() / dark.std() == pytest.approx(2.0, rel=0.05)


def test_a_random_field_is_normalised_and_rough_or_smooth_as_asked() -> None:
    rough, smooth = (
        fractal((128, 160), 5.0, np.random.default_rng(0), 200.0, e) for e in (1.0, 2.5)
    )
    for field in (rough, smooth):
        assert field.shape == (128, 160)
        assert field.std() == pytest.approx(1.0)
    assert np.diff(rough).std() > 2 * np.diff(smooth).std()
