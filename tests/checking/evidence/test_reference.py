"""A stack beside teachers of other places, as it comes out of a whole check."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking import check, iter_check
from napari_sem_sr.checking.evidence.reference import measure_teachers
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Progress
from napari_sem_sr.teachers.teacher import Teacher
from tests.checking.conftest import Truth, truth_of


def grains(seed: int, radius: float = 7, size: int = 160, slices: int = 1) -> np.ndarray:
    """Bright discs on a dark ground, moved a little from slice to slice."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size]
    places = [(y, x) for y in range(16, size - 8, 24) for x in range(16, size - 8, 24)]
    stack = []
    for z in range(slices):
        image = np.full((size, size), 60.0)
        for y, x in places:
            dy, dx = rng.uniform(-2, 2, 2) * (z == 0)
            image += 100 * np.clip(radius + 0.5 - np.hypot(yy - y - dy, xx - x - dx), 0, 1)
        stack.append(image + rng.normal(0, 3, image.shape))
    return np.clip(stack, 0, 255).astype(np.uint8)


def teachers(count: int, pixel_nm: float | None = 5.0, radius: float = 7) -> list[Teacher]:
    return [
        Teacher(grains(seed, radius)[0], f"image {seed}", f"specimen {seed}", pixel_nm)
        for seed in range(30, 30 + count)
    ]


@pytest.fixture
def stack() -> Truth:
    return truth_of(grains(1, slices=3))


def test_a_stack_of_the_same_material_has_the_statistics_of_its_teachers(stack, tmp_path):
    found = check(stack.lr, stack.sr, reference=teachers(4), out=tmp_path).reference
    assert found["phase"] == "bright" and found["unit"] == "nm"
    assert (found["n_specimens"], found["n_images"]) == (4, 4)
    teacher = found["teachers"]
    low, mean, high = (part["fraction"] for part in (teacher["low"], teacher, teacher["high"]))
    assert low <= mean <= high
    assert found["sr"]["fraction"] == pytest.approx(mean, rel=0.15)
    assert found["sr"]["diameter_median"] == found["teachers"]["diameter_median"]
    assert found["sr"]["connectivity"]["through"] is True
    assert found["sr"]["connectivity"]["components"] == pytest.approx(36, abs=2)
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(document)[-1] == "reference"


def test_teachers_of_another_pixel_size_are_brought_to_that_of_sr(stack, tmp_path):
    # the same discs in nm, recorded with pixels of half the size
    finer = [replace(t, image=t.image.repeat(2, 0).repeat(2, 1), pixel_nm=2.5) for t in teachers(3)]
    found = check(stack.lr, stack.sr, reference=finer, out=tmp_path).reference
    assert found["teachers"]["chord_mean"] == pytest.approx(found["sr"]["chord_mean"], rel=0.1)


def test_one_specimen_has_no_interval_and_unknown_pixels_are_told(stack, tmp_path):
    report = check(stack.lr, stack.sr, reference=teachers(1, None), out=tmp_path)
    assert report.reference["teachers"]["low"]["fraction"] is None
    assert any("pixel for pixel" in line for line in report.limits)
    assert any("no intervals" in line for line in report.limits)


def test_an_interval_is_that_of_specimens_and_not_of_images(stack):
    several = teachers(3)
    # many images of one specimen do not make the interval narrower
    one = measure_teachers([*several, *[replace(several[0], name=str(i)) for i in range(20)]], 5.0)
    assert len(one.specimens) == 3 and one.images == 23


def test_an_interrupted_check_with_a_reference_ends_the_same(stack, tmp_path):
    whole = check(stack.lr, stack.sr, reference=teachers(3), out=tmp_path / "whole")
    cut = tmp_path / "cut"
    with closing(iter_check(stack.lr, stack.sr, reference=teachers(3), out=cut)) as work:
        slices = (e for e in work if isinstance(e, Progress) and e.what == "checking")
        next(event for event in slices if event.done == 2)
    again = check(stack.lr, stack.sr, reference=teachers(3), out=cut, resume=True)
    assert again == whole
    assert check(stack.lr, stack.sr, reference=teachers(3), out=cut, resume=True) == whole


def test_an_empty_reference_is_refused():
    with pytest.raises(InputError, match="No reference"):
        measure_teachers([], None)
