import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.measure.particles import (
    EDGES_PX,
    Segmentation,
    count,
    detect,
    match,
    summarise_counts,
)

SIZE = 256
DISCS = [(40, 40, 12), (40, 90, 6), (100, 60, 3), (180, 180, 20), (200, 60, 8), (120, 200, 4)]


def picture(discs, ground: float = 40, level: float = 160, noise: float = 4.0) -> np.ndarray:
    """Discs (y, x, radius) as round as pixels allow, with noise."""
    yy, xx = np.mgrid[:SIZE, :SIZE]
    image = np.full((SIZE, SIZE), float(ground))
    for y, x, r in discs:
        image += (level - ground) * np.clip(r + 0.5 - np.hypot(yy - y, xx - x), 0, 1)
    return image + np.random.default_rng(0).normal(0, noise, image.shape)


def test_discs_are_found_with_their_places_and_diameters_in_nm():
    found = detect(picture(DISCS), 5.0)
    assert len(found) == len(DISCS)
    for y, x, r in DISCS:
        i = int(np.argmin(np.hypot(*(found.centres - (y, x)).T)))
        assert found.centres[i] == pytest.approx((y, x), abs=0.5)
        assert found.diameters[i] == pytest.approx(2 * r * 5.0, rel=0.2)


def test_pores_are_the_same_upside_down():
    pores = detect(200 - picture(DISCS), None, "dark")
    same = detect(picture(DISCS), None)
    assert sorted(pores.diameters) == pytest.approx(sorted(same.diameters), rel=0.01)


def test_touching_discs_are_parted_and_discs_at_the_border_left_out():
    touching = [(100, 100, 15), (100, 128, 15)]
    assert len(detect(picture([*touching, (0, 30, 12)]), None)) == 2


def test_the_ground_is_no_particle_and_noise_makes_none():
    assert len(detect(picture([(128, 128, 150)]), None)) == 0
    seen = Segmentation.of(picture(DISCS), "bright")
    assert len(detect(picture([], noise=8.0), None, segmentation=seen)) == 0
    assert len(detect(np.full((64, 64), 7.0), None)) == 0
    assert len(detect(np.full((64, 64), np.nan), None)) == 0


def test_missed_and_invented_ones_are_told_apart():
    segmentation = Segmentation.of(picture(DISCS), "bright")
    truth = detect(picture(DISCS), 5.0, segmentation=segmentation)
    other = detect(picture([*DISCS[:4], (220, 220, 5)]), 5.0, segmentation=segmentation)
    found = match(truth, other)
    assert len(found.pairs) == 4
    assert truth.centres[found.missed] == pytest.approx(np.array([(120, 200), (200, 60)]), abs=0.5)
    assert other.centres[found.invented] == pytest.approx(np.array([(220, 220)]), abs=0.5)
    total = summarise_counts([count(truth, other, found)], 5.0)
    assert (total["n_true"], total["n_missed"], total["n_invented"]) == (6, 2, 1)


def test_a_disc_of_another_size_in_the_same_place_is_not_the_same_disc():
    truth = detect(picture([(100, 100, 20)]), None)
    found = match(truth, detect(picture([(100, 100, 7)]), None))
    assert len(found.pairs) == 0 and len(found.missed) == len(found.invented) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(20, 230), st.integers(20, 230)), min_size=1, max_size=8))
def test_every_object_is_in_exactly_one_place_of_the_count(centres):
    truth = detect(picture([(y, x, 6) for y, x in centres], noise=0), None)
    other = detect(picture([(y + 1, x, 5) for y, x in centres[::2]], noise=0), None)
    found = match(truth, other)
    assert sorted([*found.pairs[:, 0], *found.missed]) == list(range(len(truth)))
    assert sorted([*found.pairs[:, 1], *found.invented]) == list(range(len(other)))


def test_the_smallest_diameter_is_where_recall_is_lost_for_good():
    classes = len(EDGES_PX) - 1
    true, found = np.zeros((2, classes), int)
    true[3:9] = 100
    found[3:9] = [95, 40, 70, 92, 99, 100]
    drawn = {"drawn": true.tolist(), "right": found.tolist()}
    total = summarise_counts([{"true": true.tolist(), "found": found.tolist(), **drawn}], 2.0)
    assert total["diameter_recall_90"] == pytest.approx(2 * EDGES_PX[6])
    assert total["diameter_recall_50"] == pytest.approx(2 * EDGES_PX[3])
    assert total["recall"][0] is None
    assert total["recall"][4] == 0.4
