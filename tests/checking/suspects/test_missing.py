"""What was not judged is never claimed: NaN, infinite pixels, empty slices."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_sem_sr.checking import Report, check
from napari_sem_sr.checking.report.verdict import lights
from napari_sem_sr.checking.suspects.missing import NO_VALUE
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import Truth

Change = Callable[[np.ndarray, np.ndarray], None]


def checked(
    truth: Truth, out: Path, change: Change, *, hr: bool = False, model: object = None
) -> Report:
    """A check of the field as floats, with something missing."""
    sr, lr = (stack.data.compute().astype(np.float32) for stack in (truth.sr, truth.lr))
    change(sr, lr)
    return check(
        replace(truth.lr, data=SemStack.from_array(lr, "LR").data),
        replace(truth.sr, data=SemStack.from_array(sr, "SR").data),
        truth.hr if hr else None,
        model=model,  # type: ignore[arg-type]
        out=out / "check",
    )


def places(report: Report) -> list[tuple[int, int, int, int, int]]:
    """Boxes of the places without a value."""
    keys = ("slice", "y", "x", "height", "width")
    return [tuple(r[k] for k in keys) for r in report.regions if NO_VALUE in r["reasons"]]


def sr_is_empty(sr: np.ndarray, lr: np.ndarray) -> None:
    sr[:] = np.nan


def one_slice_is_empty(sr: np.ndarray, lr: np.ndarray) -> None:
    sr[1] = np.nan


def a_hole(sr: np.ndarray, lr: np.ndarray) -> None:
    sr[1, 8:20, 8:20] = np.nan


def infinite(sr: np.ndarray, lr: np.ndarray) -> None:
    sr[1, 30, 30] = np.inf


def lr_slice_is_empty(sr: np.ndarray, lr: np.ndarray) -> None:
    lr[1] = np.nan


def nothing(sr: np.ndarray, lr: np.ndarray) -> None:
    pass


@pytest.mark.parametrize("hr", [False, True])
def test_where_nothing_could_be_compared_the_light_is_grey_and_nothing_is_claimed(
    truth: Truth, tmp_path: Path, hr: bool
) -> None:
    report = checked(truth, tmp_path, sr_is_empty, hr=hr)
    assert lights(report)[0].colour == "grey"
    assert "could not be judged" in report.verdict
    assert "agrees with the measured LR," not in report.verdict
    assert report.scores is None
    assert places(report) == [(z, 0, 0, 64, 80) for z in range(3)]


def test_an_empty_slice_is_the_place_and_the_good_slices_are_not(
    truth: Truth, tmp_path: Path
) -> None:
    whole = checked(truth, tmp_path / "whole", nothing)
    report = checked(truth, tmp_path / "empty", one_slice_is_empty)
    assert places(report) == [(1, 0, 0, 64, 80)]
    assert report.regions[0]["reasons"] == ["whole field", NO_VALUE]
    assert not [r for r in report.regions[1:] if "whole field" in r["reasons"]]
    assert report.looked_at == [0, 2]
    assert report.consistency["compared_fraction"] == pytest.approx(2 / 3)
    assert report.consistency["chi2"] == pytest.approx(whole.consistency["chi2"], rel=0.05)
    assert any("slice 1" in limit for limit in report.limits)
    maps = zarr.open_group(tmp_path / "empty" / "check" / "maps.zarr", mode="r")
    assert np.isnan(maps["consistency"]["0"][1]).all()


def test_with_hr_an_empty_slice_does_not_spoil_the_scores(truth: Truth, tmp_path: Path) -> None:
    report = checked(truth, tmp_path, one_slice_is_empty, hr=True)
    assert len(report.scores["psnr_per_slice"]) == 2
    assert "where it could be compared" in report.verdict


@pytest.mark.parametrize(
    ("change", "box"), [(a_hole, (1, 8, 8, 8, 8)), (infinite, (1, 28, 28, 4, 4))]
)
@pytest.mark.parametrize("hr", [False, True])
def test_a_hole_over_what_lr_measured_comes_first(
    truth: Truth, tmp_path: Path, change: Change, box: tuple, hr: bool
) -> None:
    report = checked(truth, tmp_path, change, hr=hr)
    # no place covers more than 2 % of a slice, so of the larger hole one sees the middle
    assert places(report) == [box]
    assert report.regions[0]["reasons"] == [NO_VALUE]
    assert lights(report)[0].colour == "amber"
    assert any("NaN or infinite" in limit for limit in report.limits)


def test_a_slice_that_was_not_measured_is_not_claimed_either(truth: Truth, tmp_path: Path) -> None:
    report = checked(truth, tmp_path, lr_slice_is_empty)
    assert lights(report)[0].colour == "amber"
    assert places(report) == []
    assert any(limit.startswith("LR has no value") for limit in report.limits)


def test_borders_that_are_masked_in_both_are_no_holes(truth: Truth, tmp_path: Path) -> None:
    def masked(sr: np.ndarray, lr: np.ndarray) -> None:
        lr[:, :2], sr[:, :8] = np.nan, np.nan

    report = checked(truth, tmp_path, masked)
    assert report.consistency["compared_fraction"] == 1.0
    assert lights(report)[0].colour == "green"


def test_with_a_model_nothing_is_claimed_either(truth: Truth, model, tmp_path: Path) -> None:
    report = checked(truth, tmp_path / "all", sr_is_empty, model=model)
    assert "green" not in [light.colour for light in lights(report)]
    report = checked(truth, tmp_path / "one", one_slice_is_empty, model=model)
    assert places(report) == [(1, 0, 0, 64, 80)]
