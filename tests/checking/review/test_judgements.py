import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking import check
from napari_sem_sr.checking.report.document import JSON, PAGE, Report
from napari_sem_sr.checking.review import judgements
from napari_sem_sr.checking.review.judgements import (
    MIN_DECIDED,
    NAME,
    Judgement,
    forget,
    judge,
    place_of,
    read_judgements,
    summary,
)
from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

PAGE_BEFORE = "<p>above</p><!-- judgements --><!-- /judgements --><p>below</p>"


def region(n: int) -> dict:
    return {
        "slice": n,
        "y": 4,
        "x": 8,
        "height": 12,
        "width": 16,
        "score": 9.0 - n / 10,
        "reasons": ["too bright"],
    }


@pytest.fixture
def folder(tmp_path):
    nothing = dict.fromkeys(
        ["hr", "model", "scores", "consistency", "invention", "domain", "persistence", "trust"]
    )
    report = Report(
        lr={},
        sr={},
        **nothing,
        regions=[region(n) for n in range(20)],
        verdict="",
        limits=[],
    )
    report.write(tmp_path, PAGE_BEFORE)
    return tmp_path


def test_a_judgement_is_on_disk_at_once_and_in_the_report(folder):
    judge(folder, region(3), "artifact", " a ring that LR does not show ")
    kept = read_judgements(folder)
    assert [(j.place, j.opinion, j.note) for j in kept] == [
        (place_of(region(3)), "artifact", "a ring that LR does not show")
    ]
    assert kept[0].when
    report = Report.read(folder)
    assert report.judgements["artifact"] == 1
    assert report.judgements["places"][0]["rank"] == 4
    page = (folder / PAGE).read_text()
    assert page.startswith("<p>above</p>") and page.endswith("<p>below</p>")
    assert "a ring that LR does not show" in page


def test_judging_a_place_again_replaces_what_was_said(folder):
    judge(folder, region(3), "artifact", "first")
    judge(folder, region(5), "unsure")
    judged = judge(folder, region(3), "real", "second")
    assert (judged["real"], judged["artifact"], judged["unsure"]) == (1, 0, 1)
    page = (folder / PAGE).read_text()
    assert "second" in page and "first" not in page


def test_a_judgement_taken_back_is_gone_from_file_and_report(folder):
    judge(folder, region(1), "real")
    judge(folder, region(2), "unsure")
    left = forget(folder, region(1))
    assert [j.place for j in read_judgements(folder)] == [place_of(region(2))]
    assert left["real"] == 0 and Report.read(folder).judgements["real"] == 0


def test_a_note_is_shown_as_it_was_written_and_never_as_markup(folder):
    note = r"<script>alert(1)</script> \1 & \g<0>"
    judge(folder, region(0), "artifact", note)
    page = (folder / PAGE).read_text()
    assert "<script>" not in page
    assert r"\1 &amp; \g&lt;0&gt;" in page
    assert read_judgements(folder)[0].note == note


def test_the_precision_of_the_list_is_given_with_its_interval_once_enough_are_decided():
    opinions = ["artifact"] * (MIN_DECIDED - 2) + ["real", "unsure"]
    said = [Judgement(*place_of(region(n)), o) for n, o in enumerate(opinions)]
    regions = [region(n) for n in range(20)]
    few = summary(regions, said)
    assert (few["precision"], few["interval"], few["needed"]) == (None, None, 1)
    enough = summary(regions, [*said, Judgement(*place_of(region(15)), "real")])
    assert enough["precision"] == pytest.approx(0.8)
    # Clopper-Pearson for 8 of 10
    assert enough["interval"] == pytest.approx([0.4439, 0.9748], abs=1e-4)
    assert enough["needed"] == 0


def test_judgements_about_places_that_are_not_on_the_list_do_not_count():
    elsewhere = Judgement(99, 0, 0, 4, 4, "artifact")
    assert summary([region(1)], [elsewhere])["artifact"] == 0


def test_a_folder_without_a_report_or_another_word_is_refused_and_nothing_is_written(
    folder, tmp_path_factory
):
    with pytest.raises(InputError, match="no finished report"):
        judge(tmp_path_factory.mktemp("empty"), region(0), "real")
    with pytest.raises(InputError, match="one of real, artifact, unsure"):
        judge(folder, region(0), "maybe")
    assert not (folder / NAME).exists()
    assert "judgements" not in json.loads((folder / JSON).read_text())


def test_a_file_that_is_no_list_of_judgements_is_named(folder):
    (folder / NAME).write_text("{")
    with pytest.raises(InputError, match="cannot be read as judgements"):
        read_judgements(folder)


def test_a_check_made_again_in_the_same_folder_reads_the_judgements_back(truth, tmp_path):
    fake = truth.sr.data.compute()
    fake[1, 20:30, 20:30] = 255
    sr = replace(truth.sr, data=SemStack.from_array(fake, "SR").data)
    first = check(truth.lr, sr, out=tmp_path)
    judge(tmp_path, first.regions[0], "artifact", "a square")
    (tmp_path / JSON).unlink()
    again = check(truth.lr, sr, out=tmp_path)
    assert again.judgements["places"][0]["note"] == "a square"
    assert "a square" in (tmp_path / PAGE).read_text()


def test_two_people_who_judge_at_the_same_time_lose_nothing(folder, monkeypatch):
    monkeypatch.setattr(judgements, "PATIENCE_S", 200.0)  # a busy machine is no defect

    def person(first: int) -> None:
        for n in range(first, 20, 2):
            judge(folder, region(n), "artifact", f"seen by {first}")

    with ThreadPoolExecutor(2) as people:
        for done in [people.submit(person, first) for first in range(2)]:
            done.result()
    kept = read_judgements(folder)
    assert {j.place: j.note for j in kept} == {
        place_of(region(n)): f"seen by {n % 2}" for n in range(20)
    }
    assert Report.read(folder).judgements["artifact"] == 20
    assert sorted(p.name for p in folder.iterdir()) == sorted([JSON, PAGE, "regions.csv", NAME])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"judgements"',
        b'{"judgements": [{"slice": "a"}]}',
        b'{"judgements": [3]}',
        b'{"judgements": [{"slice": 1, "y": 2, "x": 3, "height": 4, "width": 5.5, "opinion": "real"}]}',
        b'{"judgements": [{"slice": 1, "y": 2, "x": 3, "height": 4, "width": 5, "opinion": "maybe"}]}',
    ],
)
def test_damaged_judgements_are_one_sentence_and_are_not_written_over(folder, content):
    (folder / NAME).write_bytes(content)
    with pytest.raises(InputError) as caught:
        judge(folder, region(1), "real")
    assert "\n" not in str(caught.value)
    assert (folder / NAME).read_bytes() == content


def test_a_damaged_report_is_one_sentence(folder):
    judge(folder, region(1), "real")
    whole = (folder / JSON).read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        (folder / JSON).write_bytes(damaged[: random.integers(1, len(whole) + 1)])
        try:
            summary(Report.read(folder).regions, ())
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 200
