"""Train a model in the real Train dock, as a person would, and make the pictures of docs/training.md.

    xvfb-run -a -s "-screen 0 1366x768x24" python docs/make_training_screenshots.py TEACHERS... --minutes 10

The model is trained for that time into a folder of its own, so that nobody's models are touched; what it
scored is printed as one JSON document.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from make_screenshots import IMAGES, SIZE, settle
from qtpy.QtWidgets import QApplication

from napari_sem_sr.model import zoo
from napari_sem_sr.widgets.qt.dock_group import PLUGIN


def picture(viewer: napari.Viewer, folder: Path, name: str) -> None:
    settle()
    viewer.window.screenshot(str(folder / f"{name}.png"), flash=False)


def watch(viewer: napari.Viewer, dock: Any, folder: Path) -> dict[str, Any]:
    """Take a picture of every phase; measure how long napari's loop was ever kept waiting, and by what it did itself."""
    wanted: dict[str, Callable[[], bool]] = {
        "training_begins": lambda: dock.curves.points("twin") >= 2,
        "training": lambda: "gan" in dock.report.view.panes and dock.curves.points("gan") >= 1,
        "training_last": lambda: all(w in dock.state_line.text() for w in ("from all", "SRGAN")),
    }
    waits, busy = [0.0], [0.0]
    last, used = time.monotonic(), time.thread_time()
    while dock._work.running:
        QApplication.instance().processEvents()
        time.sleep(0.005)
        now, cpu = time.monotonic(), time.thread_time()
        waits.append(now - last)
        busy.append(cpu - used)
        last, used = now, cpu
        for name, is_time in list(wanted.items()):
            if is_time():
                del wanted[name]
                picture(viewer, folder, name)
                last, used = time.monotonic(), time.thread_time()
    return {
        "longest_wait_s": round(max(waits), 2),
        "waits_over_250_ms": sum(w > 0.25 for w in waits),
        "longest_busy_s": round(max(busy), 2),
        "pictures_missing": sorted(wanted),
    }


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
        while dock.report.view.panes:
            settle(0.05)
        found["minutes"] = round((time.monotonic() - began) / 60, 2)
        picture(viewer, arguments.out, "training_done")
        entry = zoo.list_models()[0]
        found |= entry.describe() | {"verdict": entry.card.training.verdict}
        found["training"] = entry.card.training.model_dump(
            mode="json", include={"epochs", "steps", "seconds", "in_turn"}
        )
        found["path"] = entry.path.name
        dock.use_button.click()
        picture(viewer, arguments.out, "training_use")
        viewer.close()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
