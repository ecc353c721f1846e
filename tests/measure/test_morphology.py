import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from napari_sem_sr.measure.morphology import (
    EDGES,
    connectivity,
    measure,
    slice_links,
    summarise_morphology,
)
from napari_sem_sr.measure.particles import Segmentation

BRIGHT = Segmentation("bright", 50.0)


def squares(side: int = 12, period: int = 32, size: int = 256) -> np.ndarray:
    image = np.zeros((size, size))
    for y in range(10, size - side, period):
        for x in range(10, size - side, period):
            image[y : y + side, x : x + side] = 100
    return image


def test_squares_have_the_fraction_the_chords_and_the_density_they_were_made_with():
    found = summarise_morphology([measure(squares(), BRIGHT)] * 2, 5.0)
    assert found["fraction"] == pytest.approx((12 / 32) ** 2, rel=0.05)
    assert found["chord_mean"] == pytest.approx(12 * 5.0, rel=0.05)
    assert found["objects_density"] == pytest.approx(1 / (32 * 5.0) ** 2, rel=0.01)
    assert found["diameter_median"] == pytest.approx(2 * 12 / np.sqrt(np.pi) * 5, rel=0.15)
    octaves = np.diff(np.log2(found["chord_edges"]))
    assert (np.array(found["chords"]) * octaves).sum() == pytest.approx(1)
    assert len(found["objects"]) == len(EDGES) - 1


def test_runs_cut_off_by_the_border_are_no_chords():
    image = np.zeros((64, 64))
    image[:, 30:] = 100
    assert measure(image, BRIGHT)["chord_count"] == 0


def test_fine_texture_moves_the_power_up():
    rng = np.random.default_rng(0)
    white = summarise_morphology([measure(rng.normal(size=(128, 128)), BRIGHT)], 1.0)["power"]
    wave = np.sin(np.arange(128) / 5)[None].repeat(128, 0)
    slow = summarise_morphology([measure(wave, BRIGHT)], 1.0)["power"]
    assert sum(slow[24:]) < 0.01 < 0.4 < sum(white[24:])


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 9, 10)))
def test_connectivity_added_up_slice_by_slice_is_that_of_the_whole(volume):
    slices = [slice_links(m, volume[z - 1] if z else None) for z, m in enumerate(volume)]
    found = connectivity(slices)
    labels, n = label(volume)
    assert found["components"] == n
    if n:
        sizes = np.bincount(labels.ravel())[1:]
        assert found["largest_share"] == pytest.approx(sizes.max() / sizes.sum())
    through = set(labels[0].ravel()) & set(labels[-1].ravel()) - {0}
    assert found["through"] == bool(through)


@given(st.integers(1, 3))
def test_nothing_is_connected_where_nothing_is(slices):
    empty = [slice_links(np.zeros((4, 4), bool), np.zeros((4, 4), bool)) for _ in range(slices)]
    assert connectivity(empty) == {"components": 0, "largest_share": None, "through": False}
