"""A training's teachers, factor and degradation, from files, pairs and the stack that the model is for."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr import cli
from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, degrade_stack
from napari_sem_sr.degradation.noise_steps import ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Notice, drain
from napari_sem_sr.io import write_tiff
from napari_sem_sr.io.databar import Databar
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.measured_pairs import read_pairs
from napari_sem_sr.teachers.teacher import Split, Teacher, teachers_of
from napari_sem_sr.training.data.preparation import everyone, iter_training_data
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.trainer import train


def texture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 230, (96, 96)).astype(np.uint8)


def tiny(**changes) -> TrainSettings:
    small = Architecture(channels=4, blocks=1, tail_channels=4)
    known = {"epochs": 1, "gan_share": 0, "batch": 4, "patch_lr_px": 8, "device": "cpu"}
    return TrainSettings(**{**known, "architecture": small, "precision": "fp32", **changes})


def write_pair(folder: Path, seed: int, factor: int = 4, name: str | None = None) -> Path:
    """A pair as ``sem-sr register`` leaves it."""
    folder.mkdir(parents=True)
    hr = SemStack.from_array(texture(seed), "hr", voxel_nm=(None, 5.0, 5.0))
    write_tiff(hr, folder / "hr.tif", provenance={"synthetic": False})
    write_tiff(degrade_stack(hr, factor), folder / "lr.tif", provenance={"synthetic": False})
    if name is not None:
        (folder / "registration.json").write_text(json.dumps({"hr": {"name": name}}))
    return folder


def test_pairs_are_read_one_by_one_and_by_the_folder(tmp_path: Path) -> None:
    one = write_pair(tmp_path / "pairs" / "a", 0, name="tin3_007")
    write_pair(tmp_path / "pairs" / "b", 1)
    found = read_pairs([tmp_path / "pairs"])
    assert [(t.name, t.group) for t in found] == [("tin3_007", "tin3"), ("b", "b")]
    assert [t.lr.shape for t in found if t.lr is not None] == [(24, 24)] * 2
    np.testing.assert_array_equal(found[0].image, texture(0))
    assert found[0].pixel_nm == 5.0
    assert [t.name for t in read_pairs([one])] == ["tin3_007"]


def test_what_is_no_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no pair"):
        read_pairs([tmp_path])
    odd = write_pair(tmp_path / "odd", 0)
    (odd / "hr.tif").unlink()
    write_tiff(SemStack.from_array(texture(0)[:90], "hr"), odd / "hr.tif", provenance={})
    with pytest.raises(InputError, match="pixel on pixel"):
        read_pairs([odd])
    six = write_pair(tmp_path / "six", 0, factor=6)
    with pytest.raises(InputError, match="×6"):
        read_pairs([six])


def test_pairs_say_the_factor_and_are_not_degraded(tmp_path: Path) -> None:
    for n in range(3):
        write_pair(tmp_path / f"pair{n}", n, factor=2)
    pairs = read_pairs([tmp_path])
    data = drain(iter_training_data(pairs, TrainSettings(epochs=1, patch_lr_px=8)))
    assert data.settings.factor == 2 and data.settings.degradation == AREA_AVERAGE
    with pytest.raises(InputError, match="×2, ×4"):
        drain(iter_training_data(pairs, TrainSettings(epochs=1, factor=4)))


def test_a_model_of_real_pairs_says_so_on_its_card(tmp_path: Path) -> None:
    for n in range(4):
        write_pair(tmp_path / "pairs" / f"p{n}_x", n)
    card = train(read_pairs([tmp_path / "pairs"]), tiny(), tmp_path / "model").card
    assert card.teachers.measured_pairs == card.teachers.count
    assert "with measured LR" in card.summary()


def with_overlapping_tiles() -> list[Teacher]:
    """Seven specimens by name, of which the first two show parts of one field."""
    field = gaussian_filter(np.random.default_rng(0).normal(size=(192, 320)), 1.5)
    field = ((field / field.std() * 30) + 128).clip(0, 255).astype(np.uint8)
    tiles = [Teacher(field[:, n : n + 192], f"tile {n}", f"specimen {n}") for n in (0, 128)]
    others = []
    for seed in range(1, 6):
        image = gaussian_filter(np.random.default_rng(seed).normal(size=(192, 192)), 1.5)
        image = ((image / image.std() * 30) + 128).clip(0, 255).astype(np.uint8)
        others.append(Teacher(image, f"other {seed}", f"specimen {seed}"))
    return [*tiles, *others]


def purposes(split: Split) -> dict[str, str]:
    parts = {"train": split.train, "calibration": split.calibration, "test": split.test}
    return {t.name: purpose for purpose, part in parts.items() for t in part}


def test_tiles_that_overlap_stay_together_in_every_split(tmp_path: Path) -> None:
    for seed in range(4):
        split = drain(iter_training_data(with_overlapping_tiles(), tiny(seed=seed))).split
        assert purposes(split)["tile 0"] == purposes(split)["tile 128"]
        assert len(purposes(split)) == 7


def test_what_overlaps_a_held_out_tile_is_not_learned_from_even_if_a_split_says_so() -> None:
    first, second, *others = with_overlapping_tiles()
    given = Split((first, *others[:2]), (others[2],), (second, *others[3:]), "specimen")
    found = list(iter_training_data((), tiny(), split=given))
    data = drain(iter_training_data((), tiny(), split=given))
    assert [t.name for t in data.split.train] == ["other 1", "other 2"]
    assert [t.name for t in data.split.test] == ["tile 128", "other 4", "other 5"]
    said = [e.message for e in found if isinstance(e, Notice)]
    assert any("Not learned from" in m and "'tile 0'" in m for m in said)
    with pytest.raises(InputError, match="held out"):
        drain(iter_training_data((), tiny(), split=Split((first,), (), (second,), "specimen")))


def test_train_from_python_leaves_out_databars_and_keeps_tiles_together(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = with_overlapping_tiles()
    bar = np.zeros((20, 192), np.uint8)
    barred = replace(
        images[2], image=np.vstack([images[2].image, bar]), databar=Databar(192, 212, 212)
    )
    model = train([*images[:2], barred, *images[3:]], tiny(), tmp_path / "model")
    groups = model.card.teachers.groups
    assert len({*groups.train, *groups.calibration, *groups.test}) == 6
    assert any(
        "specimen 0 + specimen 128" in g for g in (*groups.train, *groups.calibration, *groups.test)
    )
    cut = replace(images[2]).content_hash
    data = drain(iter_training_data([*images[:2], barred, *images[3:]], tiny()))
    assert cut in {t.content_hash for t in everyone(data.split)}
    assert "Databars are left out of" in caplog.text


@pytest.fixture(scope="module")
def lr() -> SemStack:
    """Every other slice of the real sample, averaged 2 x 2 to 20 nm, with noise."""
    stack = medulla_hr()
    how = Degradation(steps=(AreaAverage(), ReadNoise(sigma=0.1)), lr_pixel_nm=20.0)
    return degrade_stack(replace(stack, data=stack.data[1::4]), 2, how)


def real_teachers() -> list[Teacher]:
    return [replace(t, group=t.name, field="") for t in teachers_of(medulla_hr())[::6]]


def test_with_a_stack_settings_take_its_factor_and_its_degradation(lr: SemStack) -> None:
    data = drain(iter_training_data(real_teachers(), TrainSettings(epochs=1), lr=lr))
    assert data.settings.factor == 2
    (noise,) = (s for s in data.settings.degradation.steps if isinstance(s, ReadNoise))
    assert noise.sigma == pytest.approx(0.1, rel=0.15)


def test_a_degradation_that_was_set_is_kept(lr: SemStack) -> None:
    settings = TrainSettings(epochs=1, degradation=AREA_AVERAGE)
    data = drain(iter_training_data(real_teachers(), settings, lr=lr))
    assert data.settings.degradation == AREA_AVERAGE


def test_match_on_the_command_line(
    lr: SemStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write_tiff(lr, tmp_path / "lr.tif", provenance={"synthetic": False})
    for n, teacher in enumerate(real_teachers()):
        hr = SemStack.from_array(teacher.image, "t", voxel_nm=(None, 10.0, 10.0))
        write_tiff(hr, tmp_path / f"s{n}_a.tif", provenance={"synthetic": False})
    files = [str(p) for p in sorted(tmp_path.glob("s*.tif"))]
    picture = tmp_path / "match.png"
    arguments = ["sem-sr", "match", "--lr", str(tmp_path / "lr.tif"), "--picture", str(picture)]
    for file in files:
        arguments += ["--hr", file]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    out, _ = capfd.readouterr()
    document = json.loads(out)
    assert document["factor"] == 2
    kinds = [s["kind"] for s in document["degradation"]["steps"]]
    assert "area average" in kinds and "read noise" in kinds
    assert 0 <= document["told_apart"]["auroc"] <= 1
    assert picture.exists()
