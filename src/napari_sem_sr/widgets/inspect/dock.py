"""The dock Inspect: one tab for each way of looking at an SR stack."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QTabWidget, QVBoxLayout

from napari_sem_sr.widgets.inspect.check.blind_test import BlindTestTab
from napari_sem_sr.widgets.inspect.check.tab import AnswerCheckTab
from napari_sem_sr.widgets.inspect.compare.tab import CompareTab
from napari_sem_sr.widgets.inspect.measure.tab import MeasureTab
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.qt.dock import MIN_WIDTH, Dock, Themed
from napari_sem_sr.widgets.qt.shortcuts import ShortcutsButton

if TYPE_CHECKING:
    from napari.components import ViewerModel


class InspectDock(Themed):
    """Look at LR, SR and HR together.

    Every tab is a `Dock` of its own: it scrolls by itself, and is torn down with this one. All share one comparison
    and the choice of roles above them.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self.setMinimumWidth(MIN_WIDTH)
        self.comparison = Comparison(napari_viewer)
        self.roles = RoleForm(self.comparison)
        self.tabs = QTabWidget()
        compare = CompareTab(self.comparison, self.roles)
        answers = AnswerCheckTab(self.comparison, self.roles, compare.compare)
        test = BlindTestTab(self.comparison)
        self.pages: dict[str, Dock] = {
            "Compare": compare,
            "Answer check": answers,
            "Measure": MeasureTab(self.comparison, self.roles),
            "Blind test": test,
        }
        for title, page in self.pages.items():
            self.tabs.addTab(page, title)
        self.shortcuts = ShortcutsButton(self)
        self.tabs.setCornerWidget(self.shortcuts)
        answers.taken_up.connect(compare.show_evidence)
        answers.taken_up.connect(test.offer)
        for part in (self, *self.pages.values()):
            part.given.connect(self.roles.open_files)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.roles)
        whole.addWidget(self.tabs)

    def event(self, event: QEvent) -> bool:
        """Notice that napari's dock was closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            for page in self.pages.values():
                page.tear_down()
            self.roles.disconnect_viewer()
            # connections of its parts hold it until it is gone from Qt as well
            self.deleteLater()
        return bool(super().event(event))
