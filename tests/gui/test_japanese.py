"""The docks in Japanese: nothing that a person sees is left in English."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from napari_sem_sr.widgets import words

SCRIPT = """
import re
from pathlib import Path

import napari
import numpy as np
from qtpy.QtWidgets import (
    QAbstractButton, QComboBox, QLabel, QLineEdit, QAbstractSpinBox, QTabWidget, QWidget,
)

from napari_sem_sr.io.metadata import typed
from napari_sem_sr.model import zoo
from napari_sem_sr.widgets.inspect.compare.figure_dialog import FigureDialog
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from tests.gui.conftest import add_stacks

zoo.user_folder = lambda: Path({models!r})
zoo.bundled_folder = lambda: Path({models!r}) / "none"
typed.kept_in = lambda: Path({models!r}) / "typed.json"
viewer = napari.Viewer(show=False)
rng = np.random.default_rng(0)
stacks = {{r: rng.integers(0, 255, (2, n, n), np.uint8) for r, n in (("LR", 16), ("SR", 64), ("HR", 64))}}
add_stacks(viewer, stacks)
docks = {{}}
for name in ("Train", "Upscale", "Inspect"):
    _, docks[name] = viewer.window.add_plugin_dock_widget("napari-sem-sr", name, tabify=True)
docks["Inspect"].pages["Compare"].compare()
dialogs = [VoxelDialog(docks["Upscale"]._stack), FigureDialog()]

# names that stay: of models, layers, devices, formats, keys
KEPT = re.compile(
    # layers and models, paths, sentences of the core
    r"<b>.*|.*get the model again from where it came\\.|a LR.*|a SR.*|a HR.*|/[\\w./-]+|The voxels of .*|SRGAN|SR 2|tiny.*|auto|cpu|cuda|mps|fp32|bf16|fp16|xy|xz|yz|OK|Cancel|&?OK|&?Cancel|&?Save|uint8|[\\w./-]*\\.zarr"
)


def visible(root):
    for widget in root.findChildren(QWidget):
        yield widget, widget.toolTip()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget, widget.text()
        if isinstance(widget, QLineEdit):
            yield widget, widget.placeholderText()
        if isinstance(widget, QAbstractSpinBox):
            yield widget, widget.specialValueText()
        if isinstance(widget, QComboBox):
            for index in range(widget.count()):
                yield widget, widget.itemText(index)
        if isinstance(widget, QTabWidget):
            for index in range(widget.count()):
                yield widget, widget.tabText(index)


def english(text):
    bare = re.sub(r"<[^>]*>|'[^']*'", "", text)
    return bool(re.search(r"[A-Za-z]{{3,}}", bare)) and not re.search("[\\u3040-\\u30ff\\u4e00-\\u9fff]", bare)


for root in (*docks.values(), *dialogs):
    for widget, text in visible(root):
        if english(text) and not KEPT.fullmatch(text.strip()):
            print("ENGLISH", type(root).__name__, type(widget).__name__, repr(text))
viewer.close()
"""


def test_nothing_in_the_docks_is_left_in_english(models: Path) -> None:
    code = textwrap.dedent(SCRIPT).format(models=str(models.parent))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, words.VARIABLE: "ja", "PYTHONPATH": os.pathsep.join([".", *sys.path])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert [line for line in done.stdout.splitlines() if line.startswith("ENGLISH")] == []
