"""One patch on the canvas while a network learns: LR, twin, SRGAN and HR."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from napari.experimental import link_layers
from napari.layers import Image
from qtpy.QtCore import QTimer

from napari_sem_sr.events import PatchSeen
from napari_sem_sr.intensity import range_of
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.viewer_state import Before
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

TITLES = {"LR": "LR", "twin": "twin", "gan": "SRGAN", "HR": "HR"}
GROUP = "training"
GAP_PX = 4
# 12 px on a usual screen
FONT_PT = 9


class TrainView:
    """Shows each `PatchSeen` in place of the one before; hides the user's layers meanwhile.

    A layer takes napari a tenth of a second to add, and more to remove: between them the event loop is served.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = viewer
        self._doing: deque[Iterator[None]] = deque()
        self._timer = QTimer()
        self._timer.timeout.connect(self._go_on)
        self._before: Before | None = None
        self._name = ""
        self.panes: dict[str, Image] = {}

    def show(self, seen: PatchSeen) -> None:
        """Show soon what the network makes of the patch by now; not at all where the one before is still being shown.

        Parameters
        ----------
        seen
            What training says.
        """
        if not self._doing:
            self._start(self._iter_show(seen))

    def restore(self) -> None:
        """Remove the panes, one after the other, and put the viewer back as it was."""
        if self._before is not None or self._doing:
            self._start(self._iter_restore())

    def restore_at_once(self) -> None:
        """The same before anything else happens; what was still to be shown is not."""
        self._doing.clear()
        self.restore()
        while self._doing:
            self._go_on()

    def _start(self, work: Iterator[None]) -> None:
        self._doing.append(work)
        self._timer.start(0)

    def _go_on(self) -> None:
        if self._doing:
            work = self._doing[0]
            try:
                next(work)
            except StopIteration:
                # napari may have let a click through meanwhile that ended all of it
                if self._doing and self._doing[0] is work:
                    self._doing.popleft()
        if not self._doing:
            self._timer.stop()

    def _iter_show(self, seen: PatchSeen) -> Iterator[None]:
        if self._before is None:
            self._before = Before.of(self._viewer)
            for layer in self._viewer.layers:
                layer.visible = False
            yield
        if any(pane not in self._viewer.layers for pane in self.panes.values()):
            yield from self._iter_remove()
        if self._name != seen.name:
            self._name = seen.name
            for name, pane in self.panes.items():
                # of a network that has not seen this patch nothing is known: its input stands for it
                pane.data = seen.hr if name == "HR" else seen.lr if name == "LR" else seen.sr
                pane.name = _title(name, seen)
        missing = [name for name in ("HR", seen.stage, "LR") if name not in self.panes]
        for name in missing:
            self._add(name, seen)
            yield
            if any(pane not in self._viewer.layers for pane in self.panes.values()):
                # someone deleted one meanwhile; the next patch begins anew
                return
        self.panes[seen.stage].data = seen.sr
        if missing:
            yield from self._iter_arrange()

    def _iter_restore(self) -> Iterator[None]:
        before, self._before = self._before, None
        if before is not None:
            # napari 0.9 crashes in drawing a grid whose layers were removed
            self._viewer.canvas.grid.enabled = False
            for pane in self.panes.values():
                pane.visible = False
            yield
        yield from self._iter_remove()
        self._name = ""
        if before is not None:
            before.put_back(self._viewer)

    def _add(self, name: str, seen: PatchSeen) -> None:
        pixel = seen.pixel_nm or 1.0
        factor = seen.hr.shape[0] // seen.lr.shape[0]
        size = pixel * (factor if name == "LR" else 1)
        begin = pixel * (factor - 1) / 2 if name == "LR" else 0.0
        grey = range_of(seen.lr)
        pane: Any = self._viewer.add_image(
            {"LR": seen.lr, "HR": seen.hr}.get(name, seen.sr),
            name=_title(name, seen),
            scale=(size, size),
            translate=(begin, begin),
            units=("nanometer",) * 2 if seen.pixel_nm else ("pixel",) * 2,
            axis_labels=layers.AXES[1:],
            contrast_limits=(grey.low, grey.high),
            interpolation2d="nearest",
            metadata={layers.KEY: {"added_by_dock": True, "group": GROUP, "role": None}},
            cache=False,
        )
        pane.name_overlay.visible = True
        pane.name_overlay.font_size = FONT_PT
        found = {**self.panes, name: pane}
        self.panes = {n: found[n] for n in TITLES if n in found}
        # the topmost layer has the first cell, so that the list reads as the rows do, at any time
        stack, order = self._viewer.layers, list(TITLES)
        before = [
            stack.index(p) for n, p in self.panes.items() if order.index(n) < order.index(name)
        ]
        stack.move(stack.index(pane), min(before, default=len(stack)))

    def _iter_arrange(self) -> Iterator[None]:
        link_layers(list(self.panes.values()), ("contrast_limits", "gamma"))
        yield
        grid = self._viewer.canvas.grid
        # two rows: on a screen of any usual shape the patches are larger than in one row
        grid.stride, grid.shape, grid.spacing, grid.enabled = -1, (2, 2), GAP_PX, True
        yield
        bar = self._viewer.canvas.overlays.scale_bar
        bar.visible = True
        bar.gridded = True
        bar.font_size = FONT_PT
        self._viewer.reset_view()

    def _iter_remove(self) -> Iterator[None]:
        while self.panes:
            _, pane = self.panes.popitem()
            if pane in self._viewer.layers:
                self._viewer.layers.remove(pane)
                yield


def _title(name: str, seen: PatchSeen) -> str:
    what = tr("test patch") if seen.held_out else tr("patch it learns from")
    return f"{TITLES[name]} · {what}{layers.PANE_SIGN}"
