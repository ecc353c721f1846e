"""How fast a comparison answers a pan and a change of slice: from the call to the drawn picture.

Run under ``xvfb-run -a -s "-screen 0 1366x768x24"`` (software OpenGL) or on a screen. The stacks are on disk, as in
daily use. Prints medians and 95th percentiles in milliseconds; ``--json FILE`` writes them.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_sem_sr.io import ZarrStackWriter, read_stack, write_tiff
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.dock import PLUGIN

DEPTH, SIDE, FACTOR = 24, 512, 4
REPEATS = 20
PATIENCE_S = 60


def make_stacks(folder: Path) -> tuple[SemStack, SemStack]:
    """LR of 512 × 512 and SR of 2048 × 2048 pixels per slice, as files."""
    rng = np.random.default_rng(0)
    voxel = (20.0, 20.0, 20.0)
    lr = SemStack.from_array(
        rng.integers(0, 255, (DEPTH, SIDE, SIDE), np.uint8), "LR", voxel_nm=voxel
    )
    write_tiff(lr, folder / "lr.tif", provenance={})
    plane = rng.integers(0, 255, (FACTOR * SIDE, FACTOR * SIDE), np.uint8)
    fine = np.broadcast_to(plane, (DEPTH, *plane.shape))
    sr = lr.upscaled(SemStack.from_array(fine, "SR").data, FACTOR)
    writer = ZarrStackWriter.create(folder / "sr.zarr", like=sr, provenance={"synthetic": True})
    for z in range(DEPTH):
        writer.write_slice(z, np.roll(plane, 37 * z, axis=1))
    writer.finish()
    return read_stack(folder / "lr.tif"), read_stack(folder / "sr.zarr")


class Stopwatch:
    """Measures from a change to the canvas that shows it."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._drawn = 0.0
        viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(self._note)

    def _note(self, _: Any) -> None:
        self._drawn = time.perf_counter()

    def measure(self, change: Callable[[], None]) -> float:
        """Seconds until the canvas was drawn after ``change``."""
        settle(0.15)
        begun = time.perf_counter()
        change()
        while self._drawn < begun and time.perf_counter() < begun + PATIENCE_S:
            QApplication.processEvents()
        return time.perf_counter() - begun


def settle(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def scene(viewer: napari.Viewer, watch: Stopwatch) -> dict[str, list[float]]:
    """Times of pans and of slice changes as the viewer is now."""
    camera = viewer.scene.camera
    step = 40 / camera.zoom

    def pan(sign: int) -> None:
        z, y, x = camera.center
        camera.center = (z, y + sign * step, x + sign * step)

    pans = [watch.measure(lambda s=(-1) ** i: pan(s)) for i in range(REPEATS)]
    slices = [
        watch.measure(lambda z=z: viewer.dims.set_current_step(0, z))
        for z in np.random.default_rng(1).permutation(DEPTH)[:REPEATS].tolist()
    ]
    return {"pan": pans, "slice": slices}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        lr, sr = make_stacks(Path(folder))
        viewer = napari.Viewer(show=True)
        viewer.window.resize(1366, 768)
        watch = Stopwatch(viewer)
        layers.add(viewer, layers.image_data(lr, "LR", "LR"))
        viewer.reset_view()
        found["LR alone"] = scene(viewer, watch)
        layers.add(viewer, layers.image_data(sr, "SR", "SR"))
        _, inspect = viewer.window.add_plugin_dock_widget(PLUGIN, "Inspect")
        tab = inspect.pages["Compare"]
        tab.on_screen.cross_box.setChecked(False)
        for subject in ("none", "SR − bicubic"):
            tab.difference.subject_box.setCurrentText(subject)
            tab.compare()
            while tab.difference.work.running:
                settle(0.1)
            # 512 × 512 SR pixels in each pane
            viewer.scene.camera.zoom = min(tab.comparison.pane_px()) / (512 * 5.0)
            name = "LR and SR" if subject == "none" else "LR, SR and difference to bicubic"
            found[name] = scene(viewer, watch)
        tab.on_screen.cross_box.setChecked(True)
        camera = viewer.scene.camera
        moves = []
        for i in range(REPEATS):
            y, x = camera.center[-2:]
            tab.on_screen.marks._cursor = (y + i, x + i)
            moves.append(watch.measure(tab.on_screen.marks.draw))
        found["cursor in every pane"] = {"move": moves[1:]}
        viewer.close()
    print(f"{'milliseconds, median (95 %)':36s}")
    for name, kinds in found.items():
        for kind, times in kinds.items():
            ordered = sorted(times)
            worst = ordered[int(0.95 * (len(ordered) - 1))]
            print(f"{name:36s} {kind:6s} {1e3 * statistics.median(times):6.0f} ({1e3 * worst:.0f})")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
