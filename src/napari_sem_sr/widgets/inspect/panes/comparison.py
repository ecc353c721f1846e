"""Panes over the same field beside each other, and the way back.

The user's layers are hidden while a comparison is shown, not changed: each pane shows a layer of its own over the
same pixels, so that names, order and linked contrast leave the originals alone. `Comparison.restore` puts
everything back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari.experimental import link_layers, unlink_layers
from napari.layers import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes import panes
from napari_sem_sr.widgets.inspect.panes.curtain import Curtain
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.inspect.panes.roles import ROLES, seats_of
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.viewer.overlay import Ink, Mark
from napari_sem_sr.widgets.viewer.viewer_state import Before

if TYPE_CHECKING:
    from napari.components import ViewerModel

Mode = Literal["side by side", "curtain", "blink", "overlay"]
View = Literal["xy", "xz", "yz", "3D"]
# the axis of the slider first, then those on screen
ORDERS: dict[View, tuple[int, int, int]] = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 0, 1)}
LINKED = ("contrast_limits", "gamma")
GAP_PX = 4
# so many panes are laid out without an empty cell
NO_GAP = 4
# panes have to gain so much by another row
MUCH_LARGER = 1.2


@dataclass
class Comparison:
    """The comparison shown in a viewer, if one is."""

    viewer: "ViewerModel"
    panes: dict[str, Image] = field(default_factory=dict)
    seats: dict[Role, SemStack] = field(default_factory=dict)
    mode: Mode = "side by side"
    pair: tuple[str, str] = ("LR", "SR")
    amount: float = 0.5
    """Where the curtain hangs, or how much of the second pane is blended in; 0 to 1."""
    curtain: Curtain | None = None
    marks: dict[str, Mark] = field(default_factory=dict)
    """What is drawn over every pane that is shown, by name."""
    view: View = "xy"
    _linked: Collection[str] = ROLES
    _ink: list[Ink] = field(default_factory=list)
    _before: Before | None = None

    @property
    def active(self) -> bool:
        """Whether a comparison is shown."""
        return self._before is not None

    def show(self, roles: Mapping[Role, Image], linked: Collection[str] = ROLES) -> None:
        """Lay out LR, SR, HR and twin, as far as they are there, beside each other.

        Parameters
        ----------
        linked
            Panes that share brightness and gamma.

        Raises
        ------
        InputError
            If there are fewer than two, or one is no grey stack.
        """
        if len(roles) < 2:
            raise InputError("Choose at least two of LR, SR and HR to compare.")
        seats, units = seats_of(roles)
        before = self._before or Before.of(self.viewer)
        self._remove_panes()
        self._before = before
        self._look_along("xy")
        self.seats = seats
        for layer in self.viewer.layers:
            layer.visible = False
        for role in ROLES:
            if role in roles:
                self.panes[role] = panes.picture(self.viewer, role, roles[role], seats[role], units)
        self.link(linked)
        self.arrange("side by side")
        self.viewer.reset_view()

    def add(self, name: str, what: Computed) -> None:
        """Add a pane after the others, or replace the one of that name; not beside volumes."""
        if not self.active or not self.panes or self.view == "3D":
            return
        before = self._fit()
        self._take_out(name)
        self._clear_ink()
        first = next(iter(self.panes.values()))
        lowest = min(self.viewer.layers.index(pane) for pane in self.panes.values())
        source = self.panes.get("SR", first)
        pane = panes.computed(self.viewer, name, what, source)
        pane.visible = self.mode == "side by side"
        self.viewer.layers.move(self.viewer.layers.index(pane), lowest)
        self.panes[name] = pane
        self._share_canvas(before)
        self._draw_ink()

    def _forget_deleted(self) -> None:
        """Let go of panes that someone deleted in napari's list, or that went with the viewer."""
        gone = [name for name, pane in self.panes.items() if pane not in self.viewer.layers]
        for name in gone:
            del self.panes[name]

    def remove_pane(self, name: str) -> None:
        """Remove one pane, if it is there."""
        if name in self.panes:
            before = self._fit()
            self._take_out(name)
            self._share_canvas(before)
            self._draw_ink()

    def _take_out(self, name: str) -> None:
        pane = self.panes.pop(name, None)
        if pane is not None:
            self._clear_ink()
            if pane in self.viewer.layers:
                self.viewer.layers.remove(pane)

    def link(self, names: Collection[str]) -> None:
        """Let these panes share brightness and gamma, those of the first; the others keep their own."""
        self._linked = names
        pictures = [self.panes[role] for role in ROLES if role in self.panes]
        unlink_layers(pictures, LINKED)
        together = [self.panes[role] for role in ROLES if role in self.panes and role in names]
        for pane in together[1:]:
            pane.contrast_limits = together[0].contrast_limits
            pane.gamma = together[0].gamma
        if len(together) > 1:
            link_layers(together, LINKED)

    def restore(self) -> None:
        """Remove the panes and put the viewer back as it was."""
        before = self._before
        if before is None:
            return
        self._before = None
        self.view = "xy"
        self.marks.clear()
        self.seats = {}
        self._remove_panes()
        before.put_back(self.viewer)

    def _remove_panes(self) -> None:
        # napari 0.9 crashes in drawing a grid whose layers were removed
        self.viewer.canvas.grid.enabled = False
        self._end_curtain()
        self._clear_ink()
        for pane in self.panes.values():
            if pane in self.viewer.layers:
                self.viewer.layers.remove(pane)
        self.panes.clear()

    def arrange(
        self, mode: Mode, pair: tuple[str, str] | None = None, amount: float | None = None
    ) -> None:
        """Show the panes in another way; all but side by side show two of them in one place.

        Parameters
        ----------
        pair
            The first and the second pane; by default as before.
        amount
            0 shows the first pane alone, 1 the second.
        """
        self._end_curtain()
        self._clear_ink()
        self.mode = mode
        self.pair = pair or self.pair
        self.amount = self.amount if amount is None else amount
        self._forget_deleted()
        if not self.active or not self.panes:
            return
        grid = self.viewer.canvas.grid
        grid.stride = -1
        grid.spacing = GAP_PX
        before = self._fit()
        grid.enabled = mode == "side by side"
        bar = self.viewer.canvas.overlays.scale_bar
        # in this order: napari 0.9 lays a bar out anew for the grid only once it is visible
        bar.visible = True
        bar.gridded = True
        bar.font_size = panes.FONT_PT
        # the topmost layer has the first cell, so that the list reads as the panes do
        for name, pane in reversed(self.panes.items()):
            self._raise(pane)
            pane.visible = mode == "side by side" or name in self.pair
            pane.opacity = 1.0
        self._share_canvas(before)
        if mode != "side by side":
            self._share_one_place()
        self._draw_ink()

    def set_view(self, view: View) -> None:
        """Cut the stacks along other axes, through the middle of what is on screen; side by side only."""
        if not self.active:
            return
        dims = self.viewer.dims
        before = dict(zip(dims.displayed, self.viewer.scene.camera.center[-2:], strict=False))
        self._clear_ink()
        self._look_along(view)
        slider = dims.order[dims.ndim - 3]
        if slider in before:
            dims.set_point(slider, before[slider])
        self._share_canvas(self._fit())
        self.viewer.reset_view()
        self._draw_ink()

    def _look_along(self, view: View) -> None:
        self.view = view
        dims = self.viewer.dims
        dims.ndisplay = 3 if view == "3D" else 2
        if dims.ndim >= 3:
            lead = dims.ndim - 3
            order = ORDERS.get(view, ORDERS["xy"])
            dims.order = (*range(lead), *(lead + axis for axis in order))

    def show_volumes(self, volumes: Mapping[Role, SemStack], *, solid: bool) -> None:
        """Show these in place of the panes, as volumes that turn together; see `panes.volume`."""
        if not self.active:
            return
        if self.view == "3D":
            for role, volume in volumes.items():
                panes.refill(self.panes[role], volume, solid=solid)
            return
        old = dict(self.panes)
        self._remove_panes()
        for role in reversed([role for role in ROLES if role in volumes]):
            self.panes = {
                role: panes.volume(self.viewer, old[role], volumes[role], solid=solid),
                **self.panes,
            }
        self.link(self._linked)
        self._look_along("3D")
        self.arrange("side by side")
        self.viewer.reset_view()

    def set_mark(self, name: str, mark: Mark | None) -> None:
        """Draw a mark over every pane that is shown, in place of the one of that name; None removes it."""
        if mark is None and name not in self.marks:
            return
        if mark is None:
            del self.marks[name]
        else:
            self.marks[name] = mark
        if self.marks and self._ink:
            for ink in self._ink:
                ink.draw(self.marks)
        else:
            self._clear_ink()
            self._draw_ink()

    def _draw_ink(self) -> None:
        if not self.marks or not self.active or self._ink or self.view != "xy":
            return
        self._forget_deleted()
        row = self.mode == "side by side"
        shown = list(self.panes) if row else [name for name in self.pair[:1] if name in self.panes]
        for pane in [self.panes[name] for name in shown]:
            ink = Ink(self.viewer, pane, self.marks)
            self._ink.append(ink)
            if row:
                # a cell holds two layers: the pane and the ink above it
                self.viewer.layers.move(
                    self.viewer.layers.index(ink.layer), self.viewer.layers.index(pane) + 1
                )
        if row:
            self.viewer.canvas.grid.stride = -2

    def _clear_ink(self) -> None:
        for ink in self._ink:
            ink.remove()
        self._ink.clear()
        if self.active and self.mode == "side by side":
            self.viewer.canvas.grid.stride = -1

    def pane_px(self) -> tuple[int, int]:
        """Height and width of one pane in screen pixels."""
        height, width = self.viewer.canvas.viewbox_size(self.viewer.layers)
        return int(height), int(width)

    def _field(self) -> tuple[float, float]:
        """Height and width of what the panes cover, in the world, as it is looked at."""
        if self.view == "3D" or not self.panes:
            return 1.0, 1.0
        first = next(iter(self.panes.values()))
        sizes = first.extent.step * (first.extent.data[1] - first.extent.data[0] + 1)
        lead = self.viewer.dims.ndim - first.ndim
        down, right = (axis - lead for axis in self.viewer.dims.displayed[-2:])
        return float(sizes[down]), float(sizes[right])

    def _fit(self) -> float:
        """Screen pixels per world unit at which one pane holds the whole field."""
        return min(px / size for px, size in zip(self.pane_px(), self._field(), strict=True))

    def _share_canvas(self, before: float) -> None:
        """Divide the canvas so that the panes are largest; ``before`` is `_fit` when the camera was right."""
        height, width = self.viewer.canvas.size
        self.viewer.canvas.grid.shape = grid_shape(len(self.panes), (height, width), self._field())
        # the same field in a larger or smaller pane
        self.viewer.scene.camera.zoom *= self._fit() / before

    def _share_one_place(self) -> None:
        if any(name not in self.panes for name in self.pair) or self.pair[0] == self.pair[1]:
            raise InputError("Choose two different panes that are shown.")
        self._raise(self.panes[self.pair[1]])
        if self.mode == "curtain":
            self.curtain = Curtain(self.viewer, self.panes[self.pair[1]])
        self.set_amount(self.amount)

    def _raise(self, pane: Image) -> None:
        self.viewer.layers.move(self.viewer.layers.index(pane), len(self.viewer.layers))

    def set_amount(self, amount: float) -> None:
        """Move the curtain or the blend; 0 shows the first pane alone, 1 the second."""
        self.amount = amount
        there = all(self.panes.get(name) in self.viewer.layers for name in self.pair)
        if not self.active or self.mode == "side by side" or not there:
            return
        first, second = (self.panes[name] for name in self.pair)
        if self.curtain is not None:
            self.curtain.hang(1 - amount)
        elif self.mode == "overlay":
            second.opacity = amount
        else:
            second.visible = amount >= 0.5
            first.visible = not second.visible

    def flip(self) -> None:
        """Show the other pane of the pair."""
        self.set_amount(0.0 if self.amount >= 0.5 else 1.0)

    def look_at(self, z: float, centre: tuple[float, float], extent: float) -> None:
        """Go to a place of the world: its slice, its centre (y, x), ``extent`` over the smaller side of a pane.

        Of a place as large as the field the whole field is shown, not what lies around it.
        """
        self.viewer.dims.set_point(self.viewer.dims.ndim - 3, z)
        camera = self.viewer.scene.camera
        camera.center = (*camera.center[:-2], *centre)
        zoom = min(self.pane_px()) / extent
        camera.zoom = zoom if self.view == "3D" else max(zoom, self._fit())

    def _end_curtain(self) -> None:
        if self.curtain is not None:
            self.curtain.take_down()
        self.curtain = None


def grid_shape(
    count: int, canvas: tuple[float, float], field: tuple[float, float]
) -> tuple[int, int]:
    """Rows and columns in which ``count`` panes show ``field`` largest on ``canvas``, both (height, width).

    Up to `NO_GAP` panes leave no cell empty.
    """

    def scale(rows: int) -> float:
        columns = -(-count // rows)
        return min(canvas[0] / rows / field[0], canvas[1] / columns / field[1])

    whole = [
        rows
        for rows in range(1, max(1, count) + 1)
        if (-(-count // rows) * rows == count or count > NO_GAP)
        and (rows - 1) * -(-count // rows) < count
    ]
    best = whole[0]
    for rows in whole[1:]:
        if scale(rows) > MUCH_LARGER * scale(best):
            best = rows
    return best, -(-count // best)
