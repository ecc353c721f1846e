"""A real napari, and the small model as the only one installed."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QThreadPool
from superqt.utils import WorkerBase

from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.metadata import typed
from napari_sem_sr.model import zoo
from napari_sem_sr.widgets.inspect.dock import InspectDock
from napari_sem_sr.widgets.qt import preferences, question
from napari_sem_sr.widgets.viewer import session

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
    (bundle.parent / "home").mkdir(exist_ok=True)
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
        "figure_width_mm": 180,
        "figure_dpi": 300,
    }
    settings = SimpleNamespace(**defaults)
    monkeypatch.setattr(preferences, "remembered", lambda: settings)
    return settings


@pytest.fixture(autouse=True)
def nobodys_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sizes that were typed are kept for this test alone."""
    monkeypatch.setattr(typed, "kept_in", lambda: tmp_path / "home" / "typed_sizes.json")


def add_stacks(
    viewer: Any, images: Mapping[str, Any], lr_voxel: tuple[float, float, float] = (20, 40, 40)
) -> list[Any]:
    """One layer for each role, all over the same field, as large as LR's voxels say."""
    z, y, x = lr_voxel
    added = []
    for role, image in images.items():
        factor = image.shape[-1] // images["LR"].shape[-1]
        added.append(
            viewer.add_image(
                image,
                name=f"a {role}",
                scale=(z, y / factor, x / factor),
                translate=(0, (y / factor - y) / 2, (x / factor - x) / 2),
                units=("nm",) * 3,
                contrast_limits=(0, 255),
            )
        )
    return added


@pytest.fixture
def open_inspect(qtbot: Any) -> Iterator[Callable[[ViewerModel], Any]]:
    """Open the dock Inspect beside a viewer that needs no window."""
    opened = []

    def open_(viewer: ViewerModel) -> InspectDock:
        dock = InspectDock(viewer)
        qtbot.addWidget(dock)
        opened.append(dock)
        return dock

    yield open_
    for dock in opened:
        for page in dock.pages.values():
            page.let_go()
        dock.roles.disconnect_viewer()


@pytest.fixture(autouse=True)
def kept_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the last session is kept; nobody's own is touched."""
    path = tmp_path / "state" / "session.json"
    monkeypatch.setattr(session, "session_file", lambda: path)
    return path


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Questions that closing napari asks; all are answered with "Stop and close"."""
    questions: list[str] = []
    monkeypatch.setattr(question, "ask_to_stop", lambda _, text: questions.append(text) or True)
    return questions


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Lets the first slice of a result through; the others are written once it is set."""
    opened = threading.Event()
    write = ZarrStackWriter.write_rows

    def write_when_open(self: ZarrStackWriter, index: int, bands: Iterable[Any]) -> None:
        if index > 0:
            opened.wait(120)
        write(self, index, bands)

    monkeypatch.setattr(ZarrStackWriter, "write_rows", write_when_open)
    # one after the other, as slices of a usual size are
    monkeypatch.setattr(Engine, "together", lambda *_: 1)
    yield opened
    opened.set()


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
