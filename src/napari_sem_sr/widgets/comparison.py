"""One row of panes over the same field, and the way back.

The user's layers are hidden while a comparison is shown, not changed: each pane shows a layer of its own over the
same pixels, so that names, order and linked contrast leave the originals alone. `Comparison.restore` puts
everything back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from napari.experimental import link_layers
from napari.layers import Image, Layer

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.curtain import Curtain
from napari_sem_sr.widgets.layers import Role
from napari_sem_sr.widgets.screen_line import ScreenLine

if TYPE_CHECKING:
    from napari.components import ViewerModel

Mode = Literal["side by side", "curtain", "blink", "overlay"]
Line = tuple[tuple[float, float], tuple[float, float]]
ROLES: tuple[Role, ...] = ("LR", "SR", "HR")
# blue where SR is darker, red where it is brighter, readable by colour-blind people
DIVERGING = "RdBu_r"
LINE_COLOUR = "#ffb000"
GAP_PX = 4
FONT_PT = 8


def belongs_to_comparison(layer: Layer) -> bool:
    """Whether a layer is a pane of a comparison."""
    return layers.mark_of(layer).get("group") == layers.COMPARISON


def guess_roles(viewer: "ViewerModel") -> dict[Role, Image]:
    """Roles by what layers say about themselves, then by their names, then by elimination; newest first."""
    images = [
        layer
        for layer in reversed(viewer.layers)
        if isinstance(layer, Image) and not layer.rgb and not belongs_to_comparison(layer)
    ]
    found: dict[Role, Image] = {}
    for role in ROLES:
        said = [i for i in images if layers.role_of(i) == role]
        named = [
            i for i in images if layers.role_of(i) is None and role.lower() in layers.words(i.name)
        ]
        for image in (*said, *named)[:1]:
            found[role] = image
    rest = [i for i in images if layers.role_of(i) is None and i not in found.values()]
    if "LR" not in found and rest:
        found["LR"] = min(rest, key=lambda i: int(np.prod(layers.full_shape(i)[-2:])))
    return found


@dataclass(frozen=True)
class _Before:
    """The viewer as it was."""

    hidden: tuple[Layer, ...]
    active: Layer | None
    grid: Mapping[str, Any]
    scale_bar: Mapping[str, Any]
    camera: Mapping[str, Any]
    step: tuple[int, ...]


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
    line: Line | None = None
    """The line of the profile."""
    _lines: list[ScreenLine] = field(default_factory=list)
    _before: _Before | None = None

    @property
    def active(self) -> bool:
        """Whether a comparison is shown."""
        return self._before is not None

    def show(self, roles: Mapping[Role, Image], *, link: bool = True) -> None:
        """Lay out LR, SR and HR, as far as they are there, in one row.

        Raises
        ------
        InputError
            If there are fewer than two, or one is no grey stack.
        """
        if len(roles) < 2:
            raise InputError("Choose at least two of LR, SR and HR to compare.")
        seats, units = seats_of(roles)
        before = self._before or self._remember()
        self._remove_panes()
        self._before = before
        self.seats = seats
        for layer in self.viewer.layers:
            layer.visible = False
        limits = tuple(next(iter(roles.values())).contrast_limits)
        for role in ROLES:
            if role in roles:
                self._add_picture(role, roles[role], seats[role], units, limits)
        if link:
            link_layers(list(self.panes.values()), ("contrast_limits", "gamma"))
        self.arrange("side by side")
        self.viewer.reset_view()

    def _add_picture(
        self,
        role: Role,
        source: Image,
        seat: SemStack,
        units: tuple[Any, ...],
        limits: tuple[float, ...],
    ) -> None:
        mark = {
            **layers.mark_of(source),
            "role": role,
            "added_by_dock": True,
            "group": layers.COMPARISON,
        }
        size = layers.describe_pixel(source)
        pane = self.viewer.add_image(
            layers.three_axes(source),
            multiscale=source.multiscale,
            name=f"{role} {size}".strip() + layers.PANE_SIGN,
            scale=seat.world.scale,
            translate=seat.world.translate,
            units=units,
            axis_labels=layers.AXES,
            contrast_limits=limits,
            colormap=source.colormap,
            interpolation2d="nearest",
            metadata={layers.KEY: mark},
            cache=False,
        )
        self._name_on_canvas(pane)
        self.panes[role] = pane

    def add_difference(self, difference: SemStack, title: str, limit: float) -> None:
        """Add the pane of a difference with symmetric limits and a colour bar."""
        if not self.active:
            return
        self.remove_pane("difference")
        self._clear_lines()
        first = next(iter(self.panes.values()))
        lowest = min(self.viewer.layers.index(pane) for pane in self.panes.values())
        sr = self.panes.get("SR", first)
        mark = {
            **layers.mark_of(sr),
            "role": "difference",
            "added_by_dock": True,
            "group": layers.COMPARISON,
        }
        pane = self.viewer.add_image(
            difference.data,
            name=title + layers.PANE_SIGN,
            scale=difference.world.scale,
            translate=difference.world.translate,
            units=first.units,
            axis_labels=layers.AXES,
            colormap=DIVERGING,
            contrast_limits=(-limit, limit),
            interpolation2d="nearest",
            metadata={layers.KEY: mark},
            cache=False,
        )
        pane.colorbar.visible = True
        pane.colorbar.position = "middle_left"
        pane.colorbar.font_size = FONT_PT
        pane.colorbar.size = (14, 120)
        self._name_on_canvas(pane)
        pane.visible = self.mode == "side by side"
        self.viewer.layers.move(self.viewer.layers.index(pane), lowest)
        self.panes["difference"] = pane
        self._draw_lines()

    def remove_pane(self, name: str) -> None:
        """Remove one pane, if it is there."""
        self._clear_lines()
        pane = self.panes.pop(name, None)
        if pane is not None and pane in self.viewer.layers:
            self.viewer.layers.remove(pane)

    def restore(self) -> None:
        """Remove the panes and put the viewer back as it was."""
        before = self._before
        if before is None:
            return
        self._before = None
        self.line = None
        self.seats = {}
        self._remove_panes()
        for layer in before.hidden:
            if layer in self.viewer.layers:
                layer.visible = True
        self.viewer.canvas.grid.update(dict(before.grid))
        self.viewer.canvas.overlays.scale_bar.update(dict(before.scale_bar))
        self.viewer.scene.camera.update(dict(before.camera))
        if len(before.step) == self.viewer.dims.ndim:
            self.viewer.dims.current_step = before.step
        if before.active is not None and before.active in self.viewer.layers:
            self.viewer.layers.selection.active = before.active

    def _remember(self) -> _Before:
        grid, bar = self.viewer.canvas.grid, self.viewer.canvas.overlays.scale_bar
        camera = self.viewer.scene.camera
        return _Before(
            hidden=tuple(layer for layer in self.viewer.layers if layer.visible),
            active=self.viewer.layers.selection.active,
            grid={k: getattr(grid, k) for k in ("enabled", "shape", "stride", "spacing")},
            scale_bar={k: getattr(bar, k) for k in ("visible", "gridded", "font_size")},
            camera={k: getattr(camera, k) for k in ("center", "zoom")},
            step=tuple(self.viewer.dims.current_step),
        )

    def _remove_panes(self) -> None:
        self._end_curtain()
        for name in list(self.panes):
            self.remove_pane(name)

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
        self._clear_lines()
        self.mode = mode
        self.pair = pair or self.pair
        self.amount = self.amount if amount is None else amount
        if not self.active:
            return
        grid = self.viewer.canvas.grid
        grid.stride = -1
        grid.shape = (1, -1)
        grid.spacing = GAP_PX
        before = self._pane_px()
        grid.enabled = mode == "side by side"
        bar = self.viewer.canvas.overlays.scale_bar
        bar.gridded = bar.visible = True
        bar.font_size = FONT_PT
        # the topmost layer has the first cell, so that the list reads as the row does
        for name, pane in reversed(self.panes.items()):
            self._raise(pane)
            pane.visible = mode == "side by side" or name in self.pair
            pane.opacity = 1.0
        # the same field in a larger or smaller pane
        self.viewer.scene.camera.zoom *= self._pane_px() / before
        if mode != "side by side":
            self._share_one_place()
        self._draw_lines()

    def set_line(self, line: Line | None) -> None:
        """Draw a line ((y, x), (y, x)) of the world over every pane that is shown, or none."""
        self.line = line
        if line is not None and self._lines:
            for drawn in self._lines:
                drawn.move(line)
        else:
            self._clear_lines()
            self._draw_lines()

    def _draw_lines(self) -> None:
        if self.line is None or not self.active:
            return
        row = self.mode == "side by side"
        for pane in self.panes.values() if row else [self.panes[self.pair[0]]]:
            drawn = ScreenLine(self.viewer, pane, self.line, name="line", colour=LINE_COLOUR)
            self._lines.append(drawn)
            if row:
                # a cell holds two layers: the pane and the line above it
                self.viewer.layers.move(
                    self.viewer.layers.index(drawn.layer), self.viewer.layers.index(pane) + 1
                )
        if row:
            self.viewer.canvas.grid.stride = -2

    def _clear_lines(self) -> None:
        for drawn in self._lines:
            drawn.remove()
        self._lines.clear()
        if self.active and self.mode == "side by side":
            self.viewer.canvas.grid.stride = -1

    def _pane_px(self) -> float:
        return float(min(self.viewer.canvas.viewbox_size(self.viewer.layers)))

    def _share_one_place(self) -> None:
        if any(name not in self.panes for name in self.pair) or self.pair[0] == self.pair[1]:
            raise InputError("Choose two different panes that are shown.")
        first, second = (self.panes[name] for name in self.pair)
        self._raise(second)
        if self.mode == "overlay":
            second.opacity = self.amount
        elif self.mode == "blink":
            second.visible = self.amount >= 0.5
            first.visible = not second.visible
        else:
            self.curtain = Curtain(self.viewer, second)
            self.curtain.hang(1 - self.amount)

    def _raise(self, pane: Image) -> None:
        self.viewer.layers.move(self.viewer.layers.index(pane), len(self.viewer.layers))

    def set_amount(self, amount: float) -> None:
        """Move the curtain or the blend; 0 shows the first pane alone, 1 the second."""
        self.amount = amount
        if self.curtain is not None:
            self.curtain.hang(1 - amount)
        elif self.active and self.mode != "side by side":
            self.arrange(self.mode)

    def flip(self) -> None:
        """Show the other pane of the pair."""
        self.set_amount(0.0 if self.amount >= 0.5 else 1.0)

    def _end_curtain(self) -> None:
        if self.curtain is not None:
            self.curtain.take_down()
        self.curtain = None

    def _name_on_canvas(self, pane: Image) -> None:
        pane.name_overlay.visible = True
        pane.name_overlay.font_size = FONT_PT


def seats_of(roles: Mapping[Role, Image]) -> tuple[dict[Role, SemStack], tuple[Any, ...]]:
    """Where each role's pixels lie in one common world, and its units.

    Layers that napari shows in the same units stay where they are on screen. Where units differ (a TIFF that
    napari's reader shows in pixels beside a result in nm), the files say where they lie.
    """
    shown = {role: layers.three_units(layer) for role, layer in roles.items()}
    if len(set(shown.values())) == 1:
        return {role: layers.on_screen(layer) for role, layer in roles.items()}, next(
            iter(shown.values())
        )
    stacks = {role: layers.stack_of(layer) for role, layer in roles.items()}
    units = {stack.world.units for stack in stacks.values()}
    if len(units) > 1:
        raise InputError(
            "The voxel size of one stack is unknown and that of another is not; set the scale and units of "
            "the layers so that they agree."
        )
    return stacks, next(iter(units))
