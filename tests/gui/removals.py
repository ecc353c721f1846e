"""Removes layers in every way while a comparison of a multiscale SR is shown, and draws; run by `test_removals`.

Its own process, as what it guards against is a segmentation fault.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layers

FACTOR = 4
LIMIT_S = 200


def spin(until: Callable[[], bool]) -> None:
    """Serve the event loop."""
    limit = time.monotonic() + LIMIT_S
    while not until():
        QApplication.processEvents()
        time.sleep(0.005)
        assert time.monotonic() < limit, "nothing happened"


def draw(viewer: Any) -> None:
    """Look closer and back; each step is painted."""
    for zoom in (2.0, 0.5):
        viewer.scene.camera.zoom *= zoom
        QTest.qWait(20)


def write_sr(folder: Path, lr: SemStack) -> Path:
    """An OME-Zarr with levels, as upscaling makes it."""
    pixels = np.kron(lr.data.compute(), np.ones((1, FACTOR, FACTOR), np.uint8))
    sr = lr.upscaled(SemStack.from_array(pixels, "sr").data, FACTOR)
    path = folder / "sr.zarr"
    writer = ZarrStackWriter.create(path, like=sr, provenance={"synthetic": True})
    for z, plane in enumerate(pixels):
        writer.write_slice(z, plane)
    writer.finish()
    return path


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def begin(viewer: Any, tab: Any, lr: SemStack, sr: Path, mode: str) -> None:
    """Open both stacks and compare them."""
    layers.add(viewer, layers.image_data(lr, "lr", "LR"))
    layers.add(viewer, layers.image_data(read_stack(sr), "sr", "SR", added_by_dock=True))
    assert viewer.layers["sr"].multiscale
    click(tab.start_button)
    spin(lambda: "difference" in tab.comparison.panes)
    click(tab.modes.buttons[mode])
    draw(viewer)


def by_button(viewer: Any, tab: Any) -> None:
    """As the issue was found."""
    click(tab.remove_button)


def from_the_list(name: str) -> Callable[[Any, Any], None]:
    """One pane, as the bin of napari's list does it."""

    def remove(viewer: Any, tab: Any) -> None:
        gone = tab.comparison.panes[name]
        viewer.layers.selection = {gone}
        viewer.layers.remove_selected()

    remove.__name__ = f"{name} from the list"
    return remove


def all_of_them(viewer: Any, tab: Any) -> None:
    """Select all, delete."""
    viewer.layers.selection = set(viewer.layers)
    viewer.layers.remove_selected()


WAYS = (
    ("side by side", by_button),
    ("curtain", from_the_list("SR")),
    ("blink", all_of_them),
)


def main(folder: Path) -> None:
    """Go through all ways and modes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (4, 140, 160), np.uint8)
    lr = SemStack.from_array(pixels, "lr", voxel_nm=(20.0, 20.0, 20.0))
    sr = write_sr(folder, lr)
    viewer = napari.Viewer()
    # painting without a GPU takes as long as there are pixels
    viewer.window.resize(640, 480)
    _, dock = viewer.window.add_plugin_dock_widget("napari-sem-sr", "Inspect", tabify=True)
    tab = dock.pages["Compare"]
    for mode, way in WAYS:
        begin(viewer, tab, lr, sr, mode)
        way(viewer, tab)
        draw(viewer)
        click(tab.remove_button)
        draw(viewer)
        assert not any(map(layers.belongs_to_comparison, viewer.layers))
        viewer.layers.clear()
        print(f"{mode}: {way.__name__}", flush=True)
    viewer.close()
    print("all drawn", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
