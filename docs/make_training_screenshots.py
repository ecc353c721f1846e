"""Train a model in the real Train dock, as a person would, and make the pictures of docs/training.md.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_training_screenshots.py TEACHERS... --minutes 10

The model is trained for that time into a folder of its own, so that nobody's models are touched; what it
scored is printed as one JSON document.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
from make_screenshots import IMAGES, SIZE, settle

from napari_sem_sr.model import zoo
from napari_sem_sr.widgets.dock import PLUGIN


def picture(viewer: napari.Viewer, folder: Path, name: str) -> None:
    settle()
    viewer.window.screenshot(str(folder / f"{name}.png"), flash=False)


def watch(viewer: napari.Viewer, dock: Any, folder: Path) -> dict[str, Any]:
    """Take a picture of every phase; measure how long napari's loop was ever kept waiting."""
    wanted = {"training_begins": "twin", "training": "gan"}
    longest, last = 0.0, time.monotonic()
    while dock._work.running:
        settle(0.05)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        for name, stage in list(wanted.items()):
            panes = dock.report.view.panes
            if stage in panes and dock.curves.points(stage) >= 2:
                del wanted[name]
                picture(viewer, folder, name)
                last = time.monotonic()
    return {"longest_wait_s": round(longest, 2), "pictures_missing": sorted(wanted)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teachers", nargs="+", type=Path)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--out", type=Path, default=IMAGES, help="where the pictures go")
    parser.add_argument("--theme", default="dark")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        zoo.user_folder = lambda: Path(folder)
        viewer = napari.Viewer(show=True)
        viewer.theme = arguments.theme
        viewer.window.resize(*SIZE)
        _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train", tabify=True)
        picture(viewer, arguments.out, "training_first_look")
        dock.add_paths(arguments.teachers)
        while dock._work.running:
            settle(0.05)
        dock.budget_box.setValue(arguments.minutes)
        picture(viewer, arguments.out, "training_teachers")
        began = time.monotonic()
        dock.train_button.click()
        found = watch(viewer, dock, arguments.out)
        found["minutes"] = round((time.monotonic() - began) / 60, 2)
        picture(viewer, arguments.out, "training_done")
        entry = zoo.list_models()[0]
        found |= entry.describe() | {"verdict": entry.card.training.verdict}
        found["epochs"] = entry.card.training.epochs
        found["path"] = entry.path.name
        dock.use_button.click()
        picture(viewer, arguments.out, "training_use")
        viewer.close()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
