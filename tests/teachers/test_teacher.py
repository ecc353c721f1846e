"""Teachers and their split by specimen."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import (
    Teacher,
    group_name,
    read_teachers,
    split_teachers,
    teachers_of,
)


def teacher(group: str, value: int = 0) -> Teacher:
    return Teacher(np.full((8, 8), value, np.uint8), f"{group} {value}", group)


@given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=12), seed=st.integers(0, 2**32 - 1))
def test_no_specimen_is_on_both_sides_and_none_is_lost(sizes: list[int], seed: int) -> None:
    teachers = [teacher(f"g{i}", n) for i, size in enumerate(sizes) for n in range(size)]
    split = split_teachers(teachers, seed)
    parts = [split.train, split.calibration, split.test]
    groups = [{t.group for t in part} for part in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert Counter(t.name for part in parts for t in part) == Counter(t.name for t in teachers)
    assert split.train and split.test
    assert split.unit == "specimen"


def test_images_of_one_specimen_are_split_by_image_and_that_is_said() -> None:
    split = split_teachers([teacher("only", n) for n in range(5)], seed=0)
    assert split.unit == "image"
    assert split.train and split.test


def test_one_image_is_split_into_parts_that_do_not_overlap() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    split = split_teachers([Teacher(image, "one", "one")], seed=0)
    assert split.unit == "part of one image"
    np.testing.assert_array_equal(np.vstack([split.train[0].image, split.test[0].image]), image)


def test_no_teacher_is_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        split_teachers([], seed=0)


@pytest.mark.parametrize(
    ("stem", "group"),
    [
        ("010417#4_S2480009", "010417#4"),
        ("Sc1Tile_001-001-000_0-000", "Sc1Tile"),
        ("cathode017", "cathode"),
        ("cathode 17", "cathode"),
        ("0017", "0017"),
    ],
)
def test_specimens_are_read_from_file_names(stem: str, group: str) -> None:
    assert group_name(stem) == group


def test_slices_of_one_stack_are_one_specimen() -> None:
    stack = SemStack.from_array(np.zeros((3, 4, 4), np.uint8), "stack_1")
    assert {t.group for t in teachers_of(stack)} == {"stack_1"}


def test_teachers_come_from_folders_and_sidecars_are_left_alone(tmp_path) -> None:
    from PIL import Image

    for name in ("a_2.png", "a_10.png", "b_1.png"):
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / name)
    (tmp_path / "a_2.txt").write_text("$CM_FORMAT")
    (tmp_path / "notes.md").write_text("later")
    teachers, notices = read_teachers([tmp_path])
    assert [t.name for t in teachers] == ["a_2", "a_10", "b_1"]
    assert [t.group for t in teachers] == ["a", "a", "b"]
    assert "'notes.md'" in notices[0]


def test_a_folder_without_images_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="holds no slices"):
        read_teachers([tmp_path])
