"""The suspect places as a list: small pictures of LR | SR | HR, where, how large, why, and what was said of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.checking.review.judgements import Judgement, place_of
from napari_sem_sr.checking.suspects.places import Surroundings, centre_of
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import SMALL_PX, row
from napari_sem_sr.widgets.viewer.overlay import ORANGE
from napari_sem_sr.widgets.words import spoken, tr

# each picture holds 64 SR pixels; in a narrow dock three of them are drawn smaller
SIDE_PX = 128
GAP_PX = 4
# of the list's width, for its scroll bar and frame
BAR_PX = 26
# around pictures and text of a place; as high as any text of one gets
AROUND_PX, UNBOUNDED_PX = 12, 10_000
SIGNS = {"real": tr("✓ real"), "artifact": tr("✕ artifact"), "unsure": tr("? unsure")}
ALL, OPEN = tr("all places"), tr("not judged")
Suspect = Mapping[str, Any]
ORDERS: dict[str, Callable[[tuple[int, Suspect]], Any]] = {
    tr("worst first"): lambda place: place[0],
    tr("by slice"): lambda place: (place[1]["slice"], place[0]),
    tr("largest first"): lambda place: (-place[1]["height"] * place[1]["width"], place[0]),
}
INDEX = Qt.ItemDataRole.UserRole


class PlaceList(QWidget):
    """Sorted and filtered suspect places; remembers which one is looked at."""

    picked = Signal(int)
    """A person went to the place with this index in the report."""

    def __init__(self) -> None:
        super().__init__()
        self._regions: list[Suspect] = []
        self._sr: SemStack | None = None
        self._unit = ""
        self._icons: dict[int, QIcon] = {}
        self._said: dict[tuple[int, ...], Judgement] = {}
        self._pictures = 2
        self._slider: Callable[[float], int] = int
        self.order_box, self.filter_box = QComboBox(), QComboBox()
        self.order_box.addItems(list(ORDERS))
        self.order_box.setToolTip(tr("Order of the list."))
        self.filter_box.setToolTip(
            tr("Which places are listed: all, those not judged, or by reason.")
        )
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setWordWrap(True)
        self.list.setUniformItemSizes(False)
        # pictures over their text, as wide as the dock
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setFlow(QListWidget.Flow.TopToBottom)
        self.list.setWrapping(False)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setMinimumHeight(190)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setStyleSheet(f"QListWidget {{ font-size: {SMALL_PX}px; }}")
        self.list.setToolTip(tr("Click, or ↑ ↓, to go to a place in all panes."))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for box in (self.order_box, self.filter_box):
            box.setMinimumContentsLength(6)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.activated.connect(lambda _: self._refill())
        column.addWidget(row([self.order_box, self.filter_box]))
        column.addWidget(self.list, 1)
        self.list.currentItemChanged.connect(self._current_changed)

    def show_places(
        self,
        regions: list[Suspect],
        sr: SemStack,
        unit: str,
        said: Sequence[Judgement],
        *,
        hr: bool,
        slider: Callable[[float], int],
    ) -> None:
        """List regions of a report about ``sr``, which lies on screen in ``unit``; pictures may come later.

        Parameters
        ----------
        slider
            What napari's slider shows at a place along z of the world.
        """
        self._regions, self._sr, self._unit = regions, sr, unit
        self._icons = {}
        self._said = {judgement.place: judgement for judgement in said}
        self._pictures = 3 if hr else 2
        self._slider = slider
        self._fit_pictures()
        reasons = sorted({reason for region in regions for reason in region["reasons"]})
        self.filter_box.clear()
        for wanted in (ALL, OPEN, *reasons):
            self.filter_box.addItem(spoken(wanted), wanted)
        self._refill()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        super().resizeEvent(event)
        self._fit_pictures()

    def _fit_pictures(self) -> None:
        gaps = GAP_PX * (self._pictures - 1)
        side = min(SIDE_PX, (self.width() - BAR_PX - gaps) // self._pictures)
        self.list.setIconSize(QSize(self._pictures * side + gaps, side))
        for place in range(self.list.count()):
            self._fit(self.list.item(place))

    def _fit(self, item: QListWidgetItem) -> None:
        """Give an item the room of its pictures and the lines of its text; Qt's own guess is made without pictures."""
        size = self.list.iconSize()
        room = QRect(0, 0, size.width(), UNBOUNDED_PX)
        flags = int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.TextFlag.TextWordWrap)
        text = self.list.fontMetrics().boundingRect(room, flags, item.text())
        item.setSizeHint(
            QSize(size.width() + 2 * GAP_PX, size.height() + text.height() + AROUND_PX)
        )

    def show_picture(self, index: int, seen: Surroundings, shown: IntensityRange) -> None:
        """Show the pictures of one place."""
        self._icons[index] = picture_of(seen, shown)
        item = self._item(index)
        if item is not None:
            item.setIcon(self._icons[index])

    def show_judgements(self, said: Sequence[Judgement]) -> None:
        """Show what was said of the places."""
        self._said = {judgement.place: judgement for judgement in said}
        for place in range(self.list.count()):
            self._write(self.list.item(place))

    def judgement(self, index: int) -> Judgement | None:
        """What was said of a place."""
        return self._said.get(place_of(self._regions[index]))

    @property
    def current(self) -> int | None:
        """Index in the report of the place that is looked at."""
        item = self.list.currentItem()
        return None if item is None else int(item.data(INDEX))

    @property
    def order(self) -> list[int]:
        """Indices in the report, as listed."""
        return [int(self.list.item(place).data(INDEX)) for place in range(self.list.count())]

    def go_to(self, index: int) -> None:
        """Go to a place of the list."""
        item = self._item(index)
        if item is not None:
            self.list.setCurrentItem(item)

    def step(self, by: int) -> None:
        """Go to the next place, or the one before."""
        if self.list.count():
            wanted = self.list.currentRow() + by
            self.list.setCurrentRow(min(max(0, wanted), self.list.count() - 1))

    def next_open(self) -> None:
        """Go to the next place that nobody has judged, round the end of the list; else just on."""
        order = self.order
        here = self.list.currentRow()
        for index in [*order[here + 1 :], *order[: max(0, here)]]:
            if self.judgement(index) is None:
                self.go_to(index)
                return
        self.step(1)

    def _item(self, index: int) -> QListWidgetItem | None:
        order = self.order
        return self.list.item(order.index(index)) if index in order else None

    def _refill(self) -> None:
        before = self.current
        wanted = self.filter_box.currentData()
        listed = [
            (index, region)
            for index, region in enumerate(self._regions)
            if wanted == ALL
            or (wanted == OPEN and self.judgement(index) is None)
            or wanted in region["reasons"]
        ]
        self.list.blockSignals(True)
        self.list.clear()
        for index, _ in sorted(listed, key=ORDERS[self.order_box.currentText()]):
            item = QListWidgetItem()
            item.setData(INDEX, index)
            if index in self._icons:
                item.setIcon(self._icons[index])
            self.list.addItem(item)
            self._write(item)
        if before is not None:
            self.go_to(before)
        self.list.blockSignals(False)

    def _write(self, item: QListWidgetItem) -> None:
        index = int(item.data(INDEX))
        region, said = self._regions[index], self.judgement(index)
        sign = "" if said is None else f" · {SIGNS[said.opinion]}"
        item.setToolTip(f"{self.where(index)} (y, x)")
        item.setText(
            tr(
                "#{value} · slice {slice} · {size}{sign}\n{value2}",
                value=index + 1,
                slice=self.slice(index),
                size=self.size(index),
                sign=sign,
                value2=", ".join(spoken(reason) for reason in region["reasons"]),
            )
        )
        self._fit(item)

    def slice(self, index: int) -> int:
        """Number of a place's slice, as napari's slider counts them."""
        assert self._sr is not None
        return self._slider(centre_of(self._regions[index], self._sr)[0])

    def where(self, index: int) -> str:
        """Size of a place and its centre (y, x), in nm where the pixel size is known."""
        assert self._sr is not None
        _, y, x = centre_of(self._regions[index], self._sr)
        return tr("{size} at {y:.0f}, {x:.0f}", size=self.size(index), y=y, x=x)

    def size(self, index: int) -> str:
        """Height and width of a place, in nm where the pixel size is known."""
        assert self._sr is not None
        region = self._regions[index]
        _, dy, dx = self._sr.world.scale
        height, width = region["height"] * dy, region["width"] * dx
        digits = ".0f" if min(height, width) >= 100 else ".3g"
        return f"{height:{digits}} × {width:{digits}} {self._unit}"

    def _current_changed(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            following = self.list.item(self.list.row(item) + 1)
            for shown in (following, item):
                if shown is not None:
                    self.list.scrollToItem(shown)
            self.picked.emit(int(item.data(INDEX)))


def picture_of(seen: Surroundings, shown: IntensityRange) -> QIcon:
    """LR | SR | HR of one place, each with the place outlined."""
    images = [image for image in (seen.lr, seen.sr, seen.hr) if image is not None]
    whole = QPixmap(len(images) * (SIDE_PX + GAP_PX) - GAP_PX, SIDE_PX)
    whole.fill(Qt.GlobalColor.transparent)
    painter = QPainter(whole)
    height, width = seen.sr.shape
    y, x, box_height, box_width = seen.box
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for place, image in enumerate(images):
        left = place * (SIDE_PX + GAP_PX)
        painter.drawImage(
            left,
            0,
            image_of(image, shown).scaled(SIDE_PX, SIDE_PX, Qt.AspectRatioMode.IgnoreAspectRatio),
        )
        painter.setPen(QPen(QColor(ORANGE), 1))
        painter.drawRect(
            round(left + x / width * SIDE_PX),
            round(y / height * SIDE_PX),
            max(3, round(box_width / width * SIDE_PX)) - 1,
            max(3, round(box_height / height * SIDE_PX)) - 1,
        )
    painter.end()
    icon = QIcon()
    # the same when selected, where Qt would tint it
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        icon.addPixmap(whole, mode)
    return icon


def image_of(image: Any, shown: IntensityRange) -> QImage:
    """Grey picture between the limits ``shown``."""
    level = np.clip(np.nan_to_num(shown.normalise(image)), 0, 1)
    grey = np.ascontiguousarray((level * 255).round().astype(np.uint8))
    height, width = grey.shape
    return QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
