"""Docks that are opened and closed many times leave nothing in napari, in Qt or in memory."""

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QThreadPool, QTimer
from qtpy.QtWidgets import QApplication

ROUNDS = 50
COMPARED = (0, 25)


@pytest.fixture
def stacks(viewer: Any) -> list[Any]:
    rng = np.random.default_rng(0)
    common = {"units": ("nm",) * 3, "contrast_limits": (0, 255)}
    return [
        viewer.add_image(
            rng.integers(0, 255, (2, 16, 16), np.uint8), name="a LR", scale=(20, 40, 40), **common
        ),
        viewer.add_image(
            rng.integers(0, 255, (2, 64, 64), np.uint8),
            name="a SR",
            scale=(20, 10, 10),
            translate=(0, -15, -15),
            **common,
        ),
    ]


def ours(emitter: Any) -> int:
    """Callbacks of this package; napari leaves some of its own behind with every layer that is removed."""
    owners = [
        callback[0]() if isinstance(callback, tuple) else callback for callback in emitter.callbacks
    ]
    modules = [
        getattr(o, "__module__", None) or type(o).__module__ for o in owners if o is not None
    ]
    return sum(module.startswith("napari_sem_sr") for module in modules)


def held(viewer: Any) -> dict[str, int]:
    """How much of a dock napari, Qt and Python hold on to."""
    groups = {
        "layers": viewer.layers.events,
        "dims": viewer.dims.events,
        "camera": viewer.scene.camera.events,
        "first layer": viewer.layers[0].events,
    }
    counts = {
        f"callbacks of {name}": sum(map(ours, group.emitters.values()))
        for name, group in groups.items()
    }
    windows = QApplication.instance().topLevelWidgets()
    return {
        **counts,
        "mouse callbacks": len(viewer.mouse_move_callbacks) + len(viewer.mouse_drag_callbacks),
        "keys": len(viewer.keymap),
        "layers": len(viewer.layers),
        "timers": sum(t.isActive() for w in windows for t in w.findChildren(QTimer)),
        "workers": QThreadPool.globalInstance().activeThreadCount(),
        "threads": threading.active_count(),
        "windows": len(windows),
    }


@pytest.mark.parametrize("name", ["Inspect", "Upscale"])
def test_fifty_docks_leave_nothing_behind(
    viewer: Any,
    stacks: list[Any],
    open_dock: Callable[[str], Any],
    models: Path,
    qtbot: Any,
    name: str,
) -> None:
    docks: list[weakref.ref[Any]] = []

    def one(count: int) -> None:
        _, dock = open_dock(name)
        if name == "Inspect" and count in COMPARED:
            tab = dock.pages["Compare"]
            tab.compare()
            tab.profile.set_line((0.0, 0.0), (100.0, 100.0))
            tab.on_screen.marks.point_at((0.0, 50.0, 50.0))
            qtbot.waitUntil(lambda: not tab.difference.work.running, timeout=30_000)
        docks.append(weakref.ref(dock))
        viewer.window.remove_dock_widget(dock)

    # what napari and pyqtgraph make once for all
    one(0)
    qtbot.wait(100)
    before = held(viewer)
    for count in range(1, ROUNDS):
        one(count)
    qtbot.wait(200)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    after = held(viewer)
    assert {k: (before[k], after[k]) for k in after if after[k] > before[k]} == {}
    assert list(viewer.layers) == stacks

    def all_gone() -> bool:
        gc.collect()
        return not any(dock() is not None for dock in docks)

    qtbot.waitUntil(all_gone, timeout=5000)
