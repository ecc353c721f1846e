"""Upscale and check in one pass."""

from contextlib import closing
from pathlib import Path

import pytest

from napari_sem_sr.checking import Report, check
from napari_sem_sr.checking.alongside import iter_upscale_and_check
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import SliceDone, drain
from napari_sem_sr.inference.runner import UpscaleSettings, upscale
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import specimen, truth_of

SETTINGS = UpscaleSettings(device="cpu", precision="fp32", tile=64, sharpness=1.0)


@pytest.fixture
def lr() -> SemStack:
    return truth_of(specimen((4, 96, 128)), (20.0, 10.0, 10.0)).lr


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix != ".html"
    }


def test_sr_and_report_are_those_of_upscaling_and_then_checking(
    lr: SemStack, model: Model, tmp_path: Path
):
    upscale(lr, tmp_path / "a" / "sr.zarr", model, SETTINGS)
    made = read_stack(tmp_path / "a" / "sr.zarr")
    after = check(lr, made, model=model, out=tmp_path / "a" / "check")
    result, report = drain(
        iter_upscale_and_check(
            lr, tmp_path / "b" / "sr.zarr", model, SETTINGS, out=tmp_path / "b" / "check"
        )
    )
    assert files(tmp_path / "b" / "sr.zarr") == files(tmp_path / "a" / "sr.zarr")
    assert report.document() == after.document() == Report.read(tmp_path / "b" / "check").document()
    one, other = (files(tmp_path / side / "check" / "maps.zarr") for side in "ab")
    assert {k: v for k, v in one.items() if k.endswith("/0/0")} == {
        k: v for k, v in other.items() if k.endswith("/0/0")
    }
    assert result.computed == 4


def test_what_was_stopped_goes_on_and_ends_the_same(lr: SemStack, model: Model, tmp_path: Path):
    def work(folder: Path, resume: bool):
        return iter_upscale_and_check(
            lr, folder / "sr.zarr", model, SETTINGS, out=folder / "check", resume=resume
        )

    _, whole = drain(work(tmp_path / "whole", False))
    with closing(work(tmp_path / "stopped", False)) as stopped:
        for event in stopped:
            if isinstance(event, SliceDone) and event.done == 3:
                break
    assert len(ZarrStackWriter.reopen(tmp_path / "stopped" / "sr.zarr").done_slices()) >= 3
    with pytest.raises(OutputError, match="holds a check already"):
        drain(work(tmp_path / "stopped", False))
    _, report = drain(work(tmp_path / "stopped", True))
    assert report.document() == whole.document()
    # a finished pair is left as it is
    _, again = drain(work(tmp_path / "stopped", True))
    assert again == report
