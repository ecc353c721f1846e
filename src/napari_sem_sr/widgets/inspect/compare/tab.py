"""The tab Compare: how the roles are shown, and the way back."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLabel, QPushButton

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.io.write.figure import write_figure
from napari_sem_sr.widgets.inspect.check.evidence_form import EvidenceForm
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck
from napari_sem_sr.widgets.inspect.compare.difference_form import DifferenceForm
from napari_sem_sr.widgets.inspect.compare.figure_dialog import FigureDialog
from napari_sem_sr.widgets.inspect.compare.modes import ModeControls
from napari_sem_sr.widgets.inspect.compare.on_screen import OnScreen
from napari_sem_sr.widgets.inspect.compare.picture import caption, take_panels
from napari_sem_sr.widgets.inspect.compare.profile_view import ProfileView
from napari_sem_sr.widgets.inspect.compare.readout import Readout
from napari_sem_sr.widgets.inspect.compare.spectrum_view import SpectrumView
from napari_sem_sr.widgets.inspect.compare.views import ViewControls
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison, View
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.inspect.panes.roles import NAMES, ROLES
from napari_sem_sr.widgets.qt.dock import Dock, Line, Tone, link, primary, row
from napari_sem_sr.widgets.qt.preferences import recall
from napari_sem_sr.widgets.qt.timers import after
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

FORMATS = "PNG (*.png);;TIFF (*.tif);;PDF (*.pdf)"
CLOSE_SR = "close-sr"


def _counted(number: int) -> str:
    return tr("1 layer") if number == 1 else tr("{number} layers", number=number)


class CompareTab(Dock):
    """Lay out LR, SR, HR and their difference side by side.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    roles
        Which layer plays which role.
    """

    changed = Signal()
    """A comparison began, changed or ended."""

    def __init__(self, comparison: Comparison, roles: RoleForm) -> None:
        super().__init__(comparison.viewer)
        self.comparison = comparison
        self.role_form = roles
        self.difference = DifferenceForm(comparison, roles)
        self.body.addWidget(self.difference)
        self.link_boxes: dict[Role, QCheckBox] = {}
        for role in ROLES:
            box = QCheckBox(NAMES.get(role, role))
            box.setChecked(recall("link_contrast", default=True))
            box.setToolTip(tr("Panes that are ticked share brightness and gamma."))
            box.toggled.connect(lambda _: self.comparison.link(self.linked))
            self.link_boxes[role] = box
        self.body.addWidget(row([QLabel(tr("Link contrast")), *self.link_boxes.values()]))
        self.evidence = EvidenceForm(comparison)
        self.body.insertWidget(1, self.evidence)
        self.on_screen = OnScreen(comparison)
        self.body.addWidget(self.on_screen)
        self.modes = ModeControls(comparison)
        self.modes.picked.connect(lambda _: self._mode_picked())
        self.views = ViewControls(comparison)
        self.views.wanted.connect(self._view_wanted)
        self.readout = Readout(comparison)
        self.profile = ProfileView(comparison)
        self.spectrum = SpectrumView(comparison)
        for part in (self.modes, self.views, self.readout, self.profile, self.spectrum):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.message = Line()
        self.start_button = primary(tr("Compare"))
        self.restore_button = QPushButton(tr("Restore view"))
        self.remove_button = QPushButton(tr("Remove added layers"))
        self.remove_button.setToolTip(
            tr(
                "Restore the view and remove panes, previews and marks. Your own layers, SR and all files stay."
            )
        )
        self.picture_button = QPushButton(tr("Picture…"))
        self.picture_button.clicked.connect(self._export)
        self.footer.addWidget(self.message)
        self.footer.addWidget(row([self.picture_button, self.remove_button]))
        self.footer.addWidget(row([self.restore_button, self.start_button]))
        self.start_button.clicked.connect(self.compare)
        self.restore_button.clicked.connect(self.restore)
        self.remove_button.clicked.connect(self.remove_added)
        self.message.linkActivated.connect(self._close_results)
        self.difference.shown.connect(self.modes.fill)
        self.evidence.shown.connect(self.modes.fill)
        roles.changed.connect(self._show_buttons)
        # napari is still taking the layer out when it says so
        self._deleted = after(self, 0, self._layers_deleted)
        self.viewer.layers.events.removed.connect(self._layer_removed)
        self._show_buttons()

    @property
    def linked(self) -> list[Role]:
        """Roles that share brightness and gamma."""
        return [role for role, box in self.link_boxes.items() if box.isChecked()]

    def compare(self) -> None:
        """Show the chosen roles in the chosen way."""
        self.message.say("")
        try:
            self.comparison.show(self.role_form.roles, self.linked)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self.modes.fill()
        self.modes.apply()
        self.profile.refresh()
        self.spectrum.refresh()
        self.difference.show_difference()
        self.evidence.show_map()
        self.on_screen.know(self.role_form.roles)
        self.views.buttons["xy"].setChecked(True)
        self._show_buttons()
        self.changed.emit()

    def show_evidence(self, evidence: FinishedCheck | None) -> None:
        """Offer the maps of a check, and draw its smallest trusted detail to scale.

        Parameters
        ----------
        evidence
            A finished check; None for none.
        """
        self.evidence.offer(evidence)
        self.views.offer(evidence)
        self.on_screen.trust(evidence)

    def _export(self) -> None:
        dialog = FigureDialog(self)
        if not dialog.exec():
            return
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Write what is on the canvas"), "comparison.png", FORMATS
        )
        if path:
            self.export(
                Path(path),
                width_mm=dialog.width_box.value(),
                dpi=dialog.dpi_box.value(),
                mark=dialog.mark_box.isChecked(),
            )

    def export(
        self, path: Path, *, width_mm: float = 180.0, dpi: int = 300, mark: bool | None = None
    ) -> None:
        """Write what is on the canvas as a figure with its caption, and the mark on what was not measured.

        Parameters
        ----------
        path
            File to write.
        width_mm
            Of the figure.
        dpi
            Dots per inch.
        mark
            Whether to mark what is synthetic; None asks the preferences.
        """
        marked = recall("mark_pictures", default=True) if mark is None else mark
        panels, columns = take_panels(self.comparison, width_mm, dpi)
        try:
            beside = write_figure(
                panels,
                path,
                caption(self.comparison),
                columns=columns,
                width_mm=width_mm,
                dpi=dpi,
                mark=marked,
            )
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        said = "" if marked else tr(", without the mark of synthetic pictures")
        self.message.say(
            tr(
                "Picture written to '{name}', its caption to '{name2}'{said}.",
                name=path.name,
                name2=beside.name,
                said=said,
            ),
            Tone.GOOD,
        )

    def _view_wanted(self, view: View) -> None:
        if not self.comparison.active or (self.comparison.view == "3D" and view != "3D"):
            # volumes took the place of the panes
            self.compare()
        if view != "xy" and self.comparison.view != "3D":
            self.modes.buttons["side by side"].setChecked(True)
            self.modes.apply()
        self.views.show_view(view)

    def _mode_picked(self) -> None:
        if self.comparison.active and self.comparison.view == "xy":
            self.modes.apply()
        else:
            self.compare()

    def restore(self) -> None:
        """Put the viewer back as it was."""
        self._put_back()
        self.role_form.guess()
        self._show_buttons()

    def _put_back(self) -> None:
        self.modes.stop()
        self.comparison.restore()
        self.profile.refresh()
        self.spectrum.refresh()
        self.on_screen.refresh()
        self.readout.say("")
        self.changed.emit()

    def remove_added(self) -> None:
        """Restore the view and remove the layers that the docks added, but for SR from a file."""
        ours = sum(map(layers.is_ours, self.viewer.layers))
        self._put_back()
        layers.remove_ours(self.viewer, results=False)
        kept = sum(map(layers.is_ours, self.viewer.layers))
        said = (
            tr("{count} removed; files stay.", count=_counted(ours - kept)) if ours > kept else ""
        )
        if kept:
            said += tr(
                " SR is still open: {link} (its file stays).",
                link=link(CLOSE_SR, tr("close it too")),
            )
        self.message.say(said.strip() or tr("There was nothing to remove."))
        self._show_buttons()

    def _close_results(self, _: str) -> None:
        count = layers.remove_ours(self.viewer, results=True)
        self.message.say(tr("{count} removed; files stay.", count=_counted(count)))
        self._show_buttons()

    def _layer_removed(self) -> None:
        self._deleted.start()

    def _layers_deleted(self) -> None:
        """Go on with what is left after someone deleted panes in napari's list."""
        if self.comparison.active and self.comparison.forget_deleted():
            if not self.comparison.seats:
                self.restore()
                return
            self.modes.fill()
            if any(name not in self.comparison.panes for name in self.comparison.pair):
                self.modes.stop()
            if self.comparison.view != "3D":
                self.modes.apply()
        self._show_buttons()

    def _show_buttons(self) -> None:
        roles = self.role_form.roles
        self.start_button.setEnabled(len(roles) >= 2)
        self.start_button.setToolTip(
            tr("Show the chosen layers and their difference.")
            if len(roles) >= 2
            else tr("Choose at least two of LR, SR and HR.")
        )
        for role, box in self.link_boxes.items():
            box.setVisible(role in roles)
        active = self.comparison.active
        self.picture_button.setEnabled(active)
        self.picture_button.setToolTip(
            tr(
                "Write what is on the canvas as PNG, TIFF or PDF, with a caption; SR is marked as synthetic."
            )
            if active
            else tr("Compare first.")
        )
        self.restore_button.setEnabled(active)
        self.restore_button.setToolTip(
            tr("Remove the panes and put the viewer back as it was.")
            if active
            else tr("Nothing is being compared.")
        )

    def tear_down(self) -> None:
        """Restore the viewer and let go of it."""
        self.difference.work.close()
        self.evidence.work.close()
        self.views.work.close()
        self.on_screen.marks.disconnect_viewer()
        self.modes.stop()
        self.readout.disconnect_viewer()
        self.comparison.restore()
        self.profile.disconnect_viewer()
        self.spectrum.disconnect_viewer()
        self._deleted.stop()
        self.viewer.layers.events.removed.disconnect(self._layer_removed)
