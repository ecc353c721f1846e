"""A real napari, and the small model as the only one installed."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from qtpy.QtCore import QThreadPool
from superqt.utils import WorkerBase

from napari_sem_sr.model import zoo
from napari_sem_sr.widgets import preferences

HAS_DISPLAY = not sys.platform.startswith("linux") or any(
    os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("gui")
            if not HAS_DISPLAY:
                item.add_marker(pytest.mark.skip(reason="needs a display; run under xvfb-run"))


@pytest.fixture
def models(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The zoo holds the small model and nothing else."""
    monkeypatch.setattr(zoo, "user_folder", lambda: bundle.parent)
    monkeypatch.setattr(zoo, "bundled_folder", lambda: bundle.parent / "none")
    (bundle.parent / "home").mkdir()
    return bundle


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What napari remembers for Inspect, as in a new installation; nobody's own settings are touched."""
    defaults = {
        "link_contrast": True,
        "cross_cursor": True,
        "lr_grid": False,
        "blink_seconds": 0.6,
        "mark_pictures": True,
    }
    settings = SimpleNamespace(**defaults)
    monkeypatch.setattr(preferences, "remembered", lambda: settings)
    return settings


@pytest.fixture
def viewer(make_napari_viewer: Callable[..., Any]) -> Iterator[Any]:
    viewer = make_napari_viewer(show=True)
    yield viewer
    WorkerBase.await_workers(20_000)
    assert QThreadPool.globalInstance().activeThreadCount() == 0


@pytest.fixture
def open_dock(viewer: Any) -> Callable[[str], Any]:
    """Open a dock as a person does: through the manifest, with napari's proxy of the viewer."""

    def open_(name: str) -> Any:
        return viewer.window.add_plugin_dock_widget("napari-sem-sr", name, tabify=True)

    return open_
