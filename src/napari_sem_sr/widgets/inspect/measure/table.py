"""The numbers of one phase, side by side."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.measure.measurement import (
    FRACTION,
    SAID,
    SURFACE,
    Measurement,
    Measurements,
    words,
)
from napari_sem_sr.widgets.qt.dock import field
from napari_sem_sr.widgets.words import tr

# What the narrow dock shows; the report has all.
ROWS = (
    FRACTION,
    SURFACE,
    "diameter_nm.d10",
    "diameter_nm.d50",
    "diameter_nm.d90",
    *(f"{group}.{axis}" for group in ("chord_nm", "connected", "tortuosity") for axis in "zyx"),
)
SHORT = {
    FRACTION: tr("fraction %"),
    SURFACE: tr("surface 1/µm"),
    "diameter_nm": "nm",
    "chord_nm": tr("chord nm,"),
    "connected": tr("connected %,"),
    "tortuosity": "tortuosity,",
}


def short(name: str) -> str:
    """A number's name for a narrow column.

    Parameters
    ----------
    name
        As in ``measure.json``.
    """
    group, _, key = name.partition(".")
    if group == "diameter_nm":
        return f"{key} nm"
    return f"{SHORT[group]} {key}".strip()


def cell(name: str, number: Measurement | None) -> tuple[str, str]:
    """What a cell shows, and its tooltip.

    Parameters
    ----------
    name
        As in ``measure.json``.
    number
        None where it could not be measured.
    """
    if number is None:
        return "–", tr("Not asked for, or not possible; the report says why.")
    scale = 100 if name == FRACTION or name.startswith("connected") else 1
    text = f"{scale * number.value:.3g}"
    tip = f"{words(name)}: {scale * number.value:.4g}"
    if number.low is not None and number.high is not None:
        text += f" ±{scale * (number.high - number.low) / 2:.2g}"
        tip += tr(
            "\n95 % interval: {value:.4g} to {value2:.4g}",
            value=scale * number.low,
            value2=scale * number.high,
        )
    if number.untrusted_share is not None:
        if number.untrusted_share >= SAID:
            text += f" ▲{number.untrusted_share:.0%}"
        tip += tr(
            "\n{untrusted_share:.0%} rests on untrusted voxels",
            untrusted_share=number.untrusted_share,
        )
        if number.range_low is not None and number.range_high is not None:
            tip += tr(
                "; the other way it would be {value:.4g} to {value2:.4g}",
                value=scale * number.range_low,
                value2=scale * number.range_high,
            )
    return text, tip


class NumbersTable(QWidget):
    """Rows of numbers, columns of volumes, for the phase that is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Measurements | None = None
        self.phase = QComboBox()
        self.phase.setToolTip(
            tr("Which phase the table shows; 1 is the darkest, or the labels' own numbers.")
        )
        self.table = QTableWidget()
        self.table.setToolTip(tr("Numbers of each volume; a cell's own words say its interval."))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().setDefaultSectionSize(21)
        self.table.setStyleSheet(
            "QTableWidget { font-size: 12px; } QHeaderView { font-size: 12px; }"
        )
        self.table.setMinimumHeight(24 + 21 * 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(field(tr("Phase"), self.phase))
        column.addWidget(self.table)
        self.phase.currentIndexChanged.connect(self._fill)

    def show_numbers(self, found: Measurements | None) -> None:
        """Show a measurement, its rarer phase first; None empties the table.

        Parameters
        ----------
        found
            What was measured.
        """
        self.found = found
        self.setVisible(found is not None)
        self.phase.blockSignals(True)
        self.phase.clear()
        if found is not None:
            phases = found.volumes[-1].phases
            for phase in phases:
                self.phase.addItem(str(phase.label), phase.label)
            filled = [n.value if (n := p.numbers[FRACTION]) is not None else 2.0 for p in phases]
            self.phase.setCurrentIndex(filled.index(min(filled)))
        self.phase.blockSignals(False)
        self._fill()

    @property
    def label(self) -> int | None:
        """The phase that is shown."""
        value = self.phase.currentData()
        return None if value is None else int(value)

    def _fill(self) -> None:
        self.table.clear()
        if self.found is None:
            return
        rows = {
            name: numbers
            for label, name, numbers in self.found.rows()
            if label == self.label and name in ROWS
        }
        names = [name for name in ROWS if name in rows]
        self.table.setRowCount(len(names))
        self.table.setColumnCount(len(self.found.volumes))
        self.table.setVerticalHeaderLabels([short(name) for name in names])
        self.table.setHorizontalHeaderLabels(
            # the full name, which a narrow column would cut, is in the tooltip
            [v.name.split(" of ")[0] for v in self.found.volumes]
        )
        for column, volume in enumerate(self.found.volumes):
            self.table.horizontalHeaderItem(column).setToolTip(volume.name)
            for line, name in enumerate(names):
                text, tip = cell(name, rows[name][column])
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                item.setTextAlignment(
                    int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                )
                self.table.setItem(line, column, item)
