"""Pictures of a comparison for a paper."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_sem_sr.widgets.inspect.compare.picture import caption, take_panels
from napari_sem_sr.widgets.viewer import layers
from tests.gui.conftest import add_stacks

LONG_MS = 120_000


@pytest.fixture
def tab(viewer: Any, open_dock: Any, models: Path, qtbot: Any) -> Any:
    """A comparison of LR, SR and HR of one field, SR with what its file says."""
    rng = np.random.default_rng(0)
    hr = rng.integers(0, 255, (3, 80, 160)).astype(np.uint8)
    lr = hr.reshape(3, 20, 4, 40, 4).mean((2, 4)).astype(np.uint8)
    _, sr, _ = add_stacks(viewer, {"LR": lr, "SR": hr, "HR": hr})
    sr.metadata[layers.KEY] = {
        "role": "SR", "synthetic": True, "model": "sem-x4", "sharpness": 0.5, "factor": 4,
    }  # fmt: skip
    viewer.window.resize(1300, 700)
    _, dock = open_dock("Inspect")
    tab = dock.pages["Compare"]
    tab.compare()
    qtbot.waitUntil(lambda: "difference" in tab.comparison.panes, timeout=LONG_MS)
    return tab


def test_panels_hold_the_data_alone_at_the_resolution_of_the_figure(tab: Any) -> None:
    viewer = tab.viewer
    before = (viewer.scene.camera.zoom, viewer.canvas.overlays.scale_bar.visible)
    panels, columns = take_panels(tab.comparison, 180.0, 300)
    assert [panel.title.split()[0] for panel in panels] == ["LR", "SR", "HR", "SR−HR"]
    assert not any(layers.PANE_SIGN in panel.title for panel in panels)
    assert [panel.synthetic for panel in panels] == [False, True, False, False]
    wanted = 180 / 25.4 * 300 / columns
    for panel in panels:
        high, wide = panel.pixels.shape[:2]
        assert wide == pytest.approx(wanted, rel=0.02)
        # twice as wide as high, as the data are: no margin of the canvas, no writing over it
        assert wide / high == pytest.approx(2, rel=0.02)
        assert panel.pixel * wide == pytest.approx(1600, rel=0.02)
        assert panel.unit == "nanometer"
    # noise to its last row and column: no black margin was taken along
    hr = panels[2].pixels
    assert hr[-4:].std() > 20 and hr[:, -4:].std() > 20 and hr[:4].std() > 20
    assert (viewer.scene.camera.zoom, viewer.canvas.overlays.scale_bar.visible) == before
    assert all(pane.name_overlay.visible for pane in tab.comparison.panes.values())


def test_the_caption_says_stack_voxel_model_sharpness_and_slice(tab: Any) -> None:
    said = caption(tab.comparison)
    assert "LR: a LR, voxel size 20 × 40 × 40 nm (z, y, x)" in said
    assert (
        "Super-resolved (synthetic, not measured) by the model sem-x4, sharpness 0.5, x4." in said
    )
    assert "SR−HR" in said
    assert "slice 1" in said


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pdf"])
def test_a_picture_and_its_caption_are_written(tab: Any, tmp_path: Path, suffix: str) -> None:
    tab.export(tmp_path / f"figure{suffix}", width_mm=85, dpi=300)
    assert "synthetic" in (tmp_path / "figure.txt").read_text()
    assert "figure.txt" in tab.message.text()
    if suffix != ".pdf":
        with Image.open(tmp_path / f"figure{suffix}") as picture:
            assert picture.width == 1004


@pytest.mark.parametrize("mode", ["curtain", "blink", "overlay"])
def test_two_panes_in_one_place_are_one_panel(tab: Any, mode: str, tmp_path: Path) -> None:
    tab.modes.buttons[mode].click()
    panels, columns = take_panels(tab.comparison, 85.0, 150)
    assert (len(panels), columns) == (1, 1)
    assert panels[0].pixels.shape[1] == pytest.approx(85 / 25.4 * 150, rel=0.02)
