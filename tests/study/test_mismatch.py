"""The study of the wrong material: inventions counted per model, the real pair named when it is skipped."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, drain
from napari_sem_sr.samples.specimens import simulate
from napari_sem_sr.study.mismatch import MismatchPlan, iter_mismatch
from tests.study.plans import TINY

PLAN = MismatchPlan(teachers=2, teacher_px=128, held_out=1, held_out_px=128, settings=TINY)


def save_images(folder: Path, kind, count: int) -> Path:
    folder.mkdir()
    for n in range(count):
        image = simulate(kind, n, shape=(128, 128)).image
        Image.fromarray(image).save(folder / f"{'abcdefgh'[n]}_1.png")
    return folder


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    folder = tmp_path_factory.mktemp("study") / "mismatch"
    return folder, list(iter_mismatch(folder, PLAN))


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_inventions_are_counted_per_model_beside_bicubic(simulated) -> None:
    rows = read(simulated[0] / "mismatch.csv")
    assert [(r["taught_on"], r["network"]) for r in rows] == [
        ("none", "bicubic"),
        ("tin", "twin"),
        ("tin", "gan"),
        ("cathode", "twin"),
        ("cathode", "gan"),
    ]
    for row in rows:
        assert row["applied_to"] == "cathode"
        assert 0 <= int(row["invented"]) <= int(row["found"])
        assert float(row["invented_per_um2"]) == pytest.approx(
            int(row["invented"]) / (128 * 5e-3) ** 2, rel=1e-3
        )
    assert all(r["alarms"] in "01" for r in rows[1:])


def test_without_real_images_it_says_that_the_real_pair_is_skipped(simulated) -> None:
    folder, events = simulated
    assert any(isinstance(e, Notice) and "--real" in e.message for e in events)
    assert "The real pair of materials was skipped" in (folder / "study.html").read_text("utf-8")


def test_a_real_pair_is_a_second_case_under_the_names_of_its_folders(tmp_path: Path) -> None:
    pair = (
        save_images(tmp_path / "powder", "tin", 3),
        save_images(tmp_path / "coating", "cathode", 3),
    )
    drain(iter_mismatch(tmp_path / "out", PLAN, pair))
    rows = [r for r in read(tmp_path / "out" / "mismatch.csv") if r["pair"] == "real"]
    assert {r["taught_on"] for r in rows} == {"none", "powder", "coating"}
    assert {r["applied_to"] for r in rows} == {"coating"}
    assert {r["invented_per_um2"] for r in rows} == {""}, "pixel size unknown"


def test_an_alarm_that_cannot_be_raised_is_not_told_as_none_raised(
    simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Domain, "of", lambda calibration: None)
    result = drain(iter_mismatch(simulated[0], PLAN))
    assert {r["alarms"] for r in read(simulated[0] / "mismatch.csv")} == {""}
    assert "cannot be judged" in result.summary()


def test_too_few_specimens_are_refused_in_words(tmp_path: Path) -> None:
    pair = (
        save_images(tmp_path / "powder", "tin", 2),
        save_images(tmp_path / "coating", "cathode", 3),
    )
    with pytest.raises(InputError, match=r"2 specimens .* needs three"):
        drain(iter_mismatch(tmp_path / "out", PLAN, pair))
