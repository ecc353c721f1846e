"""The study of ×4 and ×8: recall by diameter, from a budget that teaches next to nothing."""

import csv
from pathlib import Path

import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Notice, drain
from napari_sem_sr.study.factor import (
    FactorPlan,
    iter_factor,
    nyquist_nm,
    smallest_reliable_nm,
)
from tests.study.plans import TINY

PLAN = FactorPlan(teachers=2, teacher_px=128, held_out=1, held_out_px=256, settings=TINY)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "factor"
    drain(iter_factor(folder, PLAN))
    return folder


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_recall_is_told_by_factor_and_class_of_diameter_in_nm(out: Path) -> None:
    rows = read(out / "recall.csv")
    assert {r["factor"] for r in rows} == {"4", "8"}
    assert {r["nyquist_nm"] for r in rows} == {"40", "80"}
    for row in rows:
        assert float(row["diameter_from_nm"]) < float(row["diameter_to_nm"])
        shares = [row[f"recall_{w}"] for w in ("hr", "bicubic", "twin", "gan")]
        assert all(s == "" if row["particles"] == "0" else 0 <= float(s) <= 1 for s in shares)


def test_an_interpolated_picture_loses_at_x8_what_it_keeps_at_x4(out: Path) -> None:
    found = dict.fromkeys("48", 0.0)
    for row in read(out / "recall.csv"):
        if row["particles"] != "0" and 34 <= float(row["diameter_from_nm"]) < 76:
            found[row["factor"]] += float(row["recall_bicubic"]) * int(row["particles"])
    assert found["8"] < 0.7 * found["4"]


def test_the_page_needs_no_other_file(out: Path) -> None:
    page = (out / "study.html").read_text(encoding="utf-8")
    assert "<svg" in page and "data:image/png;base64," in page
    assert 'src="http' not in page and "<script" not in page
    assert "diameter (nm)" in page and "Nyquist" in page


def test_run_again_it_keeps_its_models_and_says_the_same(out: Path) -> None:
    before = (out / "recall.csv").read_text()
    again = list(iter_factor(out, PLAN))
    assert not any(isinstance(e, Notice) and "Training" in e.message for e in again)
    assert (out / "recall.csv").read_text() == before


def test_another_plan_in_the_same_folder_is_refused(out: Path) -> None:
    with pytest.raises(OutputError, match="another plan"):
        drain(iter_factor(out, PLAN.model_copy(update={"teachers": 3})))


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(OutputError, match="did not make"):
        drain(iter_factor(tmp_path, PLAN))
    with pytest.raises(OutputError, match="is a file"):
        drain(iter_factor(tmp_path / "thesis.docx", PLAN))


def test_nyquist_is_two_lr_pixels() -> None:
    assert nyquist_nm(4, 5.0) == 40.0
    assert nyquist_nm(8, 5.0) == 80.0


def test_the_smallest_reliable_class_has_no_unreliable_one_above_it() -> None:
    def row(start: float, hr: float | None, gan: float | None) -> dict:
        return {"diameter_from_nm": start, "recall_hr": hr, "recall_gan": gan}

    rows = [
        row(20, 0.5, 0.5),
        row(30, 0.8, 0.1),
        row(40, 0.9, 0.8),
        row(60, None, None),
        row(80, 1.0, 1.0),
    ]
    assert smallest_reliable_nm(rows, "gan") == 40
    assert smallest_reliable_nm(rows[:2], "gan") is None
