"""Panes over the same field beside each other, and the way back.

The user's layers are hidden while a comparison is shown, not changed: each pane shows a layer of its own over the
same pixels, so that names, order and linked contrast leave the originals alone. `Comparison.restore` puts
everything back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari.layers import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes import panes
from napari_sem_sr.widgets.inspect.panes.curtain import Curtain
from napari_sem_sr.widgets.inspect.panes.framing import PaneCamera, Viewpoint, rank
from napari_sem_sr.widgets.inspect.panes.marks import PaneMarks
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.inspect.panes.roles import ROLES, named_pane, seats_of
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.viewer.overlay import Mark
from napari_sem_sr.widgets.viewer.viewer_state import Before
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

Mode = Literal["side by side", "curtain", "blink", "overlay"]
View = Literal["xy", "xz", "yz", "3D"]
# the axis of the slider first, then those on screen
ORDERS: dict[View, tuple[int, int, int]] = {"xy": (0, 1, 2), "xz": (1, 0, 2), "yz": (2, 0, 1)}
GAP_PX = 4


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
    view: View = "xy"
    unit: str = ""  # of the world along x, for a person
    _linked: Collection[str] = ROLES
    camera: PaneCamera = field(init=False)
    _marks: PaneMarks = field(init=False)
    _before: Before | None = None
    _looked: Viewpoint | None = None
    """Where someone looked along z before turning to cuts or volumes."""

    def __post_init__(self) -> None:
        self.camera = PaneCamera(self.viewer)
        self._marks = PaneMarks(self.viewer)

    @property
    def active(self) -> bool:
        """Whether a comparison is shown."""
        return self._before is not None

    @property
    def marks(self) -> Mapping[str, Mark]:
        """What is drawn over every pane that is shown, by name."""
        return self._marks.named

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
            raise InputError(tr("Choose at least two of LR, SR and HR to compare."))
        seats, units = seats_of(roles)
        before = self._before or Before.of(self.viewer)
        look = self._looked if self.active and self.view != "xy" else self.camera.look()
        self._remove_panes()
        self._before = before
        self._look_along("xy")
        self.seats = seats
        self.unit = f"{units[-1]:~P}"
        self.camera.show(seats.values())
        for layer in self.viewer.layers:
            layer.visible = False
        for role in ROLES:
            if role in roles:
                name = named_pane(role, roles)
                self.panes[role] = panes.picture(
                    self.viewer, role, roles[role], seats[role], units, name
                )
        self.link(linked)
        self.arrange("side by side")
        self.camera.frame(look)

    def add(self, name: str, what: Computed) -> None:
        """Add a computed pane in its place among `COMPUTED`, or replace it; not beside volumes."""
        self.forget_deleted()
        if not self.panes or self.view == "3D":
            return
        before = self.camera.fit()
        self._take_out(name)
        self._clear_marks()
        source = self.panes.get("SR", next(iter(self.panes.values())))
        pane = panes.computed(self.viewer, name, what, source)
        pane.visible = self.mode == "side by side"
        # whichever is made first, the panes come in one order
        stack = self.viewer.layers
        above = [stack.index(p) for n, p in self.panes.items() if rank(n) < rank(name)]
        stack.move(stack.index(pane), min(above, default=len(stack)))
        self.panes = dict(
            sorted({**self.panes, name: pane}.items(), key=lambda pane: rank(pane[0]))
        )
        self.camera.share(len(self.panes), before)
        self._draw_marks()

    def forget_deleted(self) -> bool:
        """Let go of panes that someone deleted in napari's list; whether there were any."""
        stack = self.viewer.layers
        gone = [name for name, pane in self.panes.items() if pane not in stack]
        if not gone and not self._marks.lack_layers():
            return False
        self._clear_marks()
        if self.curtain is not None and set(gone) & set(self.pair):
            self._end_curtain()
        for name in gone:
            del self.panes[name]
            self.seats = {role: seat for role, seat in self.seats.items() if role != name}
        return True

    def remove_pane(self, name: str) -> None:
        """Remove one pane, if it is there."""
        if name in self.panes:
            before = self.camera.fit()
            self._take_out(name)
            self.camera.share(len(self.panes), before)
            self._draw_marks()

    def _take_out(self, name: str) -> None:
        pane = self.panes.pop(name, None)
        if pane is not None:
            self._clear_marks()
            if pane in self.viewer.layers:
                self.viewer.layers.remove(pane)

    def link(self, names: Collection[str]) -> None:
        """Let these panes share brightness and gamma, those of the first; the others keep their own."""
        self._linked = names
        shown = {role: self.panes[role] for role in ROLES if role in self.panes}
        panes.share_contrast(list(shown.values()), [shown[r] for r in shown if r in names])

    def restore(self) -> None:
        """Remove the panes and put the viewer back as it was."""
        before = self._before
        if before is None:
            return
        self._before = None
        self.view = "xy"
        self._marks.named.clear()
        self.seats = {}
        self._remove_panes()
        before.put_back(self.viewer)

    def _remove_panes(self) -> None:
        # napari 0.9 crashes in drawing a grid whose layers were removed
        self.viewer.canvas.grid.enabled = False
        self._end_curtain()
        self._clear_marks()
        # no longer ours once they go, so that nobody takes this for a deletion by hand
        going, self.panes = self.panes, {}
        for pane in going.values():
            if pane in self.viewer.layers:
                self.viewer.layers.remove(pane)

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
        self._clear_marks()
        self.mode = mode
        self.pair = pair or self.pair
        self.amount = self.amount if amount is None else amount
        self.forget_deleted()
        if not self.active or not self.panes:
            return
        grid = self.viewer.canvas.grid
        grid.stride = -1
        grid.spacing = GAP_PX
        before = self.camera.fit()
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
        self.camera.share(len(self.panes), before)
        if mode != "side by side":
            self._share_one_place()
        self._draw_marks()

    def set_view(self, view: View) -> None:
        """Cut the stacks along other axes, through the middle of what is on screen; side by side only."""
        if not self.active:
            return
        if self.view == "xy":
            self._looked = self.camera.look()
        dims = self.viewer.dims
        before = dict(zip(dims.displayed, self.viewer.scene.camera.center[-2:], strict=False))
        self._clear_marks()
        self._look_along(view)
        slider = dims.order[dims.ndim - 3]
        if slider in before:
            dims.set_point(slider, before[slider])
        self.camera.share(len(self.panes), self.camera.fit())
        if view == "xy":
            self.camera.frame(self._looked)
        else:
            self.viewer.reset_view()
        self._draw_marks()

    def _look_along(self, view: View) -> None:
        self.view = view
        self.camera.volumes = view == "3D"
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
                if role in self.panes:
                    panes.refill(self.panes[role], volume, solid=solid)
            return
        if self.view == "xy":
            self._looked = self.camera.look()
        self.forget_deleted()
        volumes = {role: volume for role, volume in volumes.items() if role in self.panes}
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
        self._marks.set(name, mark)
        if self.marks:
            self._draw_marks()
        else:
            self._clear_marks()

    def _draw_marks(self) -> None:
        if not self.marks or not self.active or self._marks.drawn or self.view != "xy":
            return
        self.forget_deleted()
        row = self.mode == "side by side"
        shown = list(self.panes) if row else [name for name in self.pair[:1] if name in self.panes]
        self._marks.draw([self.panes[name] for name in shown], row=row)

    def _clear_marks(self) -> None:
        self._marks.clear()
        if self.active and self.mode == "side by side":
            self.viewer.canvas.grid.stride = -1

    def _share_one_place(self) -> None:
        if any(name not in self.panes for name in self.pair) or self.pair[0] == self.pair[1]:
            raise InputError(tr("Choose two different panes that are shown."))
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

    def _end_curtain(self) -> None:
        if self.curtain is not None:
            self.curtain.take_down()
        self.curtain = None
