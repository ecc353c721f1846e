from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking import check, iter_check
from napari_sem_sr.checking.evidence.projection import NAME
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Progress
from napari_sem_sr.io import read_stack
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack


@pytest.fixture
def fake(truth):
    """SR with a square that LR did not measure."""
    data = truth.sr.data.compute()
    data[1, 20:32, 20:32] = 255
    return replace(truth.sr, data=SemStack.from_array(data, "SR").data)


def test_the_projected_stack_averages_to_lr_and_the_report_says_what_changed(truth, fake, tmp_path):
    report = check(truth.lr, fake, truth.hr, out=tmp_path, project=True)
    projected = read_stack(tmp_path / NAME)
    off = area_average(projected.data.compute(), 4) - truth.lr.data.compute()
    # as far as whole grey levels can
    assert np.abs(off).max() <= 0.5
    changed = report.consistency["projection"]
    assert changed["largest_change"] > 50
    assert changed["residual_rms"] < 0.3
    assert changed["psnr"] > report.scores["psnr"] + 3
    assert "cannot contradict LR any more" in (tmp_path / "report.html").read_text()


def test_without_the_switch_nothing_is_projected(truth, fake, tmp_path):
    report = check(truth.lr, fake, out=tmp_path)
    assert "projection" not in report.consistency
    assert not (tmp_path / NAME).exists()


def test_an_interrupted_projection_goes_on_and_gives_the_same(truth, fake, tmp_path):
    with closing(iter_check(truth.lr, fake, out=tmp_path / "a", project=True)) as work:
        for event in work:
            if isinstance(event, Progress) and event.what == "projecting" and event.done == 1:
                break
    resumed = check(truth.lr, fake, out=tmp_path / "a", project=True, resume=True)
    whole = check(truth.lr, fake, out=tmp_path / "b", project=True)
    assert resumed.consistency == whole.consistency
    a, b = (read_stack(tmp_path / x / NAME).data.compute() for x in "ab")
    np.testing.assert_array_equal(a, b)
    with pytest.raises(OutputError, match="projected"):
        check(truth.lr, fake, out=tmp_path / "b", resume=True)
