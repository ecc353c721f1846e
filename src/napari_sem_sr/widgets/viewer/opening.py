"""Files that a person gives a dock, opened as layers: read in a thread, asked about where they are ambiguous."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_sem_sr.errors import ElsewhereError, SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io import Together, iter_read_stack, iter_sort_together, iter_unrelated
from napari_sem_sr.io.metadata.typed import with_kept
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.question import ask
from napari_sem_sr.widgets.qt.words import in_dock
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layer_stack, layers
from napari_sem_sr.widgets.words import spoken, tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

Source = tuple[Path, ...]
"""Files of one stack, or one file or folder."""
ROLES: tuple[layers.Role, ...] = ("HR", "LR", "SR", "SR 2", "twin")


@dataclass(frozen=True, eq=False)
class Opened:
    """A stack that was read, the layer that shows it, and why it may be no stack."""

    source: Source
    stack: SemStack
    layer: Image
    doubt: str | None


@dataclass(frozen=True, eq=False)
class Read:
    """What could be read, and a sentence for each source that could not."""

    opened: tuple[Opened, ...]
    refused: tuple[str, ...]
    # what keeps pixels in another place, and the sentence that says where
    elsewhere: tuple[tuple[Source, str], ...] = ()


def guess_role(stack: SemStack) -> layers.Role:
    """Role of a stack that was just opened: SR by its provenance, HR by its name, else LR."""
    if (stack.provenance or {}).get("synthetic"):
        return "SR"
    return "HR" if "hr" in layers.words(stack.name) else "LR"


def iter_read(
    sources: Sequence[Source], role: layers.Role | None, trusted: Collection[Source] = ()
) -> Generator[Event, None, Read]:
    """Read stacks and prepare their layers.

    Parameters
    ----------
    role
        Role of them all; guessed by default.
    trusted
        Of these a person trusts that pixels are kept outside of their own folder.
    """
    opened: list[Opened] = []
    refused: list[str] = []
    outside: list[tuple[Source, str]] = []
    for done, source in enumerate(sources):
        yield Progress(tr("reading {name}", name=source[0].name), done, len(sources), "stacks")
        try:
            one = source if len(source) > 1 else source[0]
            stack = with_kept((yield from iter_read_stack(one, elsewhere=source in trusted)))
            # files that a person joined are not doubted
            why = (yield from iter_unrelated(stack)) if len(source) == 1 else None
            layer = layers.built(layers.image_data(stack, stack.name, role or guess_role(stack)))
        except ElsewhereError as error:
            outside.append((source, str(error)))
        except SemSrError as error:
            refused.append(str(error))
        else:
            opened.append(Opened(source, stack, layer, why))
    return Read(tuple(opened), tuple(refused), tuple(outside))


class Opener(QObject):
    """Opens what a person gives; one thing at a time, what comes meanwhile waits.

    Parameters
    ----------
    viewer
        Where layers are added.
    parent
        Over which questions are asked; its end is the end of the work.
    """

    opened = Signal(list)
    """Layers that were added, in the order of `ROLES`."""
    progressed = Signal(str)
    """What is going on, as a line; empty at the end."""
    refused = Signal(str)
    """A sentence about what cannot be opened."""

    def __init__(self, viewer: "ViewerModel", parent: QWidget) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._parent = parent
        self._role: layers.Role | None = None
        self._waiting: list[tuple[Sequence[Source], bool, layers.Role | None]] = []
        self._active = False
        self._sorting, self._reading = Work(self), Work(self)
        self._sorting.finished.connect(self._sorted)
        self._reading.finished.connect(self._read)
        for work in (self._sorting, self._reading):
            work.reported.connect(self._report)
            work.failed.connect(self.refused)
            work.ended.connect(self._ended)

    @property
    def running(self) -> bool:
        """Whether something is being opened or asked about."""
        return self._active

    def open(self, paths: Sequence[Path], role: layers.Role | None = None) -> None:
        """Open files and folders, in a role or in the one that they seem to have."""
        if paths:
            self._waiting.append(([(path,) for path in paths], True, role))
            self._next()

    def open_stack(self, files: Sequence[Path]) -> None:
        """Open these files as the slices of one stack."""
        self._waiting.append(([tuple(files)], False, None))
        self._next()

    def cancel(self) -> None:
        """Open nothing of it."""
        self._waiting.clear()
        self._sorting.cancel()
        self._reading.cancel()

    def close(self) -> None:
        """Stop, and hear no more of it."""
        self._waiting.clear()
        self._sorting.close()
        self._reading.close()

    def _next(self) -> None:
        if self._active or not self._waiting:
            return
        self._active = True
        sources, sort, self._role = self._waiting.pop(0)
        if sort:
            paths = [path for source in sources for path in source]
            self._sorting.start("looking at files", lambda: iter_sort_together(paths))
        else:
            self._start_reading(sources)

    def _ended(self) -> None:
        # an answer may have set the other work going
        if not (self._sorting.running or self._reading.running):
            self._active = False
            self.progressed.emit("")
            self._next()

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            count = (
                tr(
                    " {value} of {total} {unit}",
                    value=event.done + 1,
                    total=event.total,
                    unit=event.unit,
                )
                if event.total > 1
                else ""
            )
            self.progressed.emit(f"{spoken(event.what)}{count}")

    def _sorted(self, found: Together) -> None:
        sources: list[Source] = [(path,) for path in found.others]
        for group in found.slices:
            answer = ask(
                self._parent,
                tr("Open slices"),
                tr("{count} files of one size: one stack?", count=len(group)),
                [tr("One stack"), tr("{count} images", count=len(group))],
            )
            if answer == 0:
                sources.append(group)
            elif answer == 1:
                sources += [(path,) for path in group]
        if sources:
            self._start_reading(sources)

    def _start_reading(self, sources: Sequence[Source], trusted: Collection[Source] = ()) -> None:
        role = self._role
        self._reading.start("reading", lambda: iter_read(sources, role, trusted))

    def _read(self, found: Read) -> None:
        for sentence in found.refused:
            self.refused.emit(sentence)
        kept: list[Opened] = []
        apart: list[Source] = []
        for one in found.opened:
            answer = self._ask_about(one) if one.doubt else 0
            if answer == 0:
                kept.append(one)
            elif answer == 1:
                apart += [(path,) for path in one.stack.paths]
        self._add(kept)
        trusted = [source for source, said in found.elsewhere if self._is_trusted(said)]
        # one reading at a time
        if apart or trusted:
            self._start_reading([*apart, *trusted], trusted)

    def _is_trusted(self, said: str) -> bool:
        return (
            ask(
                self._parent,
                tr("Pixels in another place"),
                tr(
                    "{sentence} Do you trust it, and are these pixels to be read?",
                    sentence=in_dock(said),
                ),
                [tr("Read them")],
            )
            == 0
        )

    def _ask_about(self, one: Opened) -> int | None:
        count = one.stack.shape[0]
        return ask(
            self._parent,
            tr("One stack?"),
            tr(
                "The {count} images of '{name}' do not look like slices of one specimen: {doubt}. Slices of a stack are upscaled and checked as neighbours.",
                count=count,
                name=one.stack.name,
                doubt=one.doubt,
            ),
            [tr("Open as one stack"), tr("Open {count} images", count=count)],
        )

    def _add(self, opened: Sequence[Opened]) -> None:
        # what was measured finely lies under what was measured coarsely, and SR on top
        added = [one.layer for one in sorted(opened, key=lambda one: _place(one.layer))]
        for one in opened:
            layer_stack.remember(one.layer, one.stack)
        for layer in added:
            self._viewer.add_layer(layer)
            if layers.describe_pixel(layer):
                self._viewer.canvas.overlays.scale_bar.visible = True
        if added:
            self.opened.emit(added)


def _place(layer: Image) -> int:
    role = layers.role_of(layer)
    return len(ROLES) if role is None else ROLES.index(role)
