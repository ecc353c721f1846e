"""The list of teachers: thumbnail, specimen (to be corrected), and what each is used for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QKeySequence, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.teachers.teacher import Split, Teacher
from napari_sem_sr.widgets.words import tr

THUMBNAIL_PX = 36
HEIGHT = 168
NAME, SPECIMEN, USE = range(3)
USES = {
    "train": (tr("● learn"), tr("The network learns from it.")),
    "calibration": (tr("◐ calibrate"), tr("Never learned from: calibrates what may be trusted.")),
    "test": (tr("○ test"), tr("Never learned from: measures how well the network does.")),
    "each": (tr("◒ in turn"), tr("Left out once to test on; the final model learns from it.")),
    "part": (tr("◑ both"), tr("Its upper part is learned from, its lower part tested on.")),
}


@dataclass(frozen=True, eq=False)
class Listed:
    """A teacher and its (y, x) 8-bit thumbnail.

    Parameters
    ----------
    teacher
        As it was read.
    thumbnail
        ``(y, x)``.
    """

    teacher: Teacher
    thumbnail: npt.NDArray[np.uint8]


class TeacherList(QTreeWidget):
    """Teachers as rows; a specimen is renamed by a double click, rows are removed by Delete."""

    edited = Signal()
    """A specimen was renamed, or teachers were removed."""

    def __init__(self) -> None:
        super().__init__()
        self._listed: list[Listed] = []
        self.setHeaderLabels([tr("image"), tr("specimen"), tr("used to")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        self.setFixedHeight(HEIGHT)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip(
            tr(
                "Images of one specimen are never divided between learning and testing. Double-click a specimen to rename it, for all selected images at once; Delete removes images from the list."
            )
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(SPECIMEN, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(USE, QHeaderView.ResizeMode.ResizeToContents)
        header.resizeSection(SPECIMEN, 88)
        self.itemDoubleClicked.connect(
            lambda item, column: self.editItem(item, SPECIMEN) if column == SPECIMEN else None
        )
        self.itemChanged.connect(self._renamed)

    @property
    def teachers(self) -> list[Teacher]:
        """All teachers, with their specimens as shown."""
        return [entry.teacher for entry in self._listed]

    def extend(self, found: Sequence[Listed]) -> int:
        """Add those whose pixels are not there yet; return how many were there already.

        Parameters
        ----------
        found
            Teachers with their thumbnails.
        """
        known = {teacher.content_hash for teacher in self.teachers}
        new = []
        for entry in found:
            if entry.teacher.content_hash not in known:
                known.add(entry.teacher.content_hash)
                new.append(entry)
        self._listed += new
        self._show()
        return len(found) - len(new)

    def replace(self, found: Sequence[Listed]) -> None:
        """Show other teachers instead.

        Parameters
        ----------
        found
            Teachers with their thumbnails.
        """
        self._listed = list(found)
        self._show()

    def remove_selected(self) -> None:
        """Remove the selected images from the list; their files are kept."""
        gone = {self.indexOfTopLevelItem(item) for item in self.selectedItems()}
        if gone:
            self._listed = [entry for n, entry in enumerate(self._listed) if n not in gone]
            self._show()
            self.edited.emit()

    def set_specimen(self, rows: Sequence[int], specimen: str) -> None:
        """Say that the images in ``rows`` show one specimen.

        Parameters
        ----------
        specimen
            Its name.
        """
        for row in rows:
            entry = self._listed[row]
            self._listed[row] = replace(entry, teacher=replace(entry.teacher, group=specimen))
        self._show()
        self.edited.emit()

    def set_pixel_nm(self, pixel_nm: float | None) -> None:
        """Say how large the pixels of all images are.

        Parameters
        ----------
        pixel_nm
            In nm; None where unknown.
        """
        self._listed = [
            replace(entry, teacher=replace(entry.teacher, pixel_nm=pixel_nm))
            for entry in self._listed
        ]
        self._show()

    def keep_databars(self) -> None:
        """Learn from what looks like a databar, too."""
        self._listed = [
            replace(entry, teacher=replace(entry.teacher, databar=None)) for entry in self._listed
        ]
        self._show()

    def show_split(self, split: Split | None, *, leave_one_group_out: bool = False) -> None:
        """Write beside each image what it is used for.

        Parameters
        ----------
        split
            Teachers by purpose; None where there is none yet.
        leave_one_group_out
            Whether each specimen is left out once.
        """
        uses: dict[str, str] = {}
        if split is not None:
            for use in ("train", "calibration", "test"):
                for teacher in getattr(split, use):
                    uses[teacher.content_hash] = "each" if leave_one_group_out else use
            if split.unit == "part of one image":
                uses = {entry.teacher.content_hash: "part" for entry in self._listed}
        self.blockSignals(True)
        for row, entry in enumerate(self._listed):
            text, tip = USES.get(uses.get(entry.teacher.content_hash, ""), ("", ""))
            item = self.topLevelItem(row)
            item.setText(USE, text)
            item.setToolTip(USE, tip)
        self.blockSignals(False)

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802, D102
        if event.matches(QKeySequence.StandardKey.Delete) or event.key() == Qt.Key.Key_Backspace:
            self.remove_selected()
        else:
            super().keyPressEvent(event)

    def _show(self) -> None:
        self.blockSignals(True)
        self.clear()
        for entry in self._listed:
            teacher = entry.teacher
            item = QTreeWidgetItem([teacher.name, teacher.group, ""])
            item.setIcon(NAME, _icon(entry.thumbnail))
            item.setToolTip(NAME, _described(teacher))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self.addTopLevelItem(item)
        self.blockSignals(False)

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        if column != SPECIMEN:
            return
        row, text = self.indexOfTopLevelItem(item), item.text(SPECIMEN).strip()
        rows = {row, *(self.indexOfTopLevelItem(i) for i in self.selectedItems())}
        self.set_specimen(sorted(rows), text or self._listed[row].teacher.group)


def _described(teacher: Teacher) -> str:
    y, x = teacher.image.shape
    pixel = (
        tr("pixel size unknown")
        if teacher.pixel_nm is None
        else tr("{size} per pixel", size=spoken_length(teacher.pixel_nm))
    )
    parts = [f"{y} × {x} px", str(teacher.image.dtype), pixel, teacher.instrument]
    return f"{teacher.name}\n{' · '.join(part for part in parts if part)}"


def _icon(thumbnail: npt.NDArray[np.uint8]) -> QIcon:
    grey = np.ascontiguousarray(thumbnail)
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QIcon(QPixmap.fromImage(image.copy()))
