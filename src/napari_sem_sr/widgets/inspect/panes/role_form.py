"""Which layer plays which role; shared by all tabs of Inspect."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.roles import MEANING, NAMES, ROLES, guess_roles
from napari_sem_sr.widgets.qt.dock import Line, Tone, row
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layer_combo import NARROW, LayerChooser
from napari_sem_sr.widgets.viewer.layers import Role, belongs_to_comparison
from napari_sem_sr.widgets.viewer.opening import Opener
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.layers import Image


class RoleForm(QWidget):
    """One chooser per role, filled by what the layers say until a person chooses.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    changed = Signal()

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self._viewer = comparison.viewer
        self._by_hand: set[Role] = set()
        self._without: frozenset[int] = frozenset()
        self.choosers: dict[Role, LayerChooser] = {}
        self.message = Line(small=True)
        self.opener = Opener(self._viewer, self)
        self.opener.opened.connect(self._opened)
        self._refused = False
        self.opener.progressed.connect(self._show_progress)
        self.opener.refused.connect(self._refuse)
        grid = QGridLayout(self)
        grid.setContentsMargins(9, 4, 9, 0)
        grid.setSpacing(4)
        for place, role in enumerate(ROLES):
            chooser = LayerChooser(
                self._viewer, lambda layer: not belongs_to_comparison(layer), optional=True
            )
            chooser.setStyleSheet(NARROW)
            tip = tr("{value} Choose a layer, or drop a layer or a file here.", value=MEANING[role])
            chooser.setToolTip(tip)
            chooser.activated.connect(lambda _, role=role: self._by_hand.add(role))
            chooser.given_layer.connect(lambda layer, role=role: self.give(role, layer))
            chooser.given.connect(lambda paths, role=role: self.opener.open(paths, role))
            chooser.chosen.connect(self.changed)
            chooser.chosen.connect(
                # names are often longer than a narrow dock has room for
                lambda chooser=chooser, tip=tip: chooser.setToolTip(
                    tip if chooser.layer is None else f"{chooser.layer.name}\n{tip}"
                )
            )
            label = QLabel(NAMES.get(role, role))
            label.setToolTip(tip)
            line, column = divmod(place, 2)
            grid.addWidget(label, line, 2 * column)
            grid.addWidget(chooser, line, 2 * column + 1)
            self.choosers[role] = chooser
        self.without_edit = QLineEdit()
        self.without_edit.setPlaceholderText(tr("no slice; 3, 7-9 for instance"))
        self.without_edit.setToolTip(
            tr(
                "Slices of LR, by number, that checks, blind tests and the limits of differences leave out: charged, damaged, out of focus."
            )
        )
        self.without_edit.editingFinished.connect(self._without_typed)
        label = QLabel(tr("Leave out"))
        label.setToolTip(self.without_edit.toolTip())
        grid.addWidget(row([label, self.without_edit]), 2, 2, 1, 2)
        grid.addWidget(self.message, 3, 0, 1, 4)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        self._viewer.layers.events.inserted.connect(self.guess)
        self.guess()

    def guess(self) -> None:
        """Follow what the layers say, except in roles that were chosen by hand."""
        if self._comparison.active:
            return
        for role, layer in guess_roles(self._viewer).items():
            if role not in self._by_hand or self.choosers[role].layer is None:
                self.choosers[role].choose(layer)

    def _show_progress(self, text: str) -> None:
        if text or not self._refused:
            self.message.say(text)
        self._refused &= not text

    def _refuse(self, text: str) -> None:
        self._refused = True
        self.message.say(text, Tone.BAD)

    def give(self, role: Role, layer: "Image") -> None:
        """Let a layer play a role.

        Parameters
        ----------
        role
            LR, SR, HR or twin.
        layer
            A layer of napari's viewer.
        """
        self._by_hand.add(role)
        self.choosers[role].choose(layer)

    def open_files(self, paths: list[Path]) -> None:
        """Open files and folders in the roles that they seem to have.

        Parameters
        ----------
        paths
            Files and folders.
        """
        self.opener.open(paths)

    def _opened(self, opened: "list[Image]") -> None:
        for layer in opened:
            role = layers.role_of(layer)
            if role is None:
                continue
            self.give(role, layer)
            if role in ("LR", "HR") and layers.mark_of(layer).get("synthetic"):
                self.message.say(
                    tr(
                        "'{name}' is a super-resolved result, not a measurement; {role} has to be measured.",
                        name=layer.name,
                        role=role,
                    ),
                    Tone.CARE,
                )

    def _without_typed(self) -> None:
        before = self._without
        try:
            self._without = parse_numbers(self.without_edit.text())
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.message.say("")
        if self._without != before:
            self.changed.emit()

    @property
    def without(self) -> frozenset[int]:
        """Slices of LR that are left out."""
        return self._without

    @property
    def roles(self) -> "dict[Role, Image]":
        """Layers by role, as chosen."""
        chosen = {role: chooser.layer for role, chooser in self.choosers.items()}
        return {role: layer for role, layer in chosen.items() if layer is not None}

    def disconnect_viewer(self) -> None:
        """Let go of the viewer."""
        self.opener.close()
        self._viewer.layers.events.inserted.disconnect(self.guess)
        for chooser in self.choosers.values():
            chooser.disconnect_viewer()


def parse_numbers(text: str) -> frozenset[int]:
    """Numbers in ``3, 7-9``: single ones and ranges with both ends.

    Parameters
    ----------
    text
        As a person types it.

    Raises
    ------
    InputError
        If it is of another form.
    """
    numbers: set[int] = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        first, dash, last = part.partition("-")
        try:
            numbers |= set(range(int(first), int(last if dash else first) + 1))
        except ValueError:
            raise InputError(
                tr(
                    "'{part}' is not a slice number; give numbers and ranges such as 3, 7-9.",
                    part=part,
                )
            ) from None
    return frozenset(numbers)
