"""How fast a comparison answers a pan and a change of slice: from the call to the drawn picture.

Run under ``xvfb-run -a -s "-screen 0 1366x768x24"`` (software OpenGL) or on a screen. The stacks are on disk, as in
daily use. Prints medians and 95th percentiles in milliseconds; ``--json FILE`` writes them.
"""

import argparse
import json
import math
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
from napari_sem_sr.widgets.qt.dock_group import PLUGIN
from napari_sem_sr.widgets.viewer import layers

DEPTH, SIDE, FACTOR = 24, 512, 4
REPEATS = 20
PATIENCE_S = 60
# a canvas that was not drawn for so long is at rest
REST_S = 0.25


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
        self._drawings = 0
        viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(self._count)

    def _count(self, _: Any) -> None:
        self._drawings += 1

    def measure(
        self, change: Callable[[], None], ready: Callable[[], bool] = lambda: True
    ) -> float:
        """Seconds from ``change`` to the end of the last drawing that it leads to, and ``ready``.

        The first drawing may still show what was there before, so one waits until the canvas has come to rest.
        """
        settle(0.15)
        before = self._drawings
        begun = drawn = moving = time.perf_counter()
        change()
        while time.perf_counter() < begun + PATIENCE_S:
            QApplication.processEvents()
            if self._drawings > before:
                before = self._drawings
                drawn = moving = time.perf_counter()
            if drawn == begun or not ready():
                moving = time.perf_counter()
            elif time.perf_counter() - moving > REST_S:
                break
        return drawn - begun


def settle(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def scene(
    viewer: napari.Viewer, watch: Stopwatch, ready: Callable[[], bool] = lambda: True
) -> dict[str, list[float]]:
    """Times of pans and of slice changes as the viewer is now."""
    camera = viewer.scene.camera
    step = 40 / camera.zoom

    def pan(count: int) -> None:
        # round a square, so that nothing comes into view twice
        down, right = ((0, 1), (1, 0), (0, -1), (-1, 0))[count * 4 // REPEATS]
        z, y, x = camera.center
        camera.center = (z, y + down * step, x + right * step)

    pans = [watch.measure(lambda i=i: pan(i), ready) for i in range(REPEATS)]
    slices = [
        watch.measure(lambda z=z: viewer.dims.set_current_step(0, z), ready)
        for z in np.random.default_rng(1).permutation(DEPTH)[:REPEATS].tolist()
    ]
    return {"pan": pans, "slice": slices}


def live(lr: SemStack) -> dict[str, list[float]]:
    """Times until all that is visible is SR again, computed meanwhile; 512 × 512 SR pixels on screen."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1366, 768)
    watch = Stopwatch(viewer)
    layers.add(viewer, layers.image_data(lr, "LR", "LR"))
    _, upscale = viewer.window.add_plugin_dock_widget(PLUGIN, "Upscale")
    upscale.choose_model("sem-x4-fast")
    viewer.reset_view()
    height, width = viewer.canvas.size
    viewer.scene.camera.zoom = math.sqrt(height * width) / (512 * 5.0)
    upscale.live_button.click()
    while not upscale.live.is_settled:
        settle(0.1)

    def ready() -> bool:
        # what is wanted may not have been asked for yet
        return upscale.live.is_settled and upscale.live._wanted() == upscale.live._asked

    found = scene(viewer, watch, ready)
    upscale.live_button.click()
    viewer.close()
    return found


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
            viewer.scene.camera.zoom = min(tab.comparison.camera.pane_px()) / (512 * 5.0)
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
        found["live SR (sem-x4-fast)"] = live(lr)
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
