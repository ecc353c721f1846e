"""Models by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.model import zoo


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
    assert {"sem-x2", "sem-x8", "powder-x4", "coating-x4", "medulla-x4"} <= set(bundled)
