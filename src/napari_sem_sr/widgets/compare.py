"""The tab Compare: who plays which role, how they are shown, and the way back."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox, QPushButton

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.chooser import LayerChooser
from napari_sem_sr.widgets.comparison import (
    ROLES,
    Comparison,
    belongs_to_comparison,
    guess_roles,
)
from napari_sem_sr.widgets.differences import Difference, iter_difference, slices_there
from napari_sem_sr.widgets.dock import Dock, Line, Tone, field, primary, row
from napari_sem_sr.widgets.layers import Role
from napari_sem_sr.widgets.modes import ModeControls
from napari_sem_sr.widgets.profile_view import ProfileView
from napari_sem_sr.widgets.readout import Readout
from napari_sem_sr.widgets.spectrum_view import SpectrumView
from napari_sem_sr.widgets.work import Work

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

TIPS: dict[Role, str] = {
    "LR": "What was measured.",
    "SR": "What the model made of it.",
    "HR": "The measured truth, where there is one.",
}
DIFFERENCES = {
    "SR − HR": Difference("HR"),
    "SR − HR, low band": Difference("HR", "low"),
    "SR − HR, high band": Difference("HR", "high"),
    "SR − bicubic": Difference("bicubic"),
    "no difference": None,
}


class CompareTab(Dock):
    """Lay out LR, SR, HR and their difference side by side."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self.comparison = Comparison(viewer)
        self._work = Work(self)
        self._by_hand: set[Role] = set()
        self.choosers: dict[Role, LayerChooser] = {}
        for role in ROLES:
            chooser = LayerChooser(
                viewer, lambda layer: not belongs_to_comparison(layer), optional=True
            )
            chooser.setToolTip(TIPS[role])
            chooser.activated.connect(lambda _, role=role: self._by_hand.add(role))
            self.choosers[role] = chooser
            self.body.addWidget(field(role, chooser))
        self.difference_box = QComboBox()
        self.difference_box.addItems(list(DIFFERENCES))
        self.difference_box.setToolTip(
            "Blue where SR is darker, red where it is brighter. The low band is what LR could measure, the high "
            "band what the model had to invent."
        )
        self.body.addWidget(field("Difference", self.difference_box))
        self.link_box = QCheckBox("link contrast")
        self.link_box.setChecked(True)
        self.link_box.setToolTip("Change brightness and gamma of all panes together.")
        self.body.addWidget(field("", self.link_box))
        self.modes = ModeControls(self.comparison)
        self.modes.picked.connect(lambda _: self._mode_picked())
        self.body.addWidget(self.modes)
        self.readout = Readout(self.comparison)
        self.profile = ProfileView(self.comparison)
        self.body.addWidget(self.readout)
        self.body.addWidget(self.profile)
        self.spectrum = SpectrumView(self.comparison)
        self.body.addWidget(self.spectrum)
        self.body.addStretch(1)
        self.message = Line()
        self.start_button = primary("Compare")
        self.restore_button = QPushButton("Restore view")
        self.remove_button = QPushButton("Remove added layers")
        self.remove_button.setToolTip(
            "Restore the view and remove every layer that these docks added; your own layers and all files stay."
        )
        self.footer.addWidget(self.message)
        self.footer.addWidget(self.remove_button)
        self.footer.addWidget(row([self.restore_button, self.start_button]))
        self.start_button.clicked.connect(self.compare)
        self.restore_button.clicked.connect(self.restore)
        self.remove_button.clicked.connect(self.remove_added)
        self.difference_box.currentTextChanged.connect(lambda _: self._show_difference())
        self.link_box.toggled.connect(lambda _: self._show_again())
        for chooser in self.choosers.values():
            chooser.chosen.connect(self._show_buttons)
        self._outdated = False
        self._work.finished.connect(self._difference_made)
        self._work.ended.connect(self._difference_ended)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.CARE))
        self._work.reported.connect(self._report)
        viewer.layers.events.inserted.connect(self._guess)
        viewer.layers.events.removed.connect(self._show_buttons)
        self._guess()

    def _guess(self) -> None:
        """Follow what the layers say, except in roles that were chosen by hand."""
        if not self.comparison.active:
            for role, layer in guess_roles(self.viewer).items():
                if role not in self._by_hand or self.choosers[role].layer is None:
                    self.choosers[role].choose(layer)
        self._show_buttons()

    @property
    def roles(self) -> "dict[Role, Image]":
        """Layers by role, as chosen."""
        chosen = {role: chooser.layer for role, chooser in self.choosers.items()}
        return {role: layer for role, layer in chosen.items() if layer is not None}

    def compare(self) -> None:
        """Show the chosen roles in the chosen way."""
        self.message.say("")
        try:
            self.comparison.show(self.roles, link=self.link_box.isChecked())
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.modes.fill()
        self.modes.apply()
        self.profile.refresh()
        self.spectrum.refresh()
        self._show_difference()
        self._show_buttons()

    def _mode_picked(self) -> None:
        if self.comparison.active:
            self.modes.apply()
        else:
            self.compare()

    def _show_again(self) -> None:
        if self.comparison.active:
            self.compare()

    def _show_difference(self) -> None:
        wanted = DIFFERENCES[self.difference_box.currentText()]
        self._outdated = self._work.running
        if not self.comparison.active or self._work.running:
            return
        self.comparison.remove_pane("difference")
        if wanted is None:
            return
        if wanted.against == "HR" and "HR" not in self.comparison.seats:
            wanted = Difference("bicubic")
        self.message.say("")
        self._wanted = wanted
        seats = dict(self.comparison.seats)
        sr = self.roles.get("SR")
        done = None if sr is None else slices_there(sr)
        self._work.start("difference", lambda: iter_difference(seats, wanted, done))

    def _report(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.message.say(event.what)

    def _difference_made(self, result: tuple[SemStack, float]) -> None:
        stack, limit = result
        self.message.say("")
        if not self._outdated:
            self.comparison.add_difference(stack, self._wanted.title, limit)
            self.modes.fill()

    def _difference_ended(self) -> None:
        if self._outdated:
            self._show_difference()

    def restore(self) -> None:
        """Put the viewer back as it was."""
        self._put_back()
        self._guess()

    def _put_back(self) -> None:
        self.modes.stop()
        self.comparison.restore()
        self.profile.refresh()
        self.spectrum.refresh()
        self.readout.say("")

    def remove_added(self) -> None:
        """Restore the view and remove all layers that the docks added."""
        self._put_back()
        count = layers.remove_ours(self.viewer)
        self.message.say(f"Removed {count} layers." if count else "There was nothing to remove.")
        self._show_buttons()

    def _show_buttons(self) -> None:
        enough = len(self.roles) >= 2
        self.start_button.setEnabled(enough)
        self.start_button.setToolTip(
            "Show the chosen layers and their difference."
            if enough
            else "Choose at least two of LR, SR and HR."
        )
        active = self.comparison.active
        self.restore_button.setEnabled(active)
        self.restore_button.setToolTip(
            "Remove the panes and put the viewer back as it was."
            if active
            else "Nothing is being compared."
        )

    def tear_down(self) -> None:
        """Restore the viewer and let go of it."""
        self._work.close()
        self.modes.stop()
        self.readout.disconnect_viewer()
        self.comparison.restore()
        self.profile.disconnect_viewer()
        self.spectrum.disconnect_viewer()
        self.viewer.layers.events.inserted.disconnect(self._guess)
        self.viewer.layers.events.removed.disconnect(self._show_buttons)
        for chooser in self.choosers.values():
            chooser.disconnect_viewer()
