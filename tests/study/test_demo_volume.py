"""The demo of the third dimension, with a network too small to be any good."""

from pathlib import Path

from PIL import Image

from napari_sem_sr import read_stack
from napari_sem_sr.events import drain
from napari_sem_sr.study.demo_volume import iter_demo_volume
from tests.axial.specimens import QUICK


def test_it_leaves_a_volume_beside_its_truth_and_says_how_far_they_are_apart(
    tmp_path: Path,
) -> None:
    result = drain(iter_demo_volume(tmp_path / "demo", QUICK))
    volume, truth = (read_stack(result.out / name) for name in ("isotropic.zarr", "truth.tif"))
    assert volume.shape == truth.shape == (22, 248, 248)
    assert volume.voxel_nm == truth.voxel_nm == (10.0, 10.0, 10.0)
    assert set(result.psnr) == {"linear interpolation", "cubic interpolation", "isotropic volume"}
    # four steps are next to nothing, and an untrained network is linear interpolation
    assert abs(result.psnr["isotropic volume"] - result.psnr["linear interpolation"]) < 1.0
    assert "isotropic.zarr" in result.summary()
    told = result.numbers.document()["volumes"]
    assert [volume["name"] for volume in told] == ["slices", "linear", "isotropic", "truth"]
    assert [volume["voxel_nm"][0] for volume in told] == [30.0, 10.0, 10.0, 10.0]
    dark = [volume["phases"][0]["volume_fraction"]["value"] for volume in told]
    assert max(dark) - min(dark) < 0.05
    assert str(result.numbers.volumes[3].phases[0].numbers["chord_nm.z"]) in result.summary()
    assert (result.out / "numbers" / "report.html").exists()
    assert Image.open(result.out / "depth.png").width > 500
