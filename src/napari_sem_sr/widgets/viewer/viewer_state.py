"""The viewer as it was before a comparison, and the way back to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True)
class Before:
    """The viewer as it was.

    Parameters
    ----------
    hidden
        Layers that were visible, and are not while a comparison is shown.
    active
        Layer that was chosen.
    grid
        Settings of napari's grid.
    scale_bar
        Settings of the scale bar.
    camera
        Settings of the camera.
    step
        Of the sliders.
    ndisplay
        Dimensions on screen.
    order
        Of the axes.
    """

    hidden: "tuple[Layer, ...]"
    active: "Layer | None"
    grid: Mapping[str, Any]
    scale_bar: Mapping[str, Any]
    camera: Mapping[str, Any]
    step: tuple[int, ...]
    ndisplay: int
    order: tuple[int, ...]

    @classmethod
    def of(cls, viewer: "ViewerModel") -> "Before":
        """Remember how a viewer is.

        Parameters
        ----------
        viewer
            napari's viewer.
        """
        grid, bar = viewer.canvas.grid, viewer.canvas.overlays.scale_bar
        camera = viewer.scene.camera
        return cls(
            hidden=tuple(layer for layer in viewer.layers if layer.visible),
            active=viewer.layers.selection.active,
            grid={k: getattr(grid, k) for k in ("enabled", "shape", "stride", "spacing")},
            scale_bar={k: getattr(bar, k) for k in ("visible", "gridded", "font_size")},
            camera={k: getattr(camera, k) for k in ("center", "zoom", "angles")},
            step=tuple(viewer.dims.current_step),
            ndisplay=viewer.dims.ndisplay,
            order=tuple(viewer.dims.order),
        )

    def put_back(self, viewer: "ViewerModel") -> None:
        """Make the viewer so again, as far as its layers are still there.

        Parameters
        ----------
        viewer
            napari's viewer.
        """
        viewer.dims.ndisplay = self.ndisplay
        for layer in self.hidden:
            if layer in viewer.layers:
                layer.visible = True
        viewer.canvas.grid.update(dict(self.grid))
        viewer.canvas.overlays.scale_bar.update(dict(self.scale_bar))
        if len(self.order) == viewer.dims.ndim:
            viewer.dims.order = self.order
        viewer.scene.camera.update(dict(self.camera))
        if len(self.step) == viewer.dims.ndim:
            viewer.dims.current_step = self.step
        if self.active is not None and self.active in viewer.layers:
            viewer.layers.selection.active = self.active
