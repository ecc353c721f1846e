"""Draw the pictures of docs/isotropic.md and docs/measure.md from a finished demo of the third dimension.

sem-sr demo --volume --out demo3d
xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_isotropic.py demo3d
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import napari
from make_screenshots import IMAGES, SIZE, open_docks, picture, raise_dock, settle, wait_for

from napari_sem_sr.axial.bundle import FOLDER_SUFFIX
from napari_sem_sr.io import read_stack
from napari_sem_sr.study.picture import write_depth

VOLUME = "slices_isotropic.zarr"
# Rows of a slice lie below each other in a cut: z down, x to the right.
CUT = (1, 0, 2)


def drawn(demo: Path) -> None:
    """The xz plane before, after and in truth, and the test on slices left out."""
    stacks = [read_stack(demo / name) for name in ("slices.tif", "isotropic.zarr", "truth.tif")]
    write_depth(*stacks, stacks[0].shape[1] // 2, IMAGES / "isotropic.png")
    shutil.copy(demo / "isotropic.zarr.axial" / "left_out.png", IMAGES / "isotropic_left_out.png")


def walked(demo: Path, folder: Path) -> None:
    """From the Upscale dock's step to the volume, and to its numbers in the Inspect dock."""
    shutil.copy(demo / "slices.tif", folder / "slices.tif")
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    upscale, inspect = open_docks(viewer)
    upscale.open_paths([folder / "slices.tif"])
    upscale.set_output(folder / "slices_sr.zarr")
    step = upscale.isotropic
    step.expand(animate=False)
    viewer.dims.order = CUT
    viewer.reset_view()
    settle()
    upscale.show_part(step)
    picture(viewer, "isotropic_step")
    # what the demo made is what the button would make
    for suffix in ("", FOLDER_SUFFIX):
        shutil.copytree(demo / f"isotropic.zarr{suffix}", folder / f"{VOLUME}{suffix}")
    step.set_stack(read_stack(folder / "slices.tif"), folder / "slices_sr.zarr")
    step.button.click()
    raise_dock(viewer, upscale)
    viewer.dims.order = CUT
    viewer.reset_view()
    upscale.show_part(step)
    picture(viewer, "isotropic_done")
    viewer.dims.order = (0, 1, 2)
    viewer.reset_view()
    numbers(viewer, inspect, folder)
    viewer.close()


def numbers(viewer: Any, inspect: Any, folder: Path) -> None:
    """Measure the volume beside the interpolated slices."""
    raise_dock(viewer, inspect)
    tab = inspect.pages["Measure"]
    inspect.tabs.setCurrentWidget(tab)
    tab.set_folder(folder / "numbers")
    tab.preview.box.setChecked(True)
    tab.start_button.click()
    wait_for(lambda: not tab.work.running)
    if tab.numbers.found is None:
        raise RuntimeError(tab.message.text())
    picture(viewer, "measure")


if __name__ == "__main__":
    finished = Path(sys.argv[1]).absolute()
    drawn(finished)
    with tempfile.TemporaryDirectory() as made:
        walked(finished, Path(made))
