"""Every N-th slice now, the rest later, into the same report."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_sem_sr.checking import check
from napari_sem_sr.checking.pipeline.log import NAME as JOURNAL
from napari_sem_sr.checking.pipeline.quick import bounds
from napari_sem_sr.errors import InputError
from tests.checking.conftest import specimen, truth_of


def test_the_rest_is_looked_at_later_and_the_report_is_that_of_a_whole_check(tmp_path: Path):
    truth = truth_of(specimen((5, 64, 80)))
    whole = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "whole")
    out = tmp_path / "quick"
    quick = check(truth.lr, truth.sr, truth.hr, out=out, every=2)
    assert quick.looked_at == [0, 2, 4] and len(quick.scores["psnr_per_slice"]) == 3
    assert quick.sr["checked"]["every"] == 2
    assert "3 of 5 slices were looked at" in quick.verdict
    assert any("--resume" in line for line in quick.limits)
    shown = zarr.open_group(out / "maps.zarr" / "consistency", mode="r")["0"]
    assert np.isnan(shown[1]).all() and np.isfinite(shown[2]).all(), "what nobody saw is no zero"
    again = check(truth.lr, truth.sr, truth.hr, out=out, every=2, resume=True)
    assert again == quick and (out / JOURNAL).exists()
    rest = check(truth.lr, truth.sr, truth.hr, out=out, resume=True)
    assert rest == whole
    assert not (out / JOURNAL).exists()


def test_every_nothing_is_refused(tmp_path: Path):
    truth = truth_of(specimen((1, 64, 80)))
    with pytest.raises(InputError, match="give 1 or more"):
        check(truth.lr, truth.sr, out=tmp_path, every=0)


def test_the_interval_holds_what_was_seen_and_closes_with_what_is_left_unseen():
    assert bounds(0, 10, 10) == (0, 0)
    assert bounds(3, 10, 10) == (3, 3)
    low, high = bounds(3, 10, 100)
    assert 3 <= low < 30 < high <= 93
    assert bounds(3, 50, 100)[1] < high


@pytest.mark.parametrize("suspect", [0, 5, 40])
def test_the_interval_holds_the_truth_nineteen_times_of_twenty(suspect: int):
    rng = np.random.default_rng(suspect)
    stack = np.arange(100) < suspect
    held = 0
    for _ in range(200):
        low, high = bounds(int(rng.permutation(stack)[:20].sum()), 20, 100)
        held += low <= suspect <= high
    assert held >= 190
