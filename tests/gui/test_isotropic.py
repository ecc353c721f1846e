"""From the Upscale dock to an isotropic volume on screen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

from napari_sem_sr.widgets.upscale import isotropic
from napari_sem_sr.widgets.viewer import layers
from tests.axial.specimens import QUICK, sliced

LONG_MS = 120_000


@pytest.fixture
def step(models: Path, viewer: Any, open_dock: Callable[[str], Any]) -> Any:
    stack = sliced()
    viewer.add_layer(
        Image(stack.data.compute(), name="mine", scale=stack.voxel_nm, units=("nm",) * 3)
    )
    _, dock = open_dock("Upscale")
    dock.isotropic.expand(animate=False)
    return dock.isotropic


def test_a_click_makes_the_volume_shows_it_and_says_what_the_test_found(
    step: Any, viewer: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isotropic, "IsotropicSettings", lambda **_: QUICK)
    step.set_stack(step._stack, tmp_path / "mine_sr.zarr")
    assert step.button.text() == "Make isotropic"
    with qtbot.waitSignal(step.ended, timeout=LONG_MS):
        step.button.click()
    assert "it never saw" in step.outcome.text()
    made = [layer for layer in viewer.layers if layers.role_of(layer) == "SR"]
    assert len(made) == 1
    np.testing.assert_allclose(made[0].scale, (5, 5, 5))
    assert step.button.text() == "Open volume"


def test_cubes_are_nothing_to_fill_in_and_the_button_says_so(step: Any, tmp_path: Path) -> None:
    cubes = replace(sliced(), voxel_nm=(5.0, 5.0, 5.0))
    step.set_stack(cubes, tmp_path / "mine_sr.zarr")
    assert not step.button.isEnabled()
    assert "nothing is to be filled in" in step.button.toolTip()
