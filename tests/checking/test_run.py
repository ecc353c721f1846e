import csv
import json
import os
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_sem_sr.checking import Report, check, iter_check
from napari_sem_sr.checking.pipeline.log import NAME as JOURNAL
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Progress
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.io.zarr_layout import slice_file
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import Truth, specimen, truth_of

KEYS = [
    "lr", "sr", "hr", "model", "scores", "consistency", "invention", "domain", "persistence", "trust", "expected",
    "regions", "verdict", "limits",
]  # fmt: skip


def document(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def test_the_report_has_exactly_the_fixed_keys_in_order(truth: Truth, tmp_path):
    check(truth.lr, truth.sr, truth.hr, out=tmp_path / "check")
    assert list(document(tmp_path / "check")) == KEYS
    assert {p.name for p in (tmp_path / "check").iterdir()} == {
        "report.json", "report.html", "regions.csv", "maps.zarr",
    }  # fmt: skip


def test_scores_are_those_of_every_slice_beside_bicubic_and_the_twin(truth: Truth, model, tmp_path):
    report = check(truth.lr, truth.sr, truth.hr, model=model, out=tmp_path)
    sr, hr = truth.sr.data.compute(), truth.hr.data.compute()
    scores = report.scores
    assert scores["psnr"] == pytest.approx(psnr(sr.reshape(-1, 80), hr.reshape(-1, 80)))
    assert scores["psnr_per_slice"] == pytest.approx(
        [psnr(a, b) for a, b in zip(sr, hr, strict=True)]
    )
    assert scores["ssim"] == pytest.approx(
        np.mean([ssim(a, b) for a, b in zip(sr, hr, strict=True)])
    )
    assert scores["psnr"] > scores["bicubic_psnr"] + 3
    assert scores["ssim"] > scores["bicubic_ssim"]
    # the tiny model is random weights: it must be scored, and must not look good
    assert scores["twin_psnr"] < scores["bicubic_psnr"]
    assert scores["data_range"] == 255


def test_a_fault_in_the_last_slice_alone_is_seen(truth: Truth, tmp_path):
    data = truth.sr.data.compute()
    data[-1] = 255 - data[-1]
    bad = replace(truth.sr, data=SemStack.from_array(data, "SR").data)
    good = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "good").scores
    found = check(truth.lr, bad, truth.hr, out=tmp_path / "bad").scores
    assert found["psnr"] < good["psnr"] - 5
    assert found["psnr_per_slice"][:2] == good["psnr_per_slice"][:2]


def test_without_hr_there_are_no_scores_and_the_report_says_so(truth: Truth, tmp_path):
    report = check(truth.lr, truth.sr, out=tmp_path)
    assert report.scores is None
    assert report.hr is None
    assert any("No HR was given" in line for line in report.limits)


def test_whatever_could_not_be_judged_is_null_and_explained(truth: Truth, tmp_path):
    report = check(truth.lr, truth.sr, truth.hr, out=tmp_path)
    missing = [
        k
        for k in ("consistency", "invention", "domain", "persistence", "trust")
        if getattr(report, k) is None
    ]
    assert len(report.limits) >= len(missing)
    assert all(isinstance(line, str) and line.endswith(".") for line in report.limits)


def test_lr_made_from_hr_is_called_optimistic_even_when_the_file_does_not_say_so(
    truth: Truth, tmp_path
):
    silent = replace(truth.lr, provenance=None)
    report = check(silent, truth.sr, truth.hr, out=tmp_path / "same")
    assert any("optimistic" in line for line in report.limits)
    rng = np.random.default_rng(5)
    noisy = np.clip(truth.lr.data.compute() + rng.normal(0, 8, truth.lr.shape), 0, 255).astype(
        np.uint8
    )
    measured = replace(silent, data=SemStack.from_array(noisy, "LR").data)
    report = check(measured, truth.sr, truth.hr, out=tmp_path / "other")
    assert not any("optimistic" in line for line in report.limits)


def test_the_maps_are_ome_zarr_in_place_and_their_bands_add_up(truth: Truth, tmp_path):
    check(truth.lr, truth.sr, truth.hr, out=tmp_path)
    maps = zarr.open_group(tmp_path / "maps.zarr", mode="r")
    whole = np.asarray(maps["difference/0"])
    np.testing.assert_array_equal(
        whole, truth.sr.data.compute().astype(float) - truth.hr.data.compute()
    )
    attributes = maps["difference_low"].attrs
    scale = attributes["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0][
        "scale"
    ]
    assert scale == [20.0, 20.0, 20.0]
    assert attributes["napari_sem_sr"]["complete"] is True
    assert np.asarray(maps["difference_high/0"]).shape == truth.lr.shape


def test_the_page_needs_nothing_but_itself(truth: Truth, model, tmp_path):
    check(truth.lr, truth.sr, truth.hr, model=model, out=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert "<script" not in page and "@import" not in page and "url(http" not in page
    panels, maps = 6, 4
    pictures = panels + maps + 2 * min(10, len(Report.read(tmp_path).regions))
    assert page.count("data:image/png;base64,") == pictures
    assert "super-resolved (synthetic)" in page
    assert "generates" in page


def test_names_of_files_cannot_put_anything_into_the_page(truth: Truth, tmp_path):
    odd = "<script>alert('1')</script> & \"x\""
    report = check(
        replace(truth.lr, name=odd),
        replace(truth.sr, name=odd),
        replace(truth.hr, name=odd),
        out=tmp_path,
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert report.sr["name"] == odd


def test_a_part_of_the_stack_is_checked_where_it_lies(truth: Truth, tmp_path):
    part = truth.sr.cropped((1, 3), ((16, 48), (0, 64)))
    report = check(truth.lr, part, truth.hr, out=tmp_path)
    whole = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "whole")
    assert report.sr["checked"] == {"slices": [1, 3], "without": [], "region": [[4, 12], [0, 16]]}
    hr = truth.hr.data.compute()[1:, 16:48, :64]
    expected = psnr(part.data.compute().reshape(-1, 64), hr.reshape(-1, 64))
    assert report.scores["psnr"] == pytest.approx(expected)
    assert len(whole.scores["psnr_per_slice"]) == 3


def test_masked_borders_stay_masked(truth: Truth, tmp_path):
    hr = truth.hr.data.compute().astype(np.float32)
    hr[:, :8] = np.nan
    masked = truth_of(hr)
    report = check(masked.lr, masked.sr, masked.hr, out=tmp_path)
    difference = np.asarray(zarr.open_group(tmp_path / "maps.zarr", mode="r")["difference/0"])
    assert np.isnan(difference[:, :8]).all() and np.isfinite(difference[:, 8:]).all()
    assert np.isfinite(report.scores["psnr"])
    span = float(np.nanmax(hr) - np.nanmin(hr))
    assert report.scores["data_range"] == pytest.approx(span)
    assert any("floats" in line for line in report.limits)


def test_an_sr_equal_to_hr_is_reported_without_infinity_in_the_json(truth: Truth, tmp_path):
    same = replace(truth.sr, data=truth.hr.data)
    report = check(truth.lr, same, truth.hr, out=tmp_path)
    assert document(tmp_path)["scores"]["psnr"] is None
    assert report.scores["ssim"] == pytest.approx(1)
    assert any("infinite" in line for line in report.limits)
    assert "equals HR" in report.verdict


def test_shapes_that_do_not_fit_are_refused_before_anything_is_written(truth: Truth, tmp_path):
    narrow = SemStack.from_array(np.zeros((3, 61, 80), np.uint8), "narrow")
    with pytest.raises(InputError, match=r"\(3, 61, 80\).*\(3, 16, 20\)"):
        check(truth.lr, narrow, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_of_another_factor_and_grey_values_on_another_scale_are_refused(
    truth: Truth, model, tmp_path
):
    with pytest.raises(InputError, match="factor 4"):
        lr = truth.lr.averaged(truth.lr.data[:, ::2, ::2], 2)
        check(replace(lr, provenance=None), truth.sr, model=model, out=tmp_path / "a")
    wide = replace(truth.hr, data=truth.hr.data.astype(np.uint16))
    with pytest.raises(InputError, match="not on one scale"):
        check(truth.lr, truth.sr, wide, out=tmp_path / "b")


def written(stack: SemStack, path: Path, slices: int) -> SemStack:
    """An output of ours with the first slices done; finished if they are all."""
    writer = ZarrStackWriter.create(path, like=stack, provenance={})
    for z in range(slices):
        writer.write_slice(z, stack.slice(z))
    if slices == stack.shape[0]:
        writer.finish()
    return read_stack(path)


def test_an_unfinished_sr_is_refused(truth: Truth, tmp_path):
    unfinished = written(truth.sr, tmp_path / "sr.zarr", 2)
    with pytest.raises(InputError, match="not finished: 2 of 3"):
        check(truth.lr, unfinished, out=tmp_path / "out")


@pytest.mark.parametrize("damage", [lambda f: f.unlink(), lambda f: f.write_bytes(b"")])
def test_slices_that_went_missing_are_named_and_not_judged_as_black(truth: Truth, tmp_path, damage):
    written(truth.sr, tmp_path / "sr.zarr", 3)
    damage(slice_file(tmp_path / "sr.zarr", 0, 1))
    with pytest.raises(InputError, match="slice 1 went missing"):
        check(truth.lr, read_stack(tmp_path / "sr.zarr"), out=tmp_path / "out")


def test_the_second_check_in_one_folder_is_told_of_the_first(truth: Truth, tmp_path):
    with closing(iter_check(truth.lr, truth.sr, out=tmp_path / "out")) as first:
        next(first)
        with pytest.raises(OutputError, match=f"another run \\(process {os.getpid()}"):
            check(truth.lr, truth.sr, out=tmp_path / "out", resume=True)
    check(truth.lr, truth.sr, out=tmp_path / "out", resume=True)


def test_a_check_that_was_stopped_goes_on_and_ends_the_same(truth: Truth, tmp_path):
    whole = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "whole")
    out = tmp_path / "stopped"
    with closing(iter_check(truth.lr, truth.sr, truth.hr, out=out)) as work:
        for event in work:
            if isinstance(event, Progress) and event.what == "checking" and event.done == 2:
                break
    assert not (out / "report.json").exists()
    with (out / JOURNAL).open("a") as stream:
        stream.write('{"slice": 1, "fou')  # a power cut in the middle of a line
    with pytest.raises(OutputError, match="--resume"):
        check(truth.lr, truth.sr, truth.hr, out=out)
    looked = []
    work = iter_check(truth.lr, truth.sr, truth.hr, out=out, resume=True)
    while True:
        try:
            looked.append(next(work))
        except StopIteration as stop:
            report = stop.value
            break
    assert report == whole
    assert not (out / JOURNAL).exists()
    a, b = (
        np.asarray(zarr.open_group(p / "maps.zarr", mode="r")["difference/0"])
        for p in (out, tmp_path / "whole")
    )
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("line", [0, 1])
def test_a_damaged_journal_costs_slices_and_nothing_else(truth: Truth, tmp_path, line: int):
    whole = check(truth.lr, truth.sr, out=tmp_path / "whole")
    out = tmp_path / "stopped"
    with closing(iter_check(truth.lr, truth.sr, out=out)) as work:
        for event in work:
            if isinstance(event, Progress) and event.what == "checking" and event.done == 2:
                break
    lines = [kept for kept in (out / JOURNAL).read_bytes().split(b"\n") if kept]
    lines[line] = lines[line].replace(b"1", b"2")
    (out / JOURNAL).write_bytes(b"\xff\n" + b"\n".join(lines) + b"\n")
    if line == 0:
        with pytest.raises(OutputError, match="it is unknown what was being checked"):
            check(truth.lr, truth.sr, out=out, resume=True)
    else:
        assert check(truth.lr, truth.sr, out=out, resume=True).document() == whole.document()


def test_resuming_begins_where_nothing_is_there_and_leaves_a_finished_report_alone(
    truth: Truth, tmp_path
):
    first = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "out", resume=True)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*")}
    again = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "out", resume=True)
    assert again == first == Report.read(tmp_path / "out")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*")} == before


def test_a_finished_report_is_not_overwritten_and_other_data_do_not_go_on_with_it(
    truth: Truth, tmp_path
):
    check(truth.lr, truth.sr, truth.hr, out=tmp_path)
    with pytest.raises(OutputError, match="holds a check already"):
        check(truth.lr, truth.sr, truth.hr, out=tmp_path)
    other = truth_of(specimen(seed=9))
    with pytest.raises(OutputError, match="lr, sr, hr differ"):
        check(other.lr, other.sr, other.hr, out=tmp_path, resume=True)


def test_regions_csv_has_its_columns(truth: Truth, tmp_path):
    report = check(truth.lr, truth.sr, truth.hr, out=tmp_path)
    with (tmp_path / "regions.csv").open(newline="") as stream:
        table = csv.DictReader(stream)
        rows = list(table)
    assert table.fieldnames == ["slice", "y", "x", "height", "width", "score", "reasons"]
    assert len(rows) == len(report.regions)


def test_reading_a_report_where_there_is_none_says_so(tmp_path):
    with pytest.raises(InputError, match="no finished report"):
        Report.read(tmp_path)


def test_slices_left_out_count_nowhere_and_are_named(truth: Truth, tmp_path):
    spoilt = truth.sr.data.compute()
    spoilt[1] = 255 - spoilt[1]
    sr = replace(truth.sr, data=SemStack.from_array(spoilt, "SR").data)
    report = check(truth.lr, sr, truth.hr, out=tmp_path, without=[1])
    clean = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "clean", without=[1])
    assert report.scores["psnr"] == clean.scores["psnr"]
    assert len(report.scores["psnr_per_slice"]) == 2
    assert report.sr["checked"]["without"] == [1]
    assert any("left out by number" in limit and limit.endswith("1.") for limit in report.limits)
    assert all(region["slice"] != 1 for region in report.regions)
    found = zarr.open_group(tmp_path / "maps.zarr" / "consistency", mode="r")["0"]
    assert np.isnan(found[1]).all() and np.isfinite(found[0]).any()
    with pytest.raises(OutputError, match="without differ"):
        check(truth.lr, sr, truth.hr, out=tmp_path, resume=True)
