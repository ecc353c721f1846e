"""The demo: the main job on the bundled sample, true from end to end."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import drain
from napari_sem_sr.io import read_stack
from napari_sem_sr.study.demo import DemoResult, iter_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoResult:
    return drain(iter_demo(tmp_path_factory.mktemp("demo") / "out"))


def test_the_bundled_model_beats_bicubic_on_real_noise_that_it_never_saw(demo: DemoResult) -> None:
    s = demo.scores
    assert s["twin_psnr"] - s["bicubic_psnr"] >= 3
    assert s["twin_ssim"] > s["bicubic_ssim"]
    assert s["psnr"] >= s["bicubic_psnr"], "nobody gets less than bicubic without asking"
    assert "noise" in demo.conditions


def test_lr_sr_and_hr_cover_one_extent(demo: DemoResult) -> None:
    extents = []
    for name in ("lr.tif", "sr.zarr", "hr.tif"):
        stack = read_stack(demo.out / name)
        world = stack.world
        assert world.units[1:] == ("nanometer",) * 2
        extents.append(
            [
                (t - s / 2, t - s / 2 + n * s)
                for t, s, n in zip(world.translate, world.scale, stack.shape, strict=True)
            ]
        )
    for other in extents[1:]:
        np.testing.assert_allclose(other, extents[0])


def test_the_report_says_the_same_as_the_demo(demo: DemoResult) -> None:
    report = json.loads((demo.out / "check" / "report.json").read_text())
    assert report["scores"]["psnr"] == pytest.approx(demo.scores["psnr"])
    assert report["verdict"] == demo.verdict
    assert (demo.out / "check" / "report.html").stat().st_size > 10_000
    assert (demo.out / "comparison.png").stat().st_size > 10_000


def test_the_summary_names_what_to_look_at(demo: DemoResult) -> None:
    text = demo.summary()
    for word in ("bicubic", "twin", "SRGAN", "comparison.png", "report.html", "sr.zarr"):
        assert word in text


def test_it_runs_again_over_its_own_results_but_touches_no_others(
    demo: DemoResult, tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(OutputError, match="did not make"):
        drain(iter_demo(tmp_path))
    assert (tmp_path / "thesis.docx").exists()
    with pytest.raises(OutputError, match="is a file"):
        drain(iter_demo(tmp_path / "thesis.docx"))
