"""A scripted monkey: seeded random clicks, drops, keys, theme changes, layer deletions and dock closings in napari.

    python benchmarks/monkey.py --seed 1 --actions 2000

Ends with 0 where napari neither crashed, nor raised what nobody caught, nor stood still for a second. All that it
writes goes into a temporary folder, which is also its home. Needs a display (``xvfb-run -a`` on a server).
"""

import argparse
import contextlib
import faulthandler
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DOCKS = ("Train", "Upscale", "Inspect")
KEYS = "raunpb"
# leave it to work a little between two actions
PAUSES_S = (0.0, 0.0, 0.02, 0.1, 0.4)
# training and checks are stopped after so many actions, as they would take the processor from the rest
PATIENCE = 40


def main() -> int:
    """Let it loose; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument(
        "--frozen", type=float, default=1.0, help="Seconds of the user interface that are too long."
    )
    chosen = parser.parse_args()
    faulthandler.enable()
    with tempfile.TemporaryDirectory(prefix="monkey-") as folder:
        home = Path(folder)
        for name in (
            "HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
        ):
            os.environ[name] = folder
        os.environ["NAPARI_CONFIG"] = str(home / "settings.yaml")
        try:
            monkey = Monkey(random.Random(chosen.seed), home, chosen.frozen)
            monkey.run(chosen.actions)
        except Exception:
            # its own hook would keep this for a report that is never made
            traceback.print_exc()
            return 1
    return monkey.report()


class Monkey:
    """Presses whatever it finds.

    Parameters
    ----------
    rng
        Decides.
    home
        Where its files are, and go.
    frozen_s
        What one action may take of the user interface's own time.
    """

    def __init__(self, rng: random.Random, home: Path, frozen_s: float) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.rng, self.home, self.frozen_s = rng, home, frozen_s
        self.done: Counter[str] = Counter()
        self.tracebacks: list[str] = []
        self.frozen: list[tuple[str, float]] = []
        self.last = "start"
        self._busy_for = 0
        self.files = list(_write_files(home))
        self._tame_dialogs()
        self.viewer: Any = napari.Viewer()
        self.app = QApplication.instance()
        self.viewer.window.resize(1000, 620)
        sys.excepthook = self._note
        for name in DOCKS:
            self._open(name)

    def _note(self, kind: Any, error: Any, trace: Any) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        self.tracebacks.append(f"after '{self.last}':\n{text}")

    def _tame_dialogs(self) -> None:
        """Dialogs are answered at once, at random; nothing is opened outside of napari."""
        from qtpy.QtGui import QDesktopServices
        from qtpy.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox

        rng = self.rng

        def path(*_: Any, **__: Any) -> tuple[str, str]:
            return str(rng.choice([*self.files, ""])), ""

        def new_path(*_: Any, **__: Any) -> tuple[str, str]:
            return str(
                self.home / f"new{rng.randrange(5)}{rng.choice(['.zarr', '.tif', '.png'])}"
            ), ""

        QFileDialog.getOpenFileName = staticmethod(path)
        QFileDialog.getOpenFileNames = staticmethod(lambda *_, **__: ([path()[0]], ""))
        QFileDialog.getExistingDirectory = staticmethod(lambda *_, **__: path()[0])
        QFileDialog.getSaveFileName = staticmethod(new_path)
        QMessageBox.question = staticmethod(
            lambda *_, **__: rng.choice(
                [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No]
            )
        )
        QMessageBox.exec = lambda _: 0
        QDialog.exec = lambda _: rng.randrange(2)
        QInputDialog.getText = staticmethod(lambda *_, **__: ("a name", rng.random() < 0.5))
        QInputDialog.getDouble = staticmethod(lambda *_, **__: (5.0, rng.random() < 0.5))
        QDesktopServices.openUrl = staticmethod(lambda *_: True)

    def run(self, actions: int) -> None:
        """Act so many times."""
        ways: list[tuple[Callable[[], str], int]] = [
            (self._click, 40), (self._choose, 14), (self._slide, 10), (self._drop, 6), (self._link, 5),
            (self._delete_layer, 5), (self._show_layer, 4), (self._scrub, 6), (self._zoom, 6), (self._key, 4),
            (self._theme, 1), (self._close_dock, 1), (self._open_some, 3), (self._type, 3),
        ]  # fmt: skip
        acts, weights = zip(*ways, strict=True)
        for number in range(actions):
            act = self.rng.choices(acts, weights)[0]
            self.last = act.__name__
            self._timed(act)
            self._timed(self._settle)
            self.done[act.__name__] += 1
            if number % 100 == 99:
                print(f"{number + 1} actions, {len(self.viewer.layers)} layers", flush=True)
        self._stop_all()
        self.viewer.close()
        self.app.processEvents()

    def _timed(self, act: Callable[[], Any]) -> None:
        # this thread's own time: a machine that is busy with other things is not the docks' fault
        began = time.thread_time()
        try:
            said = act()
        except Exception:
            self._note(*sys.exc_info())
            said = None
        if said:
            self.last = f"{act.__name__}: {said}"
        spent = time.thread_time() - began
        if spent > self.frozen_s:
            self.frozen.append((self.last, spent))

    def _settle(self) -> str:
        end = time.monotonic() + self.rng.choice(PAUSES_S)
        self.app.processEvents()
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.005)
        busy = any(work.running for work in self._works())
        self._busy_for = self._busy_for + 1 if busy else 0
        if self._busy_for > PATIENCE:
            self._stop_all()
        return ""

    # ---- what there is

    def _open(self, name: str) -> Any:
        from napari_sem_sr.widgets.qt.dock_group import open_dock

        return open_dock(self.viewer, name)

    def _docks(self) -> list[Any]:
        return [w for w in self.viewer.window.dock_widgets.values() if getattr(w, "dock_name", "")]

    def _works(self) -> Iterator[Any]:
        from napari_sem_sr.widgets.qt.worker import Work

        for dock in self._docks():
            yield from dock.findChildren(Work)

    def _stop_all(self) -> None:
        for work in self._works():
            work.cancel()
        self._busy_for = 0

    def _some(self, *kinds: Any) -> Any:
        """A visible, enabled widget of the docks."""
        found = [
            widget
            for dock in self._docks()
            for kind in kinds
            for widget in dock.findChildren(kind)
            if widget.isVisible() and widget.isEnabled()
        ]
        return self.rng.choice(found) if found else None

    # ---- what it does

    def _click(self) -> str:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QAbstractButton, QTabBar, QToolButton

        button = self._some(QAbstractButton, QTabBar)
        if button is None:
            return "nothing"
        if isinstance(button, QTabBar):
            button.setCurrentIndex(self.rng.randrange(max(1, button.count())))
            return "tab"
        if isinstance(button, QToolButton) and button.menu() is not None:
            self.rng.choice(button.menu().actions()).trigger()
            return f"menu of {button.toolTip()}"
        text = button.text()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return str(text)

    def _choose(self) -> str:
        from qtpy.QtWidgets import QComboBox, QListWidget

        box = self._some(QComboBox, QListWidget)
        if box is None or not box.count():
            return "nothing"
        index = self.rng.randrange(box.count())
        if isinstance(box, QListWidget):
            box.setCurrentRow(index)
            return "list"
        box.setCurrentIndex(index)
        box.activated.emit(index)
        return str(box.currentText())

    def _slide(self) -> str:
        from qtpy.QtWidgets import QAbstractSpinBox, QSlider

        slider = self._some(QSlider, QAbstractSpinBox)
        if slider is None or not hasattr(slider, "setValue"):
            return "nothing"
        part = self.rng.random()
        low, high = slider.minimum(), min(slider.maximum(), slider.minimum() + 40)
        value = low + part * (high - low)
        slider.setValue(int(value) if isinstance(low, int) else value)
        return "slider"

    def _type(self) -> str:
        from qtpy.QtWidgets import QLineEdit

        edit = self._some(QLineEdit)
        if edit is None or edit.isReadOnly():
            return "nothing"
        edit.setText(self.rng.choice(["", "1-2", "3, x", "name", "0.5", "-1", "../up"]))
        edit.textEdited.emit(edit.text())
        edit.editingFinished.emit()
        return "text"

    def _link(self) -> str:
        from qtpy.QtWidgets import QLabel

        labels = [
            la for d in self._docks() for la in d.findChildren(QLabel) if "<a href" in la.text()
        ]
        labels = [label for label in labels if label.isVisible()]
        if not labels:
            return "nothing"
        label = self.rng.choice(labels)
        target = label.text().split("href='", 1)[1].split("'", 1)[0]
        label.linkActivated.emit(target)
        return str(target)

    def _drop(self) -> str:
        from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
        from qtpy.QtGui import QDropEvent

        places = [w for d in self._docks() for w in (d, *d.findChildren(object)) if _takes_drops(w)]
        places = [place for place in places if place.isVisible()]
        if not places:
            return "nothing"
        place = self.rng.choice(places)
        data = QMimeData()
        files = self.rng.sample(self.files, self.rng.choice([1, 1, 2]))
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
        place.dropEvent(
            QDropEvent(
                QPointF(3, 3),
                Qt.DropAction.CopyAction,
                data,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
        )
        return f"{[f.name for f in files]} on {type(place).__name__}"

    def _delete_layer(self) -> str:
        if not self.viewer.layers:
            return "nothing"
        layer = self.rng.choice(list(self.viewer.layers))
        name = layer.name
        self.viewer.layers.selection = {layer}
        if self.rng.random() < 0.1:
            self.viewer.layers.select_all()
        self.viewer.layers.remove_selected()
        return str(name)

    def _show_layer(self) -> str:
        if not self.viewer.layers:
            return "nothing"
        layer = self.rng.choice(list(self.viewer.layers))
        change = self.rng.randrange(4)
        if change == 0:
            layer.visible = not layer.visible
        elif change == 1:
            layer.name = f"{layer.name[:20]} {self.rng.randrange(9)}"
        elif change == 2:
            self.viewer.layers.move(self.viewer.layers.index(layer), 0)
        else:
            self.viewer.layers.selection = {layer}
        return str(change)

    def _scrub(self) -> str:
        dims = self.viewer.dims
        axis = self.rng.randrange(dims.ndim)
        dims.set_current_step(axis, self.rng.randrange(max(1, dims.nsteps[axis])))
        return ""

    def _zoom(self) -> str:
        camera = self.viewer.scene.camera
        camera.zoom = min(1e3, max(1e-4, camera.zoom * self.rng.choice([0.3, 0.7, 1.5, 3.0])))
        if self.rng.random() < 0.2:
            self.viewer.reset_view()
        return ""

    def _key(self) -> str:
        key = self.rng.choice(KEYS)
        bound = {str(k).lower(): action for k, action in self.viewer.keymap.items()}
        if key not in bound:
            return "not bound"
        called = bound[key](self.viewer)
        if isinstance(called, Iterator):
            list(called)
        return key

    def _theme(self) -> str:
        self.viewer.theme = self.rng.choice(["dark", "light"])
        return str(self.viewer.theme)

    def _close_dock(self) -> str:
        docks = self._docks()
        if not docks:
            return "nothing"
        dock = self.rng.choice(docks)
        name = dock.dock_name
        self.viewer.window.remove_dock_widget(dock)
        return str(name)

    def _open_some(self) -> str:
        name = self.rng.choice(DOCKS)
        self._open(name)
        return name

    # ---- the end

    def report(self) -> int:
        """Say what happened; 0 where nothing did."""
        print(", ".join(f"{name[1:]} {count}" for name, count in sorted(self.done.items())))
        for last, spent in self.frozen:
            print(f"stood still for {spent:.1f} s: {last}")
        for text in self.tracebacks:
            print(text)
        print(f"{len(self.tracebacks)} tracebacks, {len(self.frozen)} frozen seconds")
        return int(bool(self.tracebacks or self.frozen))


def _takes_drops(widget: Any) -> bool:
    return bool(
        getattr(widget, "acceptDrops", lambda: False)() and hasattr(type(widget), "dropEvent")
    )


def _write_files(folder: Path) -> Iterator[Path]:
    """Stacks, pictures, a folder of slices, and what cannot be read."""
    import numpy as np
    import tifffile
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)

    def picture(*shape: int) -> Any:
        smooth = gaussian_filter(rng.normal(size=shape), (*(0,) * (len(shape) - 2), 2, 2))
        return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)

    for name, shape in (
        ("small_lr", (4, 40, 44)),
        ("wide_lr", (3, 140, 160)),
        ("a_hr", (4, 160, 176)),
    ):
        tifffile.imwrite(folder / f"{name}.tif", picture(*shape))
        yield folder / f"{name}.tif"
    for name in ("teacher1.tif", "teacher2.tif"):
        tifffile.imwrite(folder / name, picture(128, 128))
        yield folder / name
    slices = folder / "slices"
    slices.mkdir()
    for z in range(3):
        tifffile.imwrite(slices / f"s{z}.tif", picture(32, 32))
    yield slices
    (folder / "damaged.tif").write_bytes(b"II*\0nonsense")
    yield folder / "damaged.tif"
    (folder / "notes.txt").write_text("no image")
    yield folder / "notes.txt"
    yield folder / "gone.tif"


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
