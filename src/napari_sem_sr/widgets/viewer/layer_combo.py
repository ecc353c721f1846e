"""A combo box of the viewer's images."""

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QComboBox

from napari_sem_sr.widgets.qt.dropping import dropped_paths
from napari_sem_sr.widgets.viewer.layers import is_live

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

NONE = "none"


class LayerChooser(QComboBox):
    """Image layers by name, kept up to date while the viewer's list changes.

    Parameters
    ----------
    wanted
        Which layers are offered.
    optional
        Whether "none" can be chosen.
    """

    chosen = Signal()
    given_layer = Signal(object)
    """A layer of napari's list was dropped here."""
    given = Signal(list)
    """Paths of files or folders that were dropped here."""

    def __init__(
        self, viewer: "ViewerModel", wanted: "Callable[[Layer], bool]", *, optional: bool = False
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._wanted = wanted
        self._optional = optional
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setAcceptDrops(True)
        self._events = (
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.events.reordered,
            viewer.layers.events.renamed,
        )
        for event in self._events:
            event.connect(self._refill)
        self._refill()
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())

    @property
    def layer(self) -> Image | None:
        """The chosen layer."""
        layer: Image | None = self.currentData()
        return layer

    def choose(self, layer: "Layer | None") -> None:
        """Choose a layer, or none."""
        for index in range(self.count()):
            if self.itemData(index) == layer:
                self.setCurrentIndex(index)
                return

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802, D102
        if event.mimeData().hasUrls() or self._dropped_layers(event):
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802, D102
        # a copy: napari removes what is moved out of its list
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        for layer in self._dropped_layers(event)[:1]:
            self.given_layer.emit(layer)
        paths = dropped_paths(event)
        if paths:
            self.given.emit(paths)

    def _dropped_layers(self, event: QDropEvent) -> "list[Layer]":
        # what napari's layer list puts into a drag
        items = getattr(event.mimeData(), "items", ())
        return [item for item in items if isinstance(item, Image) and self._wanted(item)]

    def disconnect_viewer(self) -> None:
        """Stop listening; called when the dock closes."""
        for event in self._events:
            event.disconnect(self._refill)
        self.blockSignals(True)
        self.clear()

    def _refill(self) -> None:
        before = self.layer
        self.blockSignals(True)
        self.clear()
        if self._optional:
            self.addItem(NONE, None)
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and not is_live(layer) and self._wanted(layer):
                self.addItem(layer.name, layer)
        if before is not None:
            self.choose(before)
        self.blockSignals(False)
        if self.layer != before:
            self.chosen.emit()
