"""The dock Inspect: one tab for each way of looking at an SR stack."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QTabWidget, QVBoxLayout

from napari_sem_sr.widgets.inspect.check.blind_test import BlindTestTab
from napari_sem_sr.widgets.inspect.check.tab import AnswerCheckTab
from napari_sem_sr.widgets.inspect.check.tasks import is_finished
from napari_sem_sr.widgets.inspect.compare.tab import CompareTab
from napari_sem_sr.widgets.inspect.measure.tab import MeasureTab
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.qt.dock import MIN_WIDTH, SMALL_PX, Dock, Themed
from napari_sem_sr.widgets.qt.shortcuts import ShortcutsButton
from napari_sem_sr.widgets.viewer import session
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

FRAME_PX = 12


class InspectDock(Themed):
    """Look at LR, SR and HR together.

    Every tab is a `Dock` of its own: it scrolls by itself, and is torn down with this one. All share one comparison
    and the choice of roles above them.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    dock_name = "Inspect"

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self.setMinimumWidth(MIN_WIDTH)
        self.comparison = Comparison(napari_viewer)
        self.roles = RoleForm(self.comparison)
        self.tabs = QTabWidget()
        compare = CompareTab(self.comparison, self.roles)
        answers = AnswerCheckTab(self.comparison, self.roles, compare.compare)
        test = BlindTestTab(self.comparison)
        self._answers = answers
        self.pages: dict[str, Dock] = {
            "Compare": compare,
            "Answer check": answers,
            "Measure": MeasureTab(self.comparison, self.roles),
            "Blind test": test,
        }
        titles = {
            "Compare": tr("Compare"),
            "Answer check": tr("Answer check"),
            "Measure": tr("Measure"),
            "Blind test": tr("Blind test"),
        }
        for name, page in self.pages.items():
            # it stands inside the frame of the tabs
            page.setMinimumWidth(MIN_WIDTH - FRAME_PX)
            self.tabs.addTab(page, titles[name])
        self.shortcuts = ShortcutsButton(self)
        self.tabs.setCornerWidget(self.shortcuts)
        # all four in a dock as narrow as it may be
        self.tabs.tabBar().setStyleSheet(
            f"QTabBar {{ font-size: {SMALL_PX}px; }} QTabBar::tab {{ padding: 3px 4px; }}"
        )
        answers.taken_up.connect(compare.show_evidence)
        answers.taken_up.connect(test.offer)
        for part in (self, *self.pages.values()):
            part.given.connect(self.roles.open_files)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.roles)
        whole.addWidget(self.tabs)

    @property
    def unfinished_work(self) -> str:
        """What would be stopped if napari were closed now, as a question; empty where nothing would."""
        running = self._answers.work.running
        return (
            tr("A check is going on. Stop, and keep the slices that are checked?")
            if running
            else ""
        )

    def remember_session(self) -> None:
        """Keep which layer played which role, and the report, for the next time."""
        evidence = self._answers.evidence
        session.remember(
            self.viewer,
            roles={role: layer.name for role, layer in self.roles.roles.items()},
            report=None if evidence is None else str(evidence.folder),
        )

    def bring_back(self, last: session.LastSession) -> None:
        """Take up roles and report of an earlier session, whose layers are open.

        Parameters
        ----------
        last
            What was open.
        """
        for role, name in last.roles.items():
            if role in self.roles.choosers and name in self.viewer.layers:
                self.roles.give(role, self.viewer.layers[name])
        folder = None if last.report is None else Path(last.report)
        if folder is not None and is_finished(folder):
            self._answers.load(folder)
            self.tabs.setCurrentWidget(self._answers)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        super().resizeEvent(event)
        self._answers.give_room(self.height())

    def event(self, event: QEvent) -> bool:
        """Notice that napari's dock was closed.

        Parameters
        ----------
        event
            As Qt sends it.
        """
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            for page in self.pages.values():
                page.let_go()
            self.roles.disconnect_viewer()
            # connections of its parts hold it until it is gone from Qt as well
            self.deleteLater()
        return bool(super().event(event))
