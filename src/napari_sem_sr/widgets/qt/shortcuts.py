"""What the keys do, shown by ``?``."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QDialog, QLabel, QShortcut, QToolButton, QVBoxLayout, QWidget

from napari_sem_sr.widgets.words import tr

KEYS: dict[str, dict[str, str]] = {
    "Compare": {
        "B": tr("blink: show the other picture"),
        "drag": tr("pan; on the curtain's line: move it"),
        "wheel": tr("zoom all panes"),
        "← →": tr("the slice before, the next"),
        "Ctrl+R": tr("the whole field again (napari)"),
    },
    "Answer check": {
        "↑ ↓  or  P N": tr("the place before, the next"),
        "R": tr("this place is real"),
        "A": tr("this place is an artifact"),
        "U": "unsure",
        "Ctrl+Z": tr("take back what was said last"),
    },
    "Anywhere in Inspect": {"?": tr("this page")},
}


def page() -> str:
    """All keys as a table."""
    parts = ["<table cellspacing='4'>"]
    for title, keys in KEYS.items():
        parts.append(f"<tr><td colspan='2'><b>{title}</b></td></tr>")
        parts += [
            f"<tr><td>{key}&nbsp;&nbsp;</td><td>{what}</td></tr>" for key, what in keys.items()
        ]
    return "".join([*parts, "</table>"])


class ShortcutsButton(QToolButton):
    """The button ``?``, and the key of that name anywhere inside ``owner``."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__()
        self.setText("?")
        self.setToolTip(tr("Keys (?)"))
        self.dialog: QDialog | None = None
        self.clicked.connect(self.show_page)
        shortcut = QShortcut(QKeySequence("?"), owner)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.show_page)

    def show_page(self) -> None:
        """Show what the keys do."""
        if self.dialog is None:
            self.dialog = QDialog(self.window())
            self.dialog.setWindowTitle(tr("Keys"))
            QVBoxLayout(self.dialog).addWidget(QLabel(page()))
        self.dialog.show()
        self.dialog.raise_()
