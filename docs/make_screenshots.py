"""Make the pictures of README and docs: a real napari on a real screen, driven as a person would.

Run ``make screenshots``, or this file under ``xvfb-run -a -s "-screen 0 1366x768x24"``.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.qt import get_stylesheet
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_sem_sr.instrument import Instrument, Sources
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.qt.dock_group import PLUGIN

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = (1366, 768)
# one of them is a whole check, and a busy machine is no fault
PATIENCE_S = 3600
# red, green and blue that differ by less are a grey
NEUTRAL = 6


def settle(seconds: float = 0.6) -> None:
    """Let Qt draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the plugin did not get there")
        settle(0.05)


def picture(viewer: napari.Viewer, name: str) -> None:
    settle()
    shoot(viewer, IMAGES / f"{name}.png")


def shoot(viewer: napari.Viewer, path: Path) -> None:
    """A picture at two thirds of its size: 128 greys, which SEM images need, and 128 colours."""
    viewer.window.screenshot(str(path), flash=False)
    whole = np.asarray(Image.open(path).convert("RGB"))
    spread = np.ptp(whole.astype(np.int16), axis=2)
    coloured = Image.fromarray(whole[spread > NEUTRAL].reshape(1, -1, 3))
    few = coloured.quantize(128, Image.Quantize.MAXCOVERAGE).getpalette()
    greys = np.repeat(np.linspace(0, 255, 128).round().astype(int), 3).tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*greys, *few[: 3 * 128]])
    shown = Image.fromarray(whole).quantize(palette=palette, dither=Image.Dither.NONE)
    shown.save(path, optimize=True)


def open_docks(viewer: napari.Viewer) -> tuple[Any, Any]:
    _, inspect = viewer.window.add_plugin_dock_widget(PLUGIN, "Inspect", tabify=True)
    _, upscale = viewer.window.add_plugin_dock_widget(PLUGIN, "Upscale", tabify=True)
    return upscale, inspect


def raise_dock(viewer: napari.Viewer, widget: Any) -> None:
    dock = widget.parent()
    dock.show()
    dock.raise_()


def tour(viewer: napari.Viewer, output: Path) -> None:
    upscale, inspect = open_docks(viewer)
    upscale.open_sample()
    upscale.set_output(output)
    # docks that were tabbed come to the front by themselves, late
    settle()
    raise_dock(viewer, upscale)
    upscale.preview()
    wait_for(lambda: not upscale._work.running)
    picture(viewer, "upscale")
    upscale.upscale()
    wait_for(lambda: upscale.runs.eta.done >= 6)
    picture(viewer, "upscale_running")
    wait_for(lambda: not upscale._work.running)
    raise_dock(viewer, inspect)
    compare = inspect.pages["Compare"]
    compare.compare()
    wait_for(lambda: "difference" in compare.comparison.panes)
    viewer.scene.camera.zoom *= 2
    picture(viewer, "compare")
    viewer.reset_view()
    compare.modes.buttons["curtain"].click()
    picture(viewer, "curtain")
    compare.modes.buttons["side by side"].click()
    viewer.reset_view()
    viewer.scene.camera.zoom *= 2
    compare.profile.set_line((740.0, 620.0), (1180.0, 1010.0))
    compare.readout.show_at((110.0, 1000.0, 900.0))
    picture(viewer, "profile")
    compare.profile.clear_line()
    settle()
    compare.spectrum.measure()
    wait_for(lambda: bool(compare.spectrum.spectra))
    picture(viewer, "spectrum")


def voxel_size() -> None:
    """The dialog Voxel size, for a stack whose files do not settle the tilt."""
    stack = SemStack.from_array(
        np.zeros((2, 8, 8), np.uint8),
        "slices",
        voxel_nm=(20.0, 5.0, 5.0),
        sources=Sources("project", "file", "file"),
        instrument=Instrument(
            maker="Thermo Fisher Scientific (FEI)",
            model="Helios",
            detector="TLD",
            stage_tilt_deg=52.0,
            tilt_corrected=False,
        ),
    )
    dialog = VoxelDialog(stack)
    dialog.setStyleSheet(get_stylesheet("dark"))
    dialog.show()
    dialog.tilt.setValue(38.0)
    settle()
    dialog.grab().save(str(IMAGES / "voxel_size.png"))
    dialog.close()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            viewer = napari.Viewer(show=True)
            viewer.window.resize(*SIZE)
            voxel_size()
            tour(viewer, Path("medulla_sr.zarr"))
            viewer.close()
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
