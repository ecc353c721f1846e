"""Which way one looks at the stacks: slices as recorded, cuts across them, or volumes."""

from collections.abc import Generator, Mapping
from typing import Literal

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QCheckBox, QPushButton, QVBoxLayout, QWidget

from napari_sem_sr.checking.pipeline.kinds import MAPS_FOLDER
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io import read_stack
from napari_sem_sr.measure.volume import in_memory, opaque, shared_part
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.check.evidence_form import seated
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison, View
from napari_sem_sr.widgets.qt.dock import Line, Tone, field
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

TIPS: dict[View, str] = {
    "xy": tr("Slices, as recorded."),
    "xz": tr("Cut across the slices, along x, through the middle of the view."),
    "yz": tr("Cut across the slices, along y, through the middle of the view."),
    "3D": tr("Volumes around the middle of the view, side by side; drag to turn them together."),
}
Limits = Mapping[Role, tuple[float, float]]
TRUST: Literal["trust"] = "trust"
NO_TRUST = tr("There is no trust mask: open an answer check that has one (tab Answer check).")


class ViewControls(QWidget):
    """Four buttons, and whether a volume shows only what may be trusted.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    wanted = Signal(str)
    """A person asked for this view."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self._comparison = comparison
        self._evidence: FinishedCheck | None = None
        self._solid = False
        self._centre = (0.0, 0.0, 0.0)
        self.work = Work(self)
        self.buttons: dict[View, QPushButton] = {}
        group = QButtonGroup(self)
        for view, tip in TIPS.items():
            button = QPushButton(view)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setStyleSheet("QPushButton { padding: 4px 0px; }")
            button.clicked.connect(lambda _, view=view: self.wanted.emit(view))
            group.addButton(button)
            self.buttons[view] = button
        self.buttons["xy"].setChecked(True)
        self.trusted_box = QCheckBox(tr("only what may be trusted"))
        self.trusted_box.toggled.connect(lambda _: self.wanted.emit("3D"))
        self.trusted_row = field("", self.trusted_box)
        self.message = Line(small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (field(tr("View"), *self.buttons.values()), self.trusted_row, self.message):
            column.addWidget(part)
        self.work.finished.connect(self._show_volumes)
        self.work.failed.connect(lambda text: self.message.say(text, Tone.CARE))
        self.offer(None)
        self.trusted_row.hide()

    def offer(self, evidence: FinishedCheck | None) -> None:
        """Use the trust mask of a check, if it has one.

        Parameters
        ----------
        evidence
            A finished check; None for none.
        """
        self._evidence = evidence
        there = evidence is not None and (evidence.folder / MAPS_FOLDER / TRUST).exists()
        self.trusted_box.setEnabled(there)
        self.trusted_box.setToolTip(
            tr("Solid volumes; SR has holes wherever the trust mask does not vouch for it.")
            if there
            else NO_TRUST
        )

    def show_view(self, view: View) -> None:
        """Look that way.

        Parameters
        ----------
        view
            Plane of the cut, or volumes.
        """
        self._comparison.forget_deleted()
        if not self._comparison.seats:
            return
        self.buttons[view].setChecked(True)
        self.trusted_row.setVisible(view == "3D")
        self.message.say("")
        if view != "3D":
            self._comparison.set_view(view)
            return
        if self.work.running:
            return
        if self._comparison.view != "3D":
            viewer = self._comparison.viewer
            y, x = viewer.scene.camera.center[-2:]
            self._centre = (float(viewer.dims.point[-3]), float(y), float(x))
        centre, seats = self._centre, dict(self._comparison.seats)
        evidence = self._evidence if self.trusted_box.isChecked() else None
        panes = self._comparison.panes
        limits: Limits = {role: tuple(panes[role].contrast_limits) for role in seats}
        self._solid = evidence is not None
        self.message.say(tr("reading the volumes"))
        self.work.start(
            "volumes",
            lambda: iter_volumes(seats, centre, limits, evidence),
        )

    def _show_volumes(self, volumes: dict[Role, SemStack]) -> None:
        if not self._comparison.active:
            return
        self._comparison.show_volumes(volumes, solid=self._solid)
        finest = max(volumes.values(), key=lambda s: s.shape[-1])
        size = " × ".join(map(str, finest.shape))
        self.message.say(tr("{size} voxels (z, y, x)", size=size))


def iter_volumes(
    seats: Mapping[Role, SemStack],
    centre: tuple[float, float, float],
    limits: Limits,
    evidence: FinishedCheck | None,
) -> Generator[Event, None, dict[Role, SemStack]]:
    """The same field of all roles in memory; with evidence to be rendered solid, SR only where it may be trusted.

    Parameters
    ----------
    seats
        Stacks by role, where they lie on screen.
    centre
        (z, y, x) in the world.
    limits
        Grey values that are rendered black and white.
    evidence
        A finished check; None for none.
    """
    stacks: dict[str, SemStack] = {str(role): stack for role, stack in seats.items()}
    if evidence is not None:
        found = read_stack(evidence.folder / MAPS_FOLDER / TRUST)
        stacks[TRUST] = seated(evidence, "LR", found, seats)
    parts = shared_part(stacks, centre)
    volumes: dict[str, SemStack] = {}
    for role, part in parts.items():
        planes = []
        for z in range(part.shape[0]):
            yield Progress(tr("reading {role}", role=role), z, part.shape[0], "slices")
            planes.append(part.slice(z))
        volumes[role] = in_memory(part, np.stack(planes))
    mask = volumes.pop(TRUST, None)
    if mask is not None:
        for role in seats:
            yield Progress(tr("hiding what is not trusted"), 0, 1, "step")
            trust = mask.data.compute() if role == "SR" else None
            whole = volumes[role]
            volumes[role] = in_memory(whole, opaque(whole.data.compute(), *limits[role], trust))
    return {role: volumes[role] for role in seats}
