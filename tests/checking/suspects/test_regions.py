import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.suspects.regions import (
    IN_REPORT,
    MAX_SHARE,
    PER_SLICE,
    WHOLE_FIELD,
    Region,
    suspect_regions,
    worst,
)


def blank(shape=(60, 80)) -> np.ndarray:
    return np.zeros(shape)


def test_a_place_has_its_box_in_sr_pixels_its_score_and_its_reasons():
    a, b = blank(), blank()
    a[10:13, 20:24] = 3.0
    b[11, 21] = 1.5
    b[40, 40] = 1.2
    found = suspect_regions({"not in LR": a, "invented": b}, 4, (7, 100, 200))
    assert found[0] == Region(7, 140, 280, 12, 16, 3.0, ("not in LR", "invented"))
    assert found[1] == Region(7, 260, 360, 4, 4, 1.2, ("invented",))
    assert len(found) == 2


def test_a_clean_slice_has_no_region_and_nan_says_nothing():
    assert suspect_regions({}, 4) == []
    assert suspect_regions({"a": blank() + 0.99}, 4) == []
    assert suspect_regions({"a": np.full((60, 80), np.nan)}, 4) == []


def test_a_field_that_is_suspect_everywhere_is_one_region():
    found = suspect_regions({"invented": blank() + 2.0, "not in LR": blank()}, 4)
    assert len(found) == 1
    assert found[0].reasons == (WHOLE_FIELD, "invented")
    assert (found[0].height, found[0].width) == (240, 320)


def test_a_large_place_is_cut_to_two_percent_of_the_slice_around_its_peak():
    a = blank((100, 100))
    a[:, 30:36] = 1.5
    a[50, 33] = 4.0
    first = suspect_regions({"a": a}, 4)[0]
    assert first.height * first.width <= MAX_SHARE * 400 * 400
    assert first.y <= 200 < first.y + first.height


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.integers(8, 70), st.integers(8, 70), st.floats(0.5, 4))
def test_regions_never_overlap_are_small_inside_and_sorted(seed, height, width, grain):
    image = gaussian_filter(np.random.default_rng(seed).standard_normal((height, width)), grain)
    image = 2.2 * image / np.abs(image).max()
    found = suspect_regions({"a": image}, 4)
    covered = np.zeros((4 * height, 4 * width), int)
    for r in found:
        if WHOLE_FIELD not in r.reasons:
            assert r.height * r.width <= MAX_SHARE * covered.size
        covered[r.y : r.y + r.height, r.x : r.x + r.width] += 1
        assert r.y + r.height <= 4 * height and r.x + r.width <= 4 * width
    assert covered.max(initial=0) <= 1
    assert len(found) <= PER_SLICE
    if all(WHOLE_FIELD not in r.reasons for r in found):
        scores = [r.score for r in found]
        assert scores == sorted(scores, reverse=True)


def test_the_worst_of_a_stack_come_first_whatever_their_slice():
    regions = [Region(z, 0, 0, 4, 4, float(z % 7), ("a",)) for z in range(300)]
    listed = worst(regions)
    assert len(listed) == IN_REPORT
    assert [r.score for r in listed] == sorted((r.score for r in regions), reverse=True)[:IN_REPORT]
