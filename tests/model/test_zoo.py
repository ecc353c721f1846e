"""Models by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.model import zoo
from napari_sem_sr.model.bundle import copy_bundle


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "user models"
    monkeypatch.setattr(zoo, "user_folder", lambda: folder)
    return folder


def test_an_imported_model_is_found_by_name(bundle: Path, user_folder: Path) -> None:
    zoo.import_model(bundle)
    assert zoo.load_model("tiny").card.name == "tiny"
    assert "tiny" in [entry.name for entry in zoo.list_models()]


def test_an_exported_model_can_be_imported_elsewhere(
    bundle: Path, user_folder: Path, tmp_path: Path
) -> None:
    zoo.import_model(bundle)
    zoo.export_model("tiny", tmp_path / "gift.semsr")
    assert (
        zoo.load_model(tmp_path / "gift.semsr").content_hash == zoo.load_model("tiny").content_hash
    )


def test_importing_twice_does_not_replace(bundle: Path, user_folder: Path) -> None:
    zoo.import_model(bundle)
    with pytest.raises(OutputError, match="installed already"):
        zoo.import_model(bundle)


@pytest.mark.parametrize("name", ["sem-x4", "SEM-X4", "powder-x4"])
def test_no_model_takes_the_place_of_one_that_comes_with_the_package(
    bundle: Path, user_folder: Path, tmp_path: Path, name: str
) -> None:
    copy_bundle(bundle, tmp_path / "thief.semsr", name=name)
    with pytest.raises(ModelError, match=r"comes with napari-sem-sr.*--name"):
        zoo.import_model(tmp_path / "thief.semsr")
    entry = zoo.import_model(tmp_path / "thief.semsr", "mine")
    assert (entry.name, entry.card.name) == ("mine", "mine")
    assert zoo.load_model("mine").card.name == "mine"
    assert name.lower() in [e.name for e in zoo.list_models() if e.bundled]


def test_a_folder_put_there_by_hand_does_not_take_the_place_of_a_bundled_model(
    bundle: Path, user_folder: Path
) -> None:
    copy_bundle(bundle, user_folder / "sem-x4", name="sem-x4")
    assert zoo.find_model("sem-x4").is_relative_to(zoo.bundled_folder())
    assert next(e for e in zoo.list_models() if e.name == "sem-x4").bundled
    assert any(str(user_folder / "sem-x4") in problem for problem in zoo.damaged_models())


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".hidden",
        "a/b",
        "..",
        "a\\b",
        "tin\u200b",
        "tin\n",
        "aux",
        "COM1.x",
        "tin.",
        "x" * 200,
        "mine.training",
        "mine.semsr",
        "a:b",
    ],
)
def test_a_name_that_cannot_be_a_folder_everywhere_or_would_be_hidden_is_refused(
    bundle: Path, user_folder: Path, tmp_path: Path, name: str
) -> None:
    file = bundle / "card.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "name": name}))
    with pytest.raises(ModelError) as caught:
        zoo.import_model(bundle)
    assert "\n" not in str(caught.value)
    assert not user_folder.exists()


@pytest.mark.parametrize("name", ["tin-x4", "Sn 粒子 x4", "v1.2"])
def test_other_names_are_as_good_as_any(bundle: Path, user_folder: Path, name: str) -> None:
    assert zoo.import_model(bundle, name).name == name
    assert name in [entry.name for entry in zoo.list_models()]


@pytest.mark.parametrize("name", ["no-such-model", "", "..", "../tiny"])
def test_an_unknown_name_lists_what_there_is(bundle: Path, user_folder: Path, name: str) -> None:
    zoo.import_model(bundle)
    with pytest.raises(ModelError):
        zoo.load_model(name)


def test_an_unknown_name_is_answered_with_the_known_ones(bundle: Path, user_folder: Path) -> None:
    zoo.import_model(bundle)
    with pytest.raises(ModelError, match="tiny"):
        zoo.load_model("no-such-model")


def test_the_model_that_made_an_output_is_found_only_if_it_is_the_very_same(
    bundle: Path, user_folder: Path
) -> None:
    zoo.import_model(bundle)
    made = {"model": "tiny", "model_hash": zoo.load_model("tiny").content_hash}
    found = zoo.model_of(made)
    assert found is not None and found.card.name == "tiny"
    assert zoo.model_of({**made, "model_hash": "blake2b:other"}) is None
    assert zoo.model_of({**made, "model": "unheard-of"}) is None
    assert zoo.model_of(None) is None


def test_listing_models_loads_no_torch() -> None:
    code = (
        "import sys; from napari_sem_sr.model.zoo import list_models; list_models();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_damaged_model_does_not_hide_the_others_and_is_named(
    bundle: Path, user_folder: Path
) -> None:
    zoo.import_model(bundle)
    (user_folder / "broken").mkdir()
    assert "tiny" in [entry.name for entry in zoo.list_models()]
    assert "broken" in zoo.damaged_models()[0]


def test_the_bundled_model_that_knows_most_materials_is_listed_first() -> None:
    bundled = [e.name for e in zoo.list_models() if e.bundled]
    assert bundled[:2] == ["sem-x4", "sem-x4-fast"]
    assert {"sem-x2", "sem-x8", "powder-x4", "medulla-x4"} <= set(bundled)


def test_a_model_that_is_no_better_than_bicubic_is_never_the_first(
    bundle: Path, user_folder: Path
) -> None:
    imported = zoo.import_model(bundle)
    assert zoo.list_models()[0].name == imported.name
    path = imported.path / "card.json"
    known = json.loads(path.read_text())
    for score in known["scores"]:
        score["twin_psnr"] = score["bicubic_psnr"] + 0.02
    path.write_text(json.dumps(known))
    entries = zoo.list_models()
    assert entries[-1].name == imported.name and not entries[-1].card.beats_bicubic
    assert entries[0].card.beats_bicubic
