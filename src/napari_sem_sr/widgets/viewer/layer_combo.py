"""A combo box of the viewer's images."""

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox

from napari_sem_sr.widgets.qt.dock import SMALL_PX
from napari_sem_sr.widgets.qt.dropping import dropped_paths
from napari_sem_sr.widgets.viewer.layers import is_live
from napari_sem_sr.widgets.viewer.names import telling_names
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

NONE = tr("none")
# characters of a name that are always shown
LEAST_ROOM = 5
# that Qt leaves free at both ends of a text
EDGE_PX = 2
# of a box that has little room
NARROW = (
    f"QComboBox {{ font-size: {SMALL_PX}px; padding: 1px 0px 1px 5px; }}"
    "QComboBox::drop-down { width: 18px; }"
)


class LayerChooser(QComboBox):
    """Image layers by name, kept up to date while the viewer's list changes.

    Parameters
    ----------
    viewer
        napari's viewer.
    wanted
        Which layers are offered.
    optional
        Whether "none" can be chosen.
    preferred
        What is chosen, the newest of them, until someone chooses.
    """

    chosen = Signal()
    given_layer = Signal(object)
    """A layer of napari's list was dropped here."""
    given = Signal(list)
    """Paths of files or folders that were dropped here."""

    def __init__(
        self,
        viewer: "ViewerModel",
        wanted: "Callable[[Layer], bool]",
        *,
        optional: bool = False,
        preferred: "Callable[[Layer], bool]" = lambda _: False,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._wanted = wanted
        self._optional = optional
        self._preferred = preferred
        # whether someone has chosen
        self._settled = optional
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setAcceptDrops(True)
        self._events: tuple[Any, ...] = (
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.events.reordered,
            viewer.layers.events.renamed,
        )
        for event in self._events:
            event.connect(self._refill)
        self._refill()
        self.activated.connect(lambda _: self._settle())
        self.currentIndexChanged.connect(lambda _: self.chosen.emit())

    @property
    def layer(self) -> Image | None:
        """The chosen layer."""
        layer: Image | None = self.currentData()
        return layer

    def _settle(self) -> None:
        self._settled = True

    def _fitting(self, names: "Sequence[str]") -> list[str]:
        """Names as long as can be read here."""
        wide = self.fontMetrics().horizontalAdvance
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        whole = QStyle.ComplexControl.CC_ComboBox
        px = self.style().subControlRect(whole, option, part, self).width() - EDGE_PX
        longest = max((len(name) for name in names), default=0)
        for room in range(longest, LEAST_ROOM, -1):
            shown = telling_names(names, room)
            if all(wide(name) <= px for name in shown):
                return shown
        elided = self.fontMetrics().elidedText
        return [str(elided(name, Qt.TextElideMode.ElideMiddle, px)) for name in names]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        super().resizeEvent(event)
        if self._events and event.size().width() != event.oldSize().width():
            self._refill()

    def choose(self, layer: "Layer | None") -> None:
        """Choose a layer, or none.

        Parameters
        ----------
        layer
            None for none.
        """
        self._settled = True
        self._set(layer)

    def _set(self, layer: "Layer | None") -> None:
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
        self._events = ()
        self.blockSignals(True)
        self.clear()

    def _refill(self) -> None:
        before = self.layer
        self.blockSignals(True)
        self.clear()
        if self._optional:
            self.addItem(NONE, None)
        offered = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and not is_live(layer) and self._wanted(layer)
        ]
        shown = self._fitting([layer.name for layer in offered])
        for layer, name in zip(offered, shown, strict=True):
            self.addItem(name, layer)
            self.setItemData(self.count() - 1, layer.name, Qt.ItemDataRole.ToolTipRole)
        if before is not None:
            self._set(before)
        if not self._settled and not (before is not None and self._preferred(before)):
            for layer in filter(self._preferred, offered):
                self._set(layer)
        self.blockSignals(False)
        if self.layer != before:
            self.chosen.emit()
