import json

import numpy as np
import pytest

from napari_sem_sr.checking.field import align
from napari_sem_sr.checking.review.blind_test import (
    NAME,
    BlindTrial,
    keep,
    pair_trials,
    pictures,
    result,
    single_trials,
)
from napari_sem_sr.errors import InputError

REGIONS = [
    {"slice": z, "y": 4 * z, "x": 8, "height": 8, "width": 12, "score": 2.0, "reasons": []}
    for z in range(3)
]


@pytest.fixture
def field(truth):
    return align(truth.lr, truth.sr, truth.hr)


def test_a_and_b_are_sr_and_hr_of_one_place_and_hr_is_first_in_half_of_them(field, truth):
    trials = pair_trials(field, 20, seed=3)
    assert sum(t.first for t in trials) == 10
    assert [t.first for t in trials] != sorted(t.first for t in trials)
    for trial in trials:
        a, b = pictures(field, trial)
        hr = truth.hr.slice(trial.slice)[trial.y :, trial.x :][: trial.side, : trial.side]
        np.testing.assert_array_equal(a if trial.first else b, hr)
        assert a.shape == b.shape == (64, 64)
        assert not np.array_equal(a, b)


def test_the_same_seed_gives_the_same_trials(field):
    assert pair_trials(field, 8, seed=1) == pair_trials(field, 8, seed=1)
    assert pair_trials(field, 8, seed=1) != pair_trials(field, 8, seed=2)


def test_without_hr_suspect_places_are_mixed_with_places_that_touch_none(truth):
    small = align(truth.lr, truth.sr)
    regions = [{**REGIONS[0], "slice": 0}]
    trials = single_trials(small, regions, 2, seed=0)
    assert sorted(t.first for t in trials) == [False, True]
    other = next(t for t in trials if not t.first)
    assert other.slice != 0 or other.y >= 8 or other.x >= 20
    assert len(pictures(small, trials[0])) == 1
    with pytest.raises(InputError, match="nothing to tell apart"):
        single_trials(small, [], 2, seed=0)


def test_the_confusion_matrix_of_pairs_counts_both_pictures():
    trials = [BlindTrial(0, 0, 0, 8, first) for first in (True, True, False, False)]
    found = result(trials, ["first", "second", "second", "unsure"], pairs=True)
    assert found.matrix == {
        "HR": {"measured": 2, "made up": 1, "unsure": 1},
        "SR": {"measured": 1, "made up": 2, "unsure": 1},
    }
    assert (found.decided, found.right, found.share) == (3, 2, pytest.approx(2 / 3))
    low, high = found.interval
    # Clopper-Pearson of 2 of 3
    assert low == pytest.approx(0.0943, abs=1e-4) and high == pytest.approx(0.9916, abs=1e-4)


def test_the_confusion_matrix_of_single_pictures_compares_with_the_list():
    trials = [BlindTrial(0, 0, 0, 8, first) for first in (True, True, False)]
    found = result(trials, ["first", "second", "second"], pairs=False)
    assert found.matrix["suspect"] == {"not trusted": 1, "trusted": 1, "unsure": 0}
    assert found.matrix["other"] == {"not trusted": 0, "trusted": 1, "unsure": 0}
    assert found.right == 2


def test_nothing_decided_gives_no_share():
    found = result([BlindTrial(0, 0, 0, 8, True)], ["unsure"], pairs=True)
    assert found.share is None and found.interval is None


def test_answers_are_on_disk_with_the_truth_they_belong_to(tmp_path):
    trials = [BlindTrial(2, 4, 6, 8, True), BlindTrial(1, 0, 0, 8, False)]
    keep(tmp_path, 7, trials, ["second"], pairs=True)
    kept = json.loads((tmp_path / NAME).read_text())
    assert kept["answers"] == [
        {"slice": 2, "y": 4, "x": 6, "side": 8, "first": True, "said": "second"}
    ]
    assert kept["trials"] == 2 and kept["right"] == 0
