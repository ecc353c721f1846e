"""The study of the number of teachers: scores on specimens never trained on, and the verdict on overfitting."""

import csv
from pathlib import Path

import pytest
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import drain
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.samples.specimens import simulate
from napari_sem_sr.study import teachers
from napari_sem_sr.study.teachers import QUICK, TeachersPlan, iter_teachers
from napari_sem_sr.training.validation.overfitting import Verdict
from tests.study.plans import TINY

PLAN = TeachersPlan(epochs={1: 6, 2: 4}, teacher_px=128, held_out=1, held_out_px=128, settings=TINY)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "teachers"
    drain(iter_teachers(folder, PLAN))
    return folder


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_number_of_teachers_has_scores_beside_bicubic(out: Path) -> None:
    rows = read(out / "teachers.csv")
    assert [r["teachers"] for r in rows] == ["1", "2"]
    for row in rows:
        for score in ("psnr", "ssim"):
            assert all(float(row[f"{w}_{score}"]) > 0 for w in ("bicubic", "twin", "gan"))
        assert int(row["twin_epochs"]) + int(row["gan_epochs"]) == PLAN.epochs[int(row["teachers"])]
        assert row["overfitted"] in ("True", "False") and row["verdict"]
    assert len({r["bicubic_psnr"] for r in rows}) == 1, "one set of test images for all"


def test_scores_are_of_specimens_that_no_model_was_trained_on(out: Path) -> None:
    groups = load_bundle(out / "models" / "teachers-0002").card.teachers.groups
    assert len(groups.train) == 2
    assert not set(groups.train) & {*groups.calibration, *groups.test}
    assert not set(groups.calibration) & set(groups.test)


def test_more_teachers_know_all_that_fewer_know(out: Path) -> None:
    one, two = (
        load_bundle(out / "models" / f"teachers-{n:04d}").card.teachers.hashes for n in (1, 2)
    )
    assert set(one) < set(two)


def test_curves_hold_scores_on_images_known_and_unseen(out: Path) -> None:
    rows = read(out / "curves.csv")
    assert {r["stage"] for r in rows} == {"twin", "gan"}
    for column in ("psnr", "bicubic_psnr", "train_psnr", "train_bicubic_psnr"):
        assert all(float(r[column]) > 0 for r in rows)


def test_an_overfitted_run_is_flagged_in_the_table_and_on_the_page(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Verdict("Overfitting since epoch 2: it knows its teacher.", False, "twin", 2)
    monkeypatch.setattr(teachers, "judge", lambda curve, unit: said)
    result = drain(iter_teachers(out, PLAN))
    assert read(out / "teachers.csv")[0]["overfitted"] == "True"
    assert read(out / "teachers.csv")[0]["overfitted_since_epoch"] == "2"
    assert any(said.sentence in s for s in result.finding)
    assert said.sentence in (out / "study.html").read_text(encoding="utf-8")


def test_the_quick_plan_gives_one_teacher_500_epochs() -> None:
    for plan in (QUICK, TeachersPlan()):
        assert plan.epochs[1] == 500
        assert {1, 3, 10, 30, 100} <= set(plan.epochs)


def test_real_images_bound_the_number_of_teachers(tmp_path: Path) -> None:
    folder = tmp_path / "powder"
    folder.mkdir()
    for n in range(3):
        Image.fromarray(simulate("tin", n, shape=(128, 128)).image).save(
            folder / f"{'abc'[n]}_1.png"
        )
    plan = PLAN.model_copy(update={"epochs": {1: 2, 30: 1}})
    result = drain(iter_teachers(tmp_path / "out", plan, [folder]))
    assert [r["teachers"] for r in result.rows] == [1]
    assert "powder" in (tmp_path / "out" / "study.html").read_text(encoding="utf-8")


def test_images_of_one_specimen_are_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "a_1.png"
    Image.fromarray(simulate("tin", 0, shape=(128, 128)).image).save(file)
    with pytest.raises(InputError, match=r"1 specimen .* needs three"):
        drain(iter_teachers(tmp_path / "out", PLAN, [file]))
