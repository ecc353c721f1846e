"""What is made of a file goes beside it, and never into the installed package."""

import os
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image

from napari_sem_sr.samples import medulla_path
from napari_sem_sr.widgets.inspect.check import tasks as check
from napari_sem_sr.widgets.inspect.measure import tasks as measure
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.beside import folder_beside


def layer_of(path: Path | None, name: str = "stack") -> Image:
    known = {} if path is None else {"path": str(path)}
    return Image(np.zeros((2, 2)), name=name, metadata={layers.KEY: known})


@pytest.mark.parametrize("report", [check.default_folder, measure.default_folder])
def test_a_report_lies_beside_its_file_or_in_the_home_folder(report, tmp_path: Path) -> None:
    assert report(layer_of(tmp_path / "a.zarr")).parent == tmp_path
    assert report(layer_of(tmp_path / "a.zarr")).name.startswith("a_")
    assert report(layer_of(medulla_path())).parent == Path.home()
    assert report(layer_of(None, "a / b")).parent == Path.home()


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written_to_is_not_proposed(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert folder_beside(tmp_path / "a.zarr") == Path.home()
