"""What all docks have in common: a scrolling body over a footer that is always visible, and a clean end."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

if TYPE_CHECKING:
    from napari.components import ViewerModel

WIDTH = 360
MIN_WIDTH = 320
LABEL_WIDTH = 78
# readable on both themes
LINK = "#4a9eda"
PLUGIN = "napari-sem-sr"


class Tone(Enum):
    """What a line of text means; its colour reads on napari's dark and light theme, its sign without colour."""

    PLAIN = ("", "")
    GOOD = ("✓ ", "#2e9e5b")
    CARE = ("⚠ ", "#c98a00")
    BAD = ("✕ ", "#e0533d")
    UNKNOWN = ("○ ", "#8a8d93")


class Line(QLabel):
    """A wrapped line of text that hides when it has nothing to say."""

    def __init__(self, text: str = "", *, small: bool = False) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        policy = self.sizePolicy()
        # a long path must not widen the dock
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        self.setSizePolicy(policy)
        self._small = small
        self.container: QWidget | None = None
        """Row that hides with the line."""
        self.say(text)

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show ``text``; nothing hides the line."""
        sign, colour = tone.value
        size = "font-size: 11px;" if self._small else ""
        self.setStyleSheet(f"QLabel {{ {size} {f'color: {colour};' if colour else ''} }}")
        self.setText(f"{sign}{text}" if text else "")
        self.setVisible(bool(text))
        if self.container is not None:
            self.container.setVisible(bool(text))


def link(target: str, text: str) -> str:
    """Rich text of a link inside a dock."""
    return f"<a href='{target}' style='color: {LINK}'>{text}</a>"


def tool(text: str, tip: str) -> QToolButton:
    """Small button beside a field."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button


def primary(text: str) -> QPushButton:
    """The button that does what the dock is for."""
    button = QPushButton(text)
    button.setStyleSheet("QPushButton { font-weight: bold; }")
    return button


def row(widgets: Sequence[QWidget]) -> QWidget:
    """Widgets beside each other; labels and tool buttons keep their width."""
    whole = QWidget()
    line = QHBoxLayout(whole)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    for widget in widgets:
        narrow = isinstance(widget, QToolButton) or type(widget) is QLabel
        line.addWidget(widget, 0 if narrow else 1)
    return whole


def field(label: str, *widgets: QWidget) -> QWidget:
    """A row of a form: its label and what belongs to it."""
    title = QLabel(label)
    title.setFixedWidth(LABEL_WIDTH)
    if widgets and widgets[0].toolTip():
        title.setToolTip(widgets[0].toolTip())
    whole = row([title, *widgets])
    if len(widgets) == 1 and isinstance(widgets[0], Line):
        widgets[0].container = whole
    return whole


class PathLabel(QElidingLabel):
    """A path whose middle gives way where there is no room."""

    def __init__(self) -> None:
        super().__init__()
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMinimumWidth(60)


class DropZone(QLabel):
    """A place for files."""

    dropped = Signal(list)
    """Paths as text."""

    def __init__(self, text: str, tip: str) -> None:
        super().__init__(text)
        self.setAcceptDrops(True)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(tip)
        self.setMinimumHeight(44)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setStyleSheet(
            "QLabel { border: 1px dashed #8a8d93; border-radius: 6px; padding: 6px; }"
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802, D102
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802, D102
        event.acceptProposedAction()
        self.dropped.emit([url.toLocalFile() for url in event.mimeData().urls()])


class Dock(QWidget):
    """Base of the docks: ``body`` scrolls, ``footer`` stays."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self.viewer = viewer
        self.setMinimumWidth(MIN_WIDTH)
        self.body = QVBoxLayout()
        self.footer = QVBoxLayout()
        inner = QWidget()
        inner.setLayout(self.body)
        self.body.setSpacing(5)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area, 1)
        whole.addLayout(self.footer)
        self.footer.setContentsMargins(9, 0, 9, 9)

    def event(self, event: QEvent) -> bool:
        """Notice that napari's dock was closed: the widget then loses its parent and gets no closeEvent."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.tear_down()
            # connections of its parts hold it until it is gone from Qt as well
            self.deleteLater()
        return bool(super().event(event))

    def tear_down(self) -> None:
        """Stop work, timers and callbacks; what is done is kept."""
        raise NotImplementedError
