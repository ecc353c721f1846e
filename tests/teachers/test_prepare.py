"""Teachers as a training takes them: without databars, to scale, large enough, and told apart by place."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, drain
from napari_sem_sr.io.databar import Databar
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.overlap import iter_overlaps
from napari_sem_sr.teachers.prepare import Prepared, iter_prepare, large_enough, with_contrast
from napari_sem_sr.teachers.scale import factor_between, resample
from napari_sem_sr.teachers.teacher import Teacher, split_teachers, teachers_of


def texture(seed: int, shape: tuple[int, int] = (320, 320)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    grey = gaussian_filter(noise, 2) + 4 * gaussian_filter(noise[::-1], 8)
    return (120 + 200 * grey).clip(0, 255).astype(np.uint8)


def teacher(seed: int, pixel_nm: float | None = None, **more) -> Teacher:
    return Teacher(texture(seed), f"image {seed}", f"specimen {seed}", pixel_nm, **more)


def prepared(teachers: list[Teacher], **options) -> tuple[Prepared, str]:
    said: list[str] = []
    work = iter_prepare(teachers, **options)
    while True:
        try:
            event: Event = next(work)
        except StopIteration as stop:
            return stop.value, " ".join(said)
        if isinstance(event, Notice):
            said.append(event.message)


@pytest.mark.parametrize(
    ("teacher_nm", "lr_nm", "factor"),
    [(5, 20, 4), (4, 20, 4), (5, 10, 2), (5, 15, 3), (2.5, 20, 8), (5.2, 20, 4), (1.0, 10.0, 8)],
)
def test_the_factor_follows_from_pixel_sizes(teacher_nm: float, lr_nm: float, factor: int) -> None:
    assert factor_between([teacher_nm], lr_nm) == factor


@pytest.mark.parametrize(("teacher_nm", "lr_nm"), [(5, 30), (1, 20), (5, 28)])
def test_a_ratio_near_no_factor_is_refused_with_a_way_out(teacher_nm: float, lr_nm: float) -> None:
    with pytest.raises(InputError, match=r"not near 2, 3, 4 or 8; choose the factor \d"):
        factor_between([teacher_nm], lr_nm)


def test_teachers_no_finer_than_the_stack_are_refused() -> None:
    with pytest.raises(InputError, match="at least twice as fine"):
        factor_between([15.0], 20.0)


@given(st.sampled_from([2, 3, 4, 8]), st.floats(0.5, 50), st.floats(0.97, 1.25))
def test_a_factor_is_found_for_every_ratio_near_one(factor: int, lr: float, off: float) -> None:
    found = factor_between([lr / (factor * off)], lr)
    assert found >= factor or found * 1.3 >= factor * off


def test_4_nm_teachers_of_a_20_nm_stack_are_resampled_to_5_nm() -> None:
    ready, said = prepared([teacher(0, 4.0), teacher(1, 5.0)], lr_pixel_nm=20.0)
    assert ready.factor == 4
    assert [t.pixel_nm for t in ready.teachers] == [5.0, 5.0]
    assert [t.image.shape for t in ready.teachers] == [(256, 256), (320, 320)]
    assert [t.image.dtype for t in ready.teachers] == [np.uint8, np.uint8]
    assert "1 of 2 teachers resampled to 5 nm, the stack's 20 nm / 4" in said


def test_resampling_keeps_places_and_does_not_alias() -> None:
    y, x = np.mgrid[:256, :256]
    slow, fast = (
        16.0,
        2.4,
    )  # pixels per period; the second cannot be held at 1.6 times larger pixels
    image = (100 + 40 * np.sin(2 * np.pi * x / slow) + 40 * np.sin(2 * np.pi * y / fast)).astype(
        np.float32
    )
    made = resample(Teacher(image, "t", "g", 5.0), 8.0)
    assert made.image.shape == (160, 160)
    centre = (np.arange(160) + 0.5) * 1.6 - 0.5
    inner = made.image[10:-10, 10:-10]
    expected = np.sin(2 * np.pi * centre / slow)[10:-10]
    slope = np.polyfit(expected, inner.mean(0) - 100, 1)[0]
    assert slope == pytest.approx(40, rel=0.1)
    assert np.corrcoef(expected, inner.mean(0))[0, 1] > 0.999
    assert inner.mean(1).std() < 0.15 * 40 / np.sqrt(2), "stripes too fine to be held turn grey"


def test_teachers_coarser_than_needed_are_left_out_by_name() -> None:
    ready, said = prepared([teacher(0, 5.0), teacher(1, 9.0)], lr_pixel_nm=20.0, factor=4)
    assert [t.name for t in ready.teachers] == ["image 0"]
    assert "coarser than 5 nm: 'image 1'" in said
    with pytest.raises(InputError, match="all are coarser"):
        prepared([teacher(0, 9.0)], lr_pixel_nm=20.0, factor=4)


def test_unknown_pixel_sizes_are_said_and_typed_ones_believed() -> None:
    ready, said = prepared([teacher(0)], lr_pixel_nm=20.0)
    assert ready.factor == 4 and "unknown, taken as 5 nm: 'image 0'" in said
    ready, _ = prepared([teacher(0)], lr_pixel_nm=20.0, pixel_nm=10.0)
    assert ready.factor == 2
    assert ready.teachers[0].pixel_nm == 10.0


def test_without_a_stack_nothing_is_resampled() -> None:
    ready, said = prepared([teacher(0, 4.0), teacher(1, 6.0)])
    assert ready.factor == 4
    assert [t.image.shape for t in ready.teachers] == [(320, 320)] * 2
    assert "4 to 6 nm" in said


def test_a_databar_is_proposed_and_left_out_unless_it_is_not_believed() -> None:
    image = texture(0)
    image[288:] = 0
    barred = Teacher(image, "barred", "g", databar=Databar(288, 320, 320))
    ready, said = prepared([barred])
    assert ready.teachers[0].image.shape == (288, 320)
    assert "'barred, rows 288:320'" in said
    ready, said = prepared([replace(barred, databar=None)])
    assert ready.teachers[0].image.shape == (320, 320) and said == ""


def test_rows_beside_a_databar_that_the_file_names_become_the_proposal() -> None:
    stack = SemStack.from_array(texture(0), "named", image_rows=(0, 300))
    assert teachers_of(stack)[0].databar == Databar(300, 320, 320)
    above = SemStack.from_array(texture(0), "named", image_rows=(20, 320))
    assert teachers_of(above)[0].databar == Databar(0, 20, 320)


@pytest.mark.parametrize(("dy", "dx"), [(0, 240), (-200, 60), (180, -90), (0, 0)])
def test_tiles_that_overlap_are_one_specimen_whatever_they_are_called(dy: int, dx: int) -> None:
    rng = np.random.default_rng(3)
    whole = texture(7, (900, 900)).astype(float)
    tiles = [whole[300:620, 300:620], whole[300 + dy : 620 + dy, 300 + dx : 620 + dx]]
    pair = [
        Teacher((t + rng.normal(0, 8, t.shape)).astype(np.float32), f"tile {n}", f"name {n}")
        for n, t in enumerate(tiles)
    ]
    others = [teacher(n) for n in range(3)]
    ready, said = prepared([*pair, *others])
    assert {t.group for t in ready.teachers[:2]} == {"name 0 + name 1"}
    assert {t.group for t in ready.teachers[2:]} == {f"specimen {n}" for n in range(3)}
    assert "'name 0', 'name 1' count as one specimen" in said
    for seed in range(5):
        split = split_teachers(ready.teachers, seed)
        for part in (split.train, split.calibration, split.test):
            assert sum(t.name.startswith("tile") for t in part) in (0, 2)


def test_where_they_overlap_is_measured() -> None:
    whole = texture(8, (700, 700))
    pair = [
        Teacher(whole[100:420, 100:420], "a", "a"),
        Teacher(whole[140:460, 300:620], "b", "b"),
    ]
    work = iter_overlaps(pair)
    with pytest.raises(StopIteration) as stop:
        while True:
            next(work)
    (found,) = stop.value.value
    assert np.abs(np.subtract(found.shift_px, (40, 200))).max() <= 2
    assert found.correlation > 0.9


def test_other_fields_of_one_material_are_told_apart() -> None:
    ready, said = prepared([teacher(n) for n in range(12)])
    assert len({t.group for t in ready.teachers}) == 12
    assert said == ""


def test_sparse_spheres_laid_over_one_another_by_chance_are_not_one_place() -> None:
    rng = np.random.default_rng(3)
    y, x = np.indices((128, 128))
    fields = []
    for number in range(6):
        image = rng.normal(60, 4, y.shape)
        for cy, cx, radius in rng.uniform((0, 0, 4), (128, 128, 9), (14, 3)):
            image[np.hypot(y - cy, x - cx) < radius] += 110
        image = gaussian_filter(image, 1).clip(0, 255).astype(np.uint8)
        fields.append(Teacher(image, f"field {number}", f"specimen {number}"))
    assert drain(iter_overlaps(fields)) == []


def test_slices_given_as_single_files_are_found_to_be_neighbours() -> None:
    stack = medulla_hr()
    slices = [Teacher(stack.slice(z), f"z{z}", f"file{z}") for z in (0, 1, 2)]
    ready, _ = prepared([*slices, teacher(0)])
    assert len({t.group for t in ready.teachers[:3]}) == 1
    assert ready.teachers[3].group == "specimen 0"


def test_overlapping_images_of_one_specimen_are_on_one_side() -> None:
    whole = texture(9, (700, 700))
    tiles = [
        Teacher(whole[y : y + 320, x : x + 320], f"{y} {x}", "only")
        for y, x in ((0, 0), (0, 200), (380, 380))
    ]
    ready, _ = prepared(tiles)
    split = split_teachers(ready.teachers, 0)
    assert split.unit == "image"
    sides = [{t.name for t in part} for part in (split.train, split.test)]
    assert {"0 0", "0 200"} in sides and {"380 380"} in sides


def test_a_single_stack_is_split_by_parts_of_its_slices_not_by_neighbours() -> None:
    split = split_teachers(teachers_of(medulla_hr()), 0)
    assert split.unit == "part of one image"
    assert len(split.train) == len(split.test) == 24
    assert split.train[0].image.shape == (186, 248)
    assert split.test[0].image.shape == (62, 248)


def test_teachers_too_small_for_a_patch_are_left_out_while_others_remain() -> None:
    small = Teacher(texture(1)[:50], "stamp", "s")
    kept, said = large_enough([teacher(0), small], 96)
    assert [t.name for t in kept] == ["image 0"]
    assert "'stamp'" in said[0] and "96 × 96" in said[0]
    kept, said = large_enough([small, small], 96)
    assert len(kept) == 2 and said == ()


def test_teachers_without_contrast_are_left_out_and_named() -> None:
    flat = replace(teacher(3), image=np.zeros_like(teacher(3).image), name="b_1")
    kept, said = with_contrast([teacher(0), flat])
    assert kept == (0,)
    assert said == ("Left out, as they have no contrast: 'b_1'.",)
    with pytest.raises(InputError, match="'b_1'"):
        with_contrast([flat])
