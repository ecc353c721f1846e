"""Specific surface and chords of shapes whose truth is known, on voxels of any shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.measure.numbers.crossings import directions
from tests.measure.shapes import GYROID_AREA, counted, gyroid, lattice


@pytest.mark.parametrize(
    ("voxel", "within"),
    [
        ((1.0, 1.0, 1.0), 0.015),
        ((2.0, 1.0, 1.0), 0.02),
        ((1.0, 2.0, 2.0), 0.015),
        ((3.0, 1.0, 1.5), 0.03),
        # lines four voxels apart miss what is thinner: spheres are 4.5 slices thick here
        ((4.0, 1.0, 1.0), 0.04),
    ],
)
def test_the_surface_of_spheres_is_right_on_voxels_of_any_shape(voxel, within):
    found = []
    for seed in range(4):
        shift = np.random.default_rng(seed).uniform(0, 24, 3)
        found.append(counted(lattice((72.0, 72.0, 72.0), voxel, 24.0, 9.0, shift), voxel))
    surface = np.mean([f.specific_surface.value for f in found])
    assert surface == pytest.approx(4 * np.pi * 81 / 24**3, rel=within)
    fraction = np.mean([f.fraction.value for f in found])
    assert fraction == pytest.approx(4 / 3 * np.pi * 729 / 24**3, rel=0.01)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_gyroid_has_its_known_area_and_half_of_the_volume(times):
    crossings = counted(gyroid((96.0, 96.0, 96.0), (times, 1, 1), 48.0), (times, 1.0, 1.0))
    assert crossings.specific_surface.value == pytest.approx(GYROID_AREA / 48, rel=0.03)
    assert crossings.fraction.value == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_layers_have_their_thickness_as_chord_and_two_faces_per_period(axis):
    # whole periods between the first voxel and the last
    layers = (np.indices((61, 61, 61))[axis] + 3) % 10 < 4
    crossings = counted(layers, (3.0, 1.0, 2.0))
    size = (3.0, 1.0, 2.0)[axis]
    assert crossings.fraction.value == pytest.approx(0.4, abs=0.01)
    assert crossings.mean_chord(axis).value == pytest.approx(4 * size, rel=0.03)
    # thirteen directions cannot be right for one orientation of all the surface
    assert crossings.specific_surface.value == pytest.approx(0.2 / size, rel=0.12)


def test_a_phase_without_border_has_no_chords():
    crossings = counted(np.ones((8, 8, 8), bool), (1.0, 1.0, 1.0))
    assert crossings.specific_surface.value == 0
    assert crossings.mean_chord(0).value is None


@given(st.floats(0.3, 12), st.floats(0.5, 2))
@settings(max_examples=25)
def test_weights_are_those_of_the_sphere_whatever_the_voxels(z, y):
    ways = directions((z, y, 1.0))
    assert sum(d.weight for d in ways) == pytest.approx(1)
    assert min(d.weight for d in ways) > 0
    assert len({d.step for d in ways}) == 13


def test_both_phases_share_their_surface_and_fill_the_volume():
    mask = np.random.default_rng(0).random((12, 13, 14)) > 0.6
    one, other = (counted(m, (2.0, 1.0, 1.0)) for m in (mask, ~mask))
    assert one.specific_surface.value == pytest.approx(other.specific_surface.value)
    assert one.fraction.value + other.fraction.value == pytest.approx(1)


def test_unknown_voxels_count_neither_as_phase_nor_as_border():
    from napari_sem_sr.measure.blocks import BlockGrid
    from napari_sem_sr.measure.numbers.crossings import Crossings

    layers = np.indices((40, 40, 40))[2] % 10 < 5
    known = np.ones((40, 40), bool)
    known[:, 30:] = False
    part = Crossings(BlockGrid((40, 40, 40)), (1.0, 1.0, 1.0))
    for index, plane in enumerate(layers):
        part.add(index, plane & known, known)
    whole = counted(layers[:, :, :30], (1.0, 1.0, 1.0))
    assert part.fraction.value == pytest.approx(whole.fraction.value)
    assert part.mean_chord(2).value == pytest.approx(whole.mean_chord(2).value)


def test_the_share_of_the_surface_at_untrusted_voxels_is_counted():
    from napari_sem_sr.measure.blocks import BlockGrid
    from napari_sem_sr.measure.numbers.crossings import Crossings

    layers = np.indices((20, 20, 20))[1] % 10 < 5
    half = np.zeros((20, 20), bool)
    half[:, :10] = True
    crossings = Crossings(BlockGrid((20, 20, 20)), (1.0, 1.0, 1.0))
    for index, plane in enumerate(layers):
        crossings.add(index, plane, np.ones_like(plane), half)
    assert crossings.untrusted_chords(1) == pytest.approx(0.5)
    assert crossings.untrusted_surface == pytest.approx(0.5, abs=0.04)
