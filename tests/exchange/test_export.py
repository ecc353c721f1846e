"""Other programs get our pixels, inside and at the border, in our greys."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sem_sr.degradation.conditions import CLEAN
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.exchange.bioimageio import write_bioimageio
from napari_sem_sr.exchange.frozen import FrozenModel
from napari_sem_sr.exchange.onnx_file import TOLERANCE, run, write_onnx
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.zoo import load_model

pytest.importorskip("onnxscript", reason="the extra [export] is not installed")
pytest.importorskip("onnxruntime", reason="the extra [export] is not installed")


@pytest.fixture
def frozen(bundle: Path) -> FrozenModel:
    return FrozenModel(load_model(bundle), 0.5, CLEAN, IntensityRange(30.0, 180.0))


def test_onnx_runtime_gives_the_pixels_of_the_network_and_the_file_says_what_it_is(
    frozen: FrozenModel, tmp_path: Path
) -> None:
    import onnx

    file = tmp_path / "model.onnx"
    assert write_onnx(frozen, file) <= TOLERANCE

    image = np.random.default_rng(1).random((3, 1, 21, 34), np.float32)
    with torch.inference_mode():
        wanted = frozen.network(torch.from_numpy(image)).numpy()
    np.testing.assert_allclose(run(file, image), wanted, atol=TOLERANCE)

    said = {p.key: json.loads(p.value) for p in onnx.load(str(file)).metadata_props}
    assert said["model_hash"] == frozen.model.content_hash
    assert said["sharpness"] == 0.5
    assert said["intensity_range"] == [30.0, 180.0]
    assert said["synthetic"] is True


def test_nothing_is_overwritten(frozen: FrozenModel, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_onnx(frozen, file)
    with pytest.raises(OutputError, match=r"\.onnx"):
        write_onnx(frozen, tmp_path / "model.zip")
    assert file.read_text() == "mine"
    assert list(tmp_path.glob(".*")) == []


def test_a_package_without_greys_is_refused(bundle: Path, tmp_path: Path) -> None:
    frozen = FrozenModel(load_model(bundle), 0.5, CLEAN)
    with pytest.raises(InputError, match="--range"):
        write_bioimageio(frozen, tmp_path / "model.zip")
    assert not (tmp_path / "model.zip").exists()


@pytest.fixture
def package(frozen: FrozenModel, tmp_path: Path) -> Path:
    pytest.importorskip("bioimageio.spec", reason="the extra [export] is not installed")
    file = tmp_path / "model.zip"
    assert write_bioimageio(frozen, file) <= TOLERANCE
    return file


def test_a_package_is_as_the_format_wants_it_and_holds_the_card(package: Path) -> None:
    from bioimageio.spec import load_description

    description = load_description(package)
    assert description.validation_summary.status != "failed"
    assert description.config.model_dump()["napari_sem_sr"]["synthetic"] is True
    with zipfile.ZipFile(package) as file:
        assert json.loads(file.read("card.json"))["name"] in file.read("README.md").decode()


def test_bioimageio_core_gives_our_pixels_whole_and_in_blocks(
    frozen: FrozenModel, package: Path
) -> None:
    core = pytest.importorskip("bioimageio.core", reason="bioimageio.core is not installed")
    assert core.test_model(package).status == "passed"

    scene = np.random.default_rng(2).normal(100, 30, (70, 90)).astype(np.float32)
    scale = frozen.intensity
    assert scale is not None
    with torch.inference_mode():
        sr = frozen.network(torch.from_numpy(scale.normalise(scene))[None, None])
    wanted = scale.restore(sr[0, 0].numpy())
    for blocks in ({}, {"blocksize_parameter": 4}):
        sample = core.predict(model=package, inputs={"lr": scene[None, None]}, **blocks)
        found = sample.members["sr"].data.to_numpy()[0, 0]
        np.testing.assert_allclose(found, wanted, atol=TOLERANCE * (scale.high - scale.low))
