"""What was open when napari was closed: layers, their roles and the report, to be brought back on request."""

import json
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.atomic_write import atomic_write
from napari_sem_sr.io.metadata.typed import with_kept
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True)
class OpenLayer:
    """A layer that shows a file.

    Parameters
    ----------
    path
        Of its file.
    name
        As napari lists it.
    role
        None where it has none.
    visible
        Whether it is shown.
    ours
        Whether a dock added it.
    """

    path: str
    name: str
    role: str | None
    visible: bool
    ours: bool


@dataclass(frozen=True)
class LastSession:
    """What was open.

    Parameters
    ----------
    layers
        From the lowest to the topmost; those of pixels in memory are not among them.
    roles
        Name of the layer in each role of Inspect.
    report
        Folder of the answer check that was shown.
    chosen
        Name of the stack that was chosen in Upscale.
    """

    layers: tuple[OpenLayer, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    report: str | None = None
    chosen: str | None = None

    @property
    def title(self) -> str:
        """For a person: the chosen or lowest stack, and how many layers."""
        first = self.chosen or self.layers[0].name
        count = len(self.layers)
        return tr("{first}, {count} layers", first=first, count=count) if count > 1 else first


def session_file() -> Path:
    """Where the last session is kept."""
    return Path(platformdirs.user_state_dir("napari-sem-sr", appauthor=False)) / "session.json"


def remember(viewer: "ViewerModel", **parts: Any) -> None:
    """Keep what is open, and ``parts`` of `LastSession` that a dock knows; other parts stay as they were kept.

    Nothing is kept of a viewer without files. A disk that refuses costs only this.

    Parameters
    ----------
    viewer
        napari's viewer.
    """
    shown = tuple(_open_layers(viewer))
    if not shown:
        return
    names = {layer.name for layer in shown}
    session = replace(last_session() or LastSession(), layers=shown, **parts)
    kept = replace(
        session,
        roles={role: name for role, name in session.roles.items() if name in names},
        chosen=session.chosen if session.chosen in names else None,
    )
    path = session_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as unfinished:
            unfinished.write_text(json.dumps(asdict(kept), indent=1))
    except (OSError, SemSrError):
        return


def last_session() -> LastSession | None:
    """What was open last, as far as its files are still there; None where nothing is."""
    try:
        known = json.loads(session_file().read_text())
        shown = tuple(OpenLayer(**layer) for layer in known.pop("layers"))
        session = LastSession(layers=shown, **known)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    there = tuple(layer for layer in session.layers if Path(layer.path).exists())
    return replace(session, layers=there) if there else None


def _open_layers(viewer: "ViewerModel") -> Generator[OpenLayer, None, None]:
    for layer in viewer.layers:
        path = layers.path_of(layer)
        if path is None or layers.belongs_to_comparison(layer) or layers.is_live(layer):
            continue
        yield OpenLayer(
            str(path), layer.name, layers.role_of(layer), layer.visible, layers.is_ours(layer)
        )


def iter_read(session: LastSession) -> Generator[Event, None, list[tuple[OpenLayer, SemStack]]]:
    """Read the stacks of a session; what cannot be read any more is said and passed over.

    Parameters
    ----------
    session
        What was open.
    """
    found = []
    for done, shown in enumerate(session.layers):
        yield Progress(tr("reading {name}", name=shown.name), done, len(session.layers), "layers")
        try:
            found.append((shown, with_kept(read_stack(Path(shown.path)))))
        except SemSrError as error:
            yield Notice(str(error))
    return found


def bring_back(viewer: "ViewerModel", found: list[tuple[OpenLayer, SemStack]]) -> None:
    """Add the layers of a session.

    Parameters
    ----------
    viewer
        napari's viewer.
    found
        What could be read.
    """
    for shown, stack in found:
        role: Any = shown.role
        added = layers.add(
            viewer, layers.image_data(stack, shown.name, role, added_by_dock=shown.ours)
        )
        added.visible = shown.visible
