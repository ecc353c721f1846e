"""What all docks have in common: a scrolling body over a footer that is always visible, and a clean end."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QColor, QDragEnterEvent, QDropEvent, QIcon, QPainter, QPixmap, QShowEvent
from qtpy.QtWidgets import (
    QAbstractButton,
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
from superqt import QCollapsible, QElidingLabel

from napari_sem_sr.widgets.qt import question
from napari_sem_sr.widgets.qt.canvas import main_window_of, make_canvas_current
from napari_sem_sr.widgets.qt.dock_group import join_group
from napari_sem_sr.widgets.qt.dropping import TakesFiles
from napari_sem_sr.widgets.qt.timers import after
from napari_sem_sr.widgets.qt.words import in_dock

if TYPE_CHECKING:
    from napari.components import ViewerModel

WIDTH = 360
MIN_WIDTH = 320
LABEL_WIDTH = 78
SIGN_PX = 16
# nothing is written smaller
SMALL_PX = 12


class Tone(Enum):
    """What a line of text means, with the sign that says so without colour; see `colours_of`."""

    PLAIN = ""
    GOOD = "✓ "
    CARE = "⚠ "
    BAD = "✕ "
    UNKNOWN = "○ "


# at least 4.5 : 1 on the background of napari's dark and light theme
LINK_ON_DARK, LINK_ON_LIGHT = "#63b3ed", "#0b5c9a"
ON_DARK = {Tone.GOOD: "#3bb273", Tone.CARE: "#d99a1c", Tone.BAD: "#f0705a", Tone.UNKNOWN: "#9a9da3"}
ON_LIGHT = {
    Tone.GOOD: "#1d7340",
    Tone.CARE: "#855600",
    Tone.BAD: "#b8321f",
    Tone.UNKNOWN: "#5f6268",
}


def is_light(theme: str) -> bool:
    """Whether napari's theme of that name has dark letters on a light ground."""
    red, green, blue = get_theme(theme).background.as_rgb_tuple(alpha=False)
    return bool(0.3 * red + 0.6 * green + 0.1 * blue > 128)


def colours_of(theme: str) -> str:
    """Style sheet that gives lines the colour of their tone, readable on napari's theme of that name."""
    colours = ON_LIGHT if is_light(theme) else ON_DARK
    return "".join(
        f'QLabel[tone="{tone.name}"] {{ color: {colour}; }}' for tone, colour in colours.items()
    )


class Linked(QLabel):
    """A label whose links can be read on the theme of the dock that it is in; Qt gives them the application's blue."""

    def setText(self, text: str) -> None:  # noqa: N802, D102
        self._said = text
        self.paint_links()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        self.paint_links()

    def paint_links(self) -> None:
        """Give links the colour of the theme."""
        said: str = getattr(self, "_said", "")
        around = self.parentWidget()
        while around is not None and not isinstance(around, Themed):
            around = around.parentWidget()
        if around is not None and "<a " in said:
            colour = LINK_ON_LIGHT if is_light(around.theme) else LINK_ON_DARK
            said = said.replace("<a ", f"<a style='color: {colour}' ")
        if said != self.text():
            super().setText(said)


class Line(Linked):
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
        text = in_dock(text)
        self.setProperty("tone", tone.name)
        # set anew so that the colour of the tone is looked up again
        self.setStyleSheet(f"QLabel {{ font-size: {SMALL_PX}px; }}" if self._small else "QLabel {}")
        self.setText(f"{tone.value}{text}" if text else "")
        self.setVisible(bool(text))
        if self.container is not None:
            self.container.setVisible(bool(text))


def link(target: str, text: str) -> str:
    """Rich text of a link inside a dock."""
    return f"<a href='{target}'>{text}</a>"


def tool(text: str, tip: str) -> QToolButton:
    """Small button beside a field."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip.rstrip("."))
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
    for widget in widgets if label else ():
        # what says itself what it is keeps its own name
        if not widget.accessibleName() and not isinstance(widget, QLabel | QAbstractButton):
            widget.setAccessibleName(label)
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


class FoldedSection(QCollapsible):
    """A section that a person unfolds; its sign reads on both themes."""

    def __init__(self, title: str, tip: str) -> None:
        super().__init__(title, expandedIcon=_sign("▾"), collapsedIcon=_sign("▸"))
        self.setToolTip(tip)
        self.layout().setContentsMargins(0, 0, 0, 0)


def _sign(text: str) -> QIcon:
    pixmap = QPixmap(SIGN_PX, SIGN_PX)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setPen(QColor("#8a8d93"))
    font = painter.font()
    font.setPixelSize(SIGN_PX)
    painter.setFont(font)
    painter.drawText(pixmap.rect(), Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return QIcon(pixmap)


class DropZone(Linked):
    """A place for files."""

    dropped = Signal(list)
    """Paths as text."""

    def __init__(self, text: str, tip: str) -> None:
        super().__init__()
        self.setText(text)
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
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.dropped.emit([url.toLocalFile() for url in event.mimeData().urls()])


class Themed(TakesFiles):
    """Takes files, and follows the theme of a viewer, which restyles every widget of its window when it changes."""

    dock_name = ""
    """Which of the plugin's docks it is; empty for a part of one."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self.viewer = viewer
        self._joined = False
        self.theme = ""
        self.follow_theme()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.viewer.theme != self.theme:
            self.follow_theme()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102
        super().showEvent(event)
        if self.dock_name and not self._joined:
            self._joined = True
            join_group(self)
            main_window_of(self).installEventFilter(self)

    @property
    def unfinished_work(self) -> str:
        """What would be stopped if napari were closed now, as a question; empty where nothing would."""
        return ""

    def remember_session(self) -> None:
        """Keep what is open, for the next time; napari is about to close."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, D102
        if event.type() == QEvent.Type.Close and watched is main_window_of(self):
            # a script that closes a viewer has emptied it before, and is not asked
            stopped = self.unfinished_work if len(self.viewer.layers) else ""
            if stopped and not question.ask_to_stop(self, stopped):
                event.ignore()
                return True
            self.remember_session()
        return bool(super().eventFilter(watched, event))

    def follow_theme(self) -> None:
        """Take the colours of the theme that the viewer has now."""
        self.theme = str(self.viewer.theme)
        self.setStyleSheet(colours_of(self.theme))
        for label in self.findChildren(Linked):
            label.paint_links()


class Dock(Themed):
    """Base of the docks: ``body`` scrolls, ``footer`` stays."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self.setMinimumWidth(MIN_WIDTH)
        self.body = QVBoxLayout()
        self.footer = QVBoxLayout()
        inner = QWidget()
        inner.setLayout(self.body)
        self.body.setSpacing(5)
        self._area = area = QScrollArea()
        self._part: QWidget = area
        self._scroll = after(self, 0, self._scroll_to_part)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area, 1)
        whole.addLayout(self.footer)
        self.footer.setContentsMargins(9, 0, 9, 9)
        self._removals = (viewer.layers.events.removing, viewer.layers.events.end_batch)
        for emitter in self._removals:
            emitter.connect(self._layers_go)

    def show_part(self, part: QWidget) -> None:
        """Scroll until a part of the body is in sight, as soon as the layout has been made."""
        self._part = part
        self._scroll.start()

    def _scroll_to_part(self) -> None:
        self._area.ensureWidgetVisible(self._part, 0, 0)

    def _layers_go(self) -> None:
        make_canvas_current(self)

    def let_go(self) -> None:
        """Stop everything and forget the viewer."""
        for emitter in self._removals:
            emitter.disconnect(self._layers_go)
        self.tear_down()

    def event(self, event: QEvent) -> bool:
        """Notice that napari's dock was closed: the widget then loses its parent and gets no closeEvent."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.let_go()
            # connections of its parts hold it until it is gone from Qt as well
            self.deleteLater()
        return bool(super().event(event))

    def tear_down(self) -> None:
        """Stop work, timers and callbacks; what is done is kept."""
        raise NotImplementedError
