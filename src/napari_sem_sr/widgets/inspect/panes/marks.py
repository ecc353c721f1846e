"""Marks that are drawn over every pane of a comparison."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_sem_sr.widgets.viewer.overlay import Mark, Overlay

if TYPE_CHECKING:
    from napari.components import ViewerModel


class PaneMarks:
    """The same marks over each of several panes, one overlay a pane.

    Parameters
    ----------
    viewer
        The viewer that shows the panes.
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        self._viewer = viewer
        self.named: dict[str, Mark] = {}
        """What is drawn, by name."""
        self._overlays: list[Overlay] = []

    @property
    def drawn(self) -> bool:
        """Whether any pane has an overlay."""
        return bool(self._overlays)

    def set(self, name: str, mark: Mark | None) -> None:
        """Replace the mark of that name; overlays that are there follow, the last mark takes them along.

        Parameters
        ----------
        name
            What the mark is called; a name has one mark.
        mark
            What to draw, or None to remove the mark.
        """
        if mark is None:
            self.named.pop(name, None)
        else:
            self.named[name] = mark
        if not self.named:
            self.clear()
        for overlay in self._overlays:
            overlay.draw(self.named)

    def draw(self, panes: Sequence[Image], *, row: bool) -> None:
        """Give each of these panes an overlay with all marks, unless there are some already.

        Parameters
        ----------
        panes
            Layers to draw over; they have to be in the viewer.
        row
            Whether the panes stand side by side in napari's grid, in which a cell then holds a pane and its overlay.
        """
        if not self.named or self._overlays:
            return
        stack = self._viewer.layers
        for pane in panes:
            overlay = Overlay(self._viewer, pane, self.named)
            self._overlays.append(overlay)
            if row:
                stack.move(stack.index(overlay.layer), stack.index(pane) + 1)
        if row:
            self._viewer.canvas.grid.stride = -2

    def clear(self) -> None:
        """Remove the overlays; the marks stay known, to be drawn again."""
        going, self._overlays = self._overlays, []
        for overlay in going:
            overlay.remove()

    def lack_layers(self) -> bool:
        """Whether someone deleted an overlay by hand."""
        return any(overlay.layer not in self._viewer.layers for overlay in self._overlays)
