"""The bundle: what goes in comes out, and nothing unsafe or damaged is loaded."""

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.model.bundle import copy_bundle, load_bundle, save_model
from tests.conftest import card


def test_weights_card_and_calibration_survive_a_round_trip(bundle: Path) -> None:
    model = load_bundle(bundle)
    assert model.card == card()
    np.testing.assert_array_equal(model.calibration["features"], np.arange(6.0).reshape(2, 3))
    gan, twin = model.network("gan"), model.network("twin")
    assert not torch.equal(gan.head.weight, twin.head.weight)
    assert gan.head.weight.dtype == torch.float32
    assert not gan.training


def test_a_network_that_is_neither_gan_nor_twin_is_refused(bundle: Path) -> None:
    with pytest.raises(ModelError, match="'gan' or 'twin'"):
        load_bundle(bundle).network("generator")  # type: ignore[arg-type]


def test_sharpness_runs_from_the_twin_to_the_gan(bundle: Path) -> None:
    model = load_bundle(bundle)
    for sharpness, which in ((0.0, "twin"), (1.0, "gan")):
        for a, b in zip(
            model.blended(sharpness).parameters(), model.network(which).parameters(), strict=True
        ):
            torch.testing.assert_close(a, b)
    half = model.blended(0.5).head.weight
    torch.testing.assert_close(
        half, (model.network("gan").head.weight + model.network("twin").head.weight) / 2
    )


@pytest.mark.parametrize("sharpness", [-0.1, 1.1, float("nan")])
def test_sharpness_outside_0_to_1_is_refused(bundle: Path, sharpness: float) -> None:
    with pytest.raises(ModelError, match="not between 0"):
        load_bundle(bundle).blended(sharpness)


def test_folder_and_zip_are_the_same_model(bundle: Path, tmp_path: Path) -> None:
    zipped, back = tmp_path / "tiny.semsr", tmp_path / "back"
    copy_bundle(bundle, zipped)
    copy_bundle(zipped, back)
    hashes = {load_bundle(p).content_hash for p in (bundle, zipped, back)}
    assert len(hashes) == 1


def test_the_hash_changes_with_the_weights(bundle: Path, tmp_path: Path) -> None:
    model = load_bundle(bundle)
    other = tmp_path / "other"
    save_model(other, model.card, model.weights["twin"], model.weights["twin"], model.calibration)
    assert load_bundle(other).content_hash != model.content_hash


def test_a_bundle_with_a_pickle_in_it_is_refused_unopened(bundle: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (open, (str(bundle / "exploded"),))

    (bundle / "generator.pt").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match=r"generator\.pt.*might run code"):
        load_bundle(bundle)
    assert not (bundle / "exploded").exists()


def test_a_pickle_named_like_a_safetensors_file_is_refused(bundle: Path) -> None:
    (bundle / "twin.safetensors").write_bytes(pickle.dumps({"head.weight": [1.0]}))
    with pytest.raises(ModelError, match="damaged"):
        load_bundle(bundle)


@pytest.mark.parametrize("keep", [0, 10, 1000])
def test_truncated_weights_are_refused(bundle: Path, keep: int) -> None:
    file = bundle / "generator.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelError, match="damaged"):
        load_bundle(bundle)


def test_missing_parts_are_named(bundle: Path) -> None:
    (bundle / "twin.safetensors").unlink()
    with pytest.raises(ModelError, match=r"twin\.safetensors missing"):
        load_bundle(bundle)


def test_a_card_of_a_later_schema_is_refused(bundle: Path) -> None:
    file = bundle / "card.json"
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 9'))
    with pytest.raises(ModelError, match="schema_version"):
        load_bundle(bundle)


def test_weights_that_do_not_fit_the_card_are_refused(bundle: Path) -> None:
    file = bundle / "card.json"
    file.write_text(file.read_text().replace('"blocks": 1', '"blocks": 2'))
    with pytest.raises(ModelError, match="do not fit"):
        load_bundle(bundle)


def test_weights_that_are_not_finite_are_refused(bundle: Path, tmp_path: Path) -> None:
    model = load_bundle(bundle)
    bad = {k: torch.full_like(v, float("nan")) for k, v in model.weights["gan"].items()}
    save_model(tmp_path / "bad", model.card, bad, model.weights["twin"], model.calibration)
    with pytest.raises(ModelError, match="NaN"):
        load_bundle(tmp_path / "bad")


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil", "sub/card.json"])
def test_a_zip_cannot_reach_outside_its_place(bundle: Path, tmp_path: Path, name: str) -> None:
    zipped = tmp_path / "evil.semsr"
    copy_bundle(bundle, zipped)
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ModelError, match="does not belong"):
        load_bundle(zipped)


def test_a_zip_that_holds_a_part_twice_is_refused(bundle: Path, tmp_path: Path) -> None:
    zipped = tmp_path / "two.semsr"
    copy_bundle(bundle, zipped)
    with (
        zipfile.ZipFile(zipped, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("card.json", card("other").model_dump_json())
    with pytest.raises(ModelError, match=r"'card\.json' 2 times"):
        load_bundle(zipped)


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_a_zip_with_a_damaged_stream_is_one_sentence(
    bundle: Path, tmp_path: Path, at: float
) -> None:
    zipped = tmp_path / "damaged.semsr"
    copy_bundle(bundle, zipped)
    content = bytearray(zipped.read_bytes())
    place = int(at * len(content))
    content[place : place + 40] = bytes(40)
    zipped.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_bundle(zipped)
    assert "\n" not in str(caught.value)


def with_weights(bundle: Path, change: Callable[[torch.Tensor], torch.Tensor]) -> Path:
    """Change the SRGAN's weights in the folder of a bundle."""
    file = bundle / "generator.safetensors"
    save_file({k: change(v).contiguous() for k, v in load_file(file).items()}, file)
    return bundle


@pytest.mark.parametrize(
    "dtype",
    [torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2],
)
def test_weights_that_are_no_floats_of_a_network_are_refused(
    bundle: Path, dtype: torch.dtype
) -> None:
    with pytest.raises(ModelError, match=r"not floats|damaged") as caught:
        load_bundle(with_weights(bundle, lambda v: v.to(dtype)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_in_other_floats_are_loaded(bundle: Path, dtype: torch.dtype) -> None:
    model = load_bundle(with_weights(bundle, lambda v: v.to(dtype)))
    assert model.network("gan").head.weight.dtype == torch.float32


@pytest.mark.parametrize("much", [1e6, 1e30])
def test_weights_that_make_absurd_pictures_are_refused(bundle: Path, much: float) -> None:
    with pytest.raises(ModelError, match=r"make no sense"):
        load_bundle(with_weights(bundle, lambda v: v * much))


@pytest.mark.parametrize(
    ("key", "value"),
    [("twin_psnr", 4000.0), ("gan_ssim", 7.0), ("bicubic_psnr", -1e30)],
)
def test_absurd_numbers_on_a_card_are_refused(bundle: Path, key: str, value: float) -> None:
    file = bundle / "card.json"
    said = json.loads(file.read_text())
    said["scores"][0][key] = value
    file.write_text(json.dumps(said))
    with pytest.raises(ModelError, match=key):
        load_bundle(bundle)


def test_something_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.semsr"
    file.write_text("hello")
    with pytest.raises(ModelError, match="cannot be read"):
        load_bundle(file)


def test_an_existing_model_is_not_overwritten(bundle: Path) -> None:
    model = load_bundle(bundle)
    with pytest.raises(OutputError, match="exists"):
        save_model(bundle, model.card, model.weights["gan"], model.weights["twin"], {})
    assert load_bundle(bundle).content_hash == model.content_hash


def test_a_failed_write_leaves_nothing_behind(bundle: Path, tmp_path: Path, monkeypatch) -> None:
    model = load_bundle(bundle)

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    target = tmp_path / "full" / "model"
    with pytest.raises(OutputError, match="No space left"):
        save_model(target, model.card, model.weights["gan"], model.weights["twin"], {})
    assert list(target.parent.iterdir()) == []
