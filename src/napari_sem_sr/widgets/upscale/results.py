"""What the dock Upscale puts on screen: a preview of one slice, and the result while it grows."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject

from napari_sem_sr.errors import InputError
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.growing_layer import Growing
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel


@dataclass(frozen=True, eq=False)
class UpscaleRequest:
    """What a run or preview was asked for: of which layer, how, and whether every slice is checked as well."""

    source: Image
    stack: SemStack
    settings: UpscaleSettings
    check: bool = False


class Results:
    """Layers of SR beside the layer they were made of; at most one preview and one result.

    Parameters
    ----------
    viewer
        Where layers are added.
    parent
        Whose end is the end of all timers.
    """

    def __init__(self, viewer: "ViewerModel", parent: QObject) -> None:
        self._viewer = viewer
        self._preview: Image | None = None
        self.result: Image | None = None
        self._growing = Growing(viewer, parent)

    def show_preview(self, request: UpscaleRequest, sr: SemStack, z: int) -> None:
        """Show slice ``z``, in place of an earlier preview."""
        added = self._layer(
            request, sr, tr("SR preview"), replace(request.settings, slices=(z, z + 1))
        )
        if self._preview is not None and self._preview in self._viewer.layers:
            self._viewer.layers.remove(self._preview)
        self._preview = layers.add(self._viewer, added)

    def begin(self, output: Path) -> None:
        """A run begins; an earlier result to another place stays as it is."""
        if not self.shows(output):
            self._growing.complete()
            self.result = None

    def show(self, request: UpscaleRequest, output: Path) -> None:
        """Show an output, finished or not, unless it is shown already."""
        if self.shows(output) and self.result in self._viewer.layers:
            return
        added = self._layer(request, read_stack(output), "SR", request.settings)
        if self._preview is not None and self._preview in self._viewer.layers:
            self._preview.visible = False
        self.result = layers.add(self._viewer, added)

    def shows(self, output: Path) -> bool:
        """Whether the result's layer was made of ``output``."""
        return self.result is not None and layers.path_of(self.result) == output

    def follow(self, request: UpscaleRequest, output: Path, total: int) -> None:
        """Show an output that grows to ``total`` slices, if it is still there."""
        try:
            self.show(request, output)
        except InputError:
            # a short run may have made its TIFF and removed this before the viewer came to it
            if output.exists():
                raise
            return
        if self.result is not None:
            first = (request.settings.slices or (0, 0))[0]
            self._growing.follow(self.result, output, first, total)

    def arrived(self, z: int) -> None:
        """Slice ``z`` of the input is on disk."""
        self._growing.arrived(z)

    def complete(self, request: UpscaleRequest, output: Path) -> None:
        """Show a finished output, all of it."""
        if not self.shows(output):
            self.forget()
            self.show(request, output)
        self._growing.complete()

    def forget(self) -> None:
        """Remove the result's layer."""
        if self.result is not None and self.result in self._viewer.layers:
            self._viewer.layers.remove(self.result)
        self.result = None
        self._growing.complete()

    def close(self) -> None:
        """Let go of the viewer; the layers stay."""
        self._growing.close()
        self._preview = self.result = None

    def _layer(
        self, request: UpscaleRequest, sr: SemStack, what: str, settings: UpscaleSettings
    ) -> layers.LayerData:
        return layers.image_data(
            sr,
            f"{request.source.name} · {what}",
            "SR",
            seat=layers.placing(request.source, seat_of(request.source, sr, settings)),
            limits=tuple(request.source.contrast_limits),
            added_by_dock=True,
        )


def seat_of(source: Image, sr: SemStack, settings: UpscaleSettings) -> SemStack:
    """The SR stack where it lies beside ``source`` on screen."""
    shown = layers.on_screen(source).cropped(settings.slices, settings.region)
    return shown.upscaled(sr.data, sr.shape[1] // shown.shape[1])
