"""One patch on the canvas while a network learns: LR | twin | SRGAN | HR."""

from typing import TYPE_CHECKING, Any

from napari.experimental import link_layers
from napari.layers import Image

from napari_sem_sr.events import PatchSeen
from napari_sem_sr.intensity import range_of
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.viewer_state import ViewerState

if TYPE_CHECKING:
    from napari.components import ViewerModel

TITLES = {"LR": "LR", "twin": "twin", "gan": "SRGAN", "HR": "HR"}
GROUP = "training"
GAP_PX = 4
FONT_PT = 8


class TrainView:
    """Shows each `PatchSeen` in place of the one before; hides the user's layers meanwhile."""

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = viewer
        self._before: ViewerState | None = None
        self._seen: dict[str, PatchSeen] = {}
        self.panes: dict[str, Image] = {}

    def show(self, seen: PatchSeen) -> None:
        """Show what the network makes of the patch by now."""
        other = any(s.name != seen.name for s in self._seen.values())
        self._seen = {seen.stage: seen} if other else {**self._seen, seen.stage: seen}
        wanted = ["LR", *(s for s in ("twin", "gan") if s in self._seen), "HR"]
        if self._before is None:
            self._before = ViewerState.of(self._viewer)
            for layer in self._viewer.layers:
                layer.visible = False
        whole = all(pane in self._viewer.layers for pane in self.panes.values())
        if other or not whole or list(self.panes) != wanted:
            self._lay_out(wanted, seen)
            return
        self.panes[seen.stage].data = seen.sr

    def restore(self) -> None:
        """Remove the panes and put the viewer back as it was."""
        before, self._before = self._before, None
        self._remove()
        self._seen = {}
        if before is not None:
            before.put_back(self._viewer)

    def _lay_out(self, wanted: list[str], seen: PatchSeen) -> None:
        self._remove()
        pixel = seen.pixel_nm or 1.0
        factor = seen.hr.shape[0] // seen.lr.shape[0]
        grey = range_of(seen.lr)
        # the topmost layer has the first cell, so that the list reads as the row does
        for name in reversed(wanted):
            size = pixel * (factor if name == "LR" else 1)
            begin = pixel * (factor - 1) / 2 if name == "LR" else 0.0
            pane: Any = self._viewer.add_image(
                _picture(name, self._seen.get(name, seen)),
                name=f"{TITLES[name]} · {'test patch' if seen.held_out else 'patch'}{layers.PANE_SIGN}",
                scale=(size, size),
                translate=(begin, begin),
                units=("nanometer",) * 2 if seen.pixel_nm else ("pixel",) * 2,
                axis_labels=layers.AXES[1:],
                contrast_limits=(grey.low, grey.high),
                interpolation2d="nearest",
                metadata={
                    layers.KEY: {"added_by_dock": True, "group": GROUP, "role": None},
                },
                cache=False,
            )
            pane.name_overlay.visible = True
            pane.name_overlay.font_size = FONT_PT
            self.panes[name] = pane
        self.panes = {name: self.panes[name] for name in wanted}
        link_layers(list(self.panes.values()), ("contrast_limits", "gamma"))
        grid = self._viewer.canvas.grid
        grid.stride, grid.shape, grid.spacing, grid.enabled = -1, (1, -1), GAP_PX, True
        bar = self._viewer.canvas.overlays.scale_bar
        bar.gridded = bar.visible = True
        bar.font_size = FONT_PT
        self._viewer.reset_view()

    def _remove(self) -> None:
        for pane in self.panes.values():
            if pane in self._viewer.layers:
                self._viewer.layers.remove(pane)
        self.panes = {}


def _picture(name: str, seen: PatchSeen) -> Any:
    return {"LR": seen.lr, "HR": seen.hr}.get(name, seen.sr)
