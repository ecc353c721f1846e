"""What docs/peers.md writes for ilastik has its axes and its voxel size."""

import re
from pathlib import Path

import numpy as np
import pytest

from napari_sem_sr import read_stack
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.stack import SemStack

PAGE = Path(__file__).parents[1] / "docs" / "peers.md"


def test_the_lines_for_ilastik_run_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 255, (3, 20, 30)).astype(np.uint8)
    stack = SemStack.from_array(pixels, "sr", voxel_nm=(20.0, 5.0, 2.5))
    writer = ZarrStackWriter.create("sr.zarr", like=stack, provenance={"synthetic": False})
    for k, plane in enumerate(pixels):
        writer.write_slice(k, plane)
    writer.finish()

    (lines,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(lines, str(PAGE), "exec"), {})

    again = read_stack("sr.h5")
    assert np.array_equal(np.asarray(again), pixels)
    assert again.voxel_nm == pytest.approx((20.0, 5.0, 2.5))
