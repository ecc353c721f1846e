"""Images that napari's own reader opened, dropped on the canvas for instance, while a dock of ours is open.

Claiming every TIFF would make napari ask every user which reader to take. So napari opens them, and what its reader
does not do is done after it: several slices become one stack where a person says so, and voxel sizes are read.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from napari.layers import Image, Layer
from natsort import natsorted, ns
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io.read.together import FEWEST_SLICES
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.metadata import commands as metadata
from napari_sem_sr.widgets.qt.question import ask
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

# napari's name for its own reader
READER = "napari"
# one dock looks after each layer, however many are open
_SEEN: "WeakSet[Any]" = WeakSet()


@dataclass(frozen=True, eq=False)
class ArrivedMetadata:
    """What the file of a layer says, and contrast limits of the whole stack.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    stack
        As it was read.
    limits
        Of contrast, in grey values.
    """

    layer: Image
    stack: SemStack
    limits: tuple[float, float]


def iter_known(arrived: Sequence[Image]) -> Generator[Event, None, list[ArrivedMetadata]]:
    """Read what the files of layers say; those that say no size are left out, as are files that are not for us.

    Parameters
    ----------
    arrived
        Layers that napari's reader added.
    """
    found: list[ArrivedMetadata] = []
    for done, layer in enumerate(arrived):
        yield Progress("reading", done, len(arrived), "files")
        try:
            stack = metadata.stack_of_file(layer)
            if any(v is not None for v in stack.voxel_nm):
                found.append(ArrivedMetadata(layer, stack, layers.limits_of(stack)))
        except SemSrError:
            # napari could read it, and nobody has asked us
            continue
    return found


class Arrivals(QObject):
    """Looks after images that napari's reader adds to a viewer.

    Parameters
    ----------
    viewer
        napari's viewer.
    parent
        Over which questions are asked; its end is the end of the work.
    """

    one_stack = Signal(list)
    """Files that a person wants as one stack; their layers are gone."""
    said = Signal(str)
    """What was read about a layer."""

    def __init__(self, viewer: "ViewerModel", parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._parent = parent
        self._arrived: list[Image] = []
        self._waiting: list[Image] = []
        self._closed = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        self._work = Work(self)
        self._work.finished.connect(self._put_on)
        self._work.ended.connect(self._read_more)
        viewer.layers.events.inserted.connect(self._came)
        # what was there before the dock
        self._waiting = [layer for layer in viewer.layers if _is_naparis(layer)]
        self._read_more()

    @property
    def running(self) -> bool:
        """Whether something that arrived is still to be looked at."""
        return bool(self._arrived or self._waiting) or self._work.running

    def close(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._came)
        self._soon.stop()
        self._closed = True
        self._work.close()

    def _came(self, event: Any) -> None:
        layer = event.value
        if _is_naparis(layer):
            self._arrived.append(layer)
            if len(self._arrived) == 1:
                self._look_afterwards()

    def _look_afterwards(self) -> None:
        """Look as soon as napari is done with a drop.

        While it opens many files it lets events through, so that a timer would fire between two of them. What is to
        be deleted is deleted only after the event in which that was asked for.
        """
        marker = QObject(self)
        # a question has to wait until the marker is gone, too
        marker.destroyed.connect(self._soon.start)
        marker.deleteLater()

    def _look(self) -> None:
        if self._closed:
            return
        mine = [la for la in self._arrived if la not in _SEEN and la in self._viewer.layers]
        self._arrived.clear()
        _SEEN.update(mine)
        groups: dict[object, list[Image]] = {}
        for layer in mine:
            shape = layers.full_shape(layer)
            key = (Path(layer.source.path).parent, shape, str(layer.dtype), layer.rgb)
            groups.setdefault(key if len(shape) == 2 + layer.rgb else layer, []).append(layer)
        for group in groups.values():
            if len(group) < FEWEST_SLICES or not self._ask_about(group):
                self._waiting += group
        self._read_more()

    def _ask_about(self, group: list[Image]) -> bool:
        answers = [tr("One stack"), tr("{count} images", count=len(group))]
        text = tr("{count} files of one size: one stack?", count=len(group))
        if ask(self._parent, "Open slices", text, answers) != 0:
            return False
        files = [Path(layer.source.path) for layer in group]
        for layer in group:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.one_stack.emit(natsorted(files, key=lambda p: p.name, alg=ns.IGNORECASE))
        return True

    def _read_more(self) -> None:
        if self._waiting and not self._work.running:
            batch, self._waiting = self._waiting, []
            self._work.start("reading metadata", lambda: iter_known(batch))

    def _put_on(self, found: list[ArrivedMetadata]) -> None:
        for known in found:
            untouched = tuple(known.layer.scale) == (1.0,) * known.layer.ndim
            if known.layer in self._viewer.layers and untouched:
                metadata.put_on(known.layer, known.stack, known.limits)
                self._viewer.canvas.overlays.scale_bar.visible = True
                self.said.emit(metadata.summary(known.stack))


def _is_naparis(layer: Layer) -> bool:
    """Whether napari's own reader made a layer of a file."""
    there = isinstance(layer, Image) and not layers.mark_of(layer)
    return there and layer.source.path is not None and layer.source.reader_plugin == READER
