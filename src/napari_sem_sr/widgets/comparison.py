"""One row of panes over the same field, and the way back.

The user's layers are hidden while a comparison is shown, not changed: each pane shows a layer of its own over the
same pixels, so that names, order and linked contrast leave the originals alone. `Comparison.restore` puts
everything back.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import dask.array as da
import numpy as np
import zarr
from napari.experimental import link_layers
from napari.layers import Image, Layer

from napari_sem_sr.checking.alignment import align
from napari_sem_sr.checking.difference import Band, difference_stack
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of
from napari_sem_sr.io.write_zarr import KEY, done_slices
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.layers import Role

if TYPE_CHECKING:
    from napari.components import ViewerModel

ROLES: tuple[Role, ...] = ("LR", "SR", "HR")
GROUP = "compare"
# on every pane's name, so that the panes stand out among the user's layers
SUFFIX = " ▥"
Against = Literal["HR", "bicubic"]
# blue where SR is darker, red where it is brighter, readable by colour-blind people
DIVERGING = "RdBu_r"
SAMPLED_SLICES = 5
GAP_PX = 4
FONT_PT = 8


@dataclass(frozen=True)
class Difference:
    """What is subtracted from SR: HR or the bicubic picture of LR, in all or some spatial frequencies."""

    against: Against
    band: Band = "all"

    @property
    def title(self) -> str:
        """Name of the pane."""
        what = f"SR−{self.against}" if self.band == "all" else f"{self.band} band"
        return f"{what}, grey levels"


def belongs_to_comparison(layer: Layer) -> bool:
    """Whether a layer is a pane of a comparison."""
    return layers.mark_of(layer).get("group") == GROUP


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
        self._lay_out()
        self.viewer.reset_view()

    def _add_picture(
        self,
        role: Role,
        source: Image,
        seat: SemStack,
        units: tuple[Any, ...],
        limits: tuple[float, ...],
    ) -> None:
        mark = {**layers.mark_of(source), "role": role, "added_by_dock": True, "group": GROUP}
        size = layers.describe_pixel(source)
        pane = self.viewer.add_image(
            layers.three_axes(source),
            multiscale=source.multiscale,
            name=f"{role} {size}".strip() + SUFFIX,
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
        first = next(iter(self.panes.values()))
        sr = self.panes.get("SR", first)
        mark = {**layers.mark_of(sr), "role": "difference", "added_by_dock": True, "group": GROUP}
        pane = self.viewer.add_image(
            difference.data,
            name=title + SUFFIX,
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
        pane.colorbar.position = "bottom_left"
        pane.colorbar.font_size = FONT_PT
        pane.colorbar.size = (14, 120)
        self._name_on_canvas(pane)
        self.panes["difference"] = pane

    def remove_pane(self, name: str) -> None:
        """Remove one pane, if it is there."""
        pane = self.panes.pop(name, None)
        if pane is not None and pane in self.viewer.layers:
            self.viewer.layers.remove(pane)

    def restore(self) -> None:
        """Remove the panes and put the viewer back as it was."""
        before = self._before
        if before is None:
            return
        self._remove_panes()
        self._before = None
        self.seats = {}
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
        for name in list(self.panes):
            self.remove_pane(name)

    def _lay_out(self) -> None:
        grid = self.viewer.canvas.grid
        grid.stride = 1
        grid.shape = (1, -1)
        grid.spacing = GAP_PX
        grid.enabled = True
        bar = self.viewer.canvas.overlays.scale_bar
        bar.gridded = bar.visible = True
        bar.font_size = FONT_PT

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


def iter_difference(
    seats: Mapping[Role, SemStack], wanted: Difference, done: frozenset[int] | None
) -> Generator[Event, None, tuple[SemStack, float]]:
    """Make a lazy difference and a symmetric limit for its colours, the same for all slices.

    Parameters
    ----------
    done
        SR slices that are there; None for all.
    """
    yield Progress("aligning", 0, SAMPLED_SLICES, "slices")
    stack = difference_of(seats, wanted)
    picks = np.unique(np.linspace(0, stack.shape[0] - 1, SAMPLED_SLICES).round().astype(int))
    if done is not None:
        picks = np.array(
            sorted(done & set(range(stack.shape[0])))[:: max(1, len(done) // SAMPLED_SLICES)], int
        )
    worst = 0.0
    for count, z in enumerate(picks):
        yield Progress("measuring the difference", count, len(picks), "slices")
        grey = range_of(stack.slice(int(z)))
        worst = max(worst, abs(grey.low), abs(grey.high))
    return stack, worst or 1.0


def difference_of(seats: Mapping[Role, SemStack], wanted: Difference) -> SemStack:
    """Lazy signed difference where SR lies.

    Raises
    ------
    InputError
        If what is needed for it is missing or does not cover the same field.
    """
    sr, lr, hr = seats.get("SR"), seats.get("LR"), seats.get("HR")
    if sr is None:
        raise InputError("A difference needs SR; choose it.")
    if wanted.against == "bicubic":
        if lr is None:
            raise InputError("The difference to bicubic needs LR; choose it.")
        covered = align(lr, sr)
        reference = bicubic_stack(covered.lr_part, covered.factor)
        return difference_stack(covered.sr, reference, covered.factor, wanted.band)
    if hr is None:
        raise InputError("There is no HR to subtract; choose one, or the difference to bicubic.")
    if lr is not None:
        covered = align(lr, sr, hr)
        if covered.hr is None:
            raise InputError("HR does not lie over LR.")
        return difference_stack(covered.sr, covered.hr, covered.factor, wanted.band)
    if wanted.band != "all":
        raise InputError("Bands are divided at the Nyquist frequency of LR; choose LR.")
    if sr.world != hr.world:
        raise InputError("SR and HR do not lie in the same place; choose LR too, to line them up.")
    return difference_stack(sr, hr, 1)


def bicubic_stack(lr: SemStack, factor: int) -> SemStack:
    """Bicubic picture of a stack, lazily, in place."""

    def block(image: Any) -> Any:
        from napari_sem_sr.checking.baseline import upscale_bicubic

        return upscale_bicubic(image[0], factor)[np.newaxis]

    z, y, x = lr.shape
    data = da.map_blocks(
        block,
        lr.data.rechunk((1, -1, -1)),
        chunks=((1,) * z, (factor * y,), (factor * x,)),
        dtype=lr.dtype,
        meta=np.empty((0, 0, 0), lr.dtype),
    )
    return replace(lr.upscaled(data, factor), name="bicubic", paths=())


def slices_there(layer: Image) -> frozenset[int] | None:
    """Slices of an unfinished output of ours that are on disk; None where all are."""
    path = layers.path_of(layer)
    if path is None or layers.role_of(layer) != "SR" or not path.is_dir():
        return None
    mark: Any = zarr.open_group(path, mode="r").attrs.get(KEY, {})
    if mark.get("complete", True):
        return None
    return done_slices(path, layers.full_shape(layer)[-3])
