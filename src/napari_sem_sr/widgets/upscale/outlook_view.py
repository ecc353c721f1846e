"""One line beside the button: whether the chosen model knows such a stack."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sem_sr.checking.outlook import Colour, Outlook, iter_outlook
from napari_sem_sr.model.zoo import Entry, list_models
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import Line, Tone, link
from napari_sem_sr.widgets.qt.timers import after
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari_sem_sr.widgets.qt.worker import Events

TONES: dict[Colour, Tone] = {
    "green": Tone.GOOD,
    "amber": Tone.CARE,
    "red": Tone.BAD,
    "grey": Tone.UNKNOWN,
}
# models are often looked through one after the other
DELAY_MS = 300
WHY, USE = "why", "use"


class OutlookView(QWidget):
    """Looks at the stack in a thread of its own whenever stack or model change."""

    model_wanted = Signal(str)
    """A person wants the model that fits better."""
    seen = Signal(object)
    """What was found, an `Outlook`."""

    def __init__(self) -> None:
        super().__init__()
        self.outlook: Outlook | None = None
        self._asked: tuple[SemStack, Entry] | None = None
        self._looked_at: tuple[SemStack, Entry] | None = None
        self._work = Work(self)
        self.line = Line(small=True)
        self.why = Line(small=True)
        self.why.setContentsMargins(14, 0, 0, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.line)
        column.addWidget(self.why)
        self._timer = after(self, DELAY_MS, self._look)
        self.line.linkActivated.connect(self._follow)
        self._work.finished.connect(self.show_outlook)
        self._work.failed.connect(lambda text: self.line.say(text, Tone.CARE))
        self._work.ended.connect(self._ended)
        self.ask(None, None)

    def ask(self, stack: SemStack | None, entry: Entry | None) -> None:
        """Say soon what is to be expected of a model on a stack; nothing where one is missing."""
        asked = None if stack is None or entry is None else (stack, entry)
        if asked is not None and asked == self._asked:
            return
        self._asked, self.outlook = asked, None
        self._work.cancel()
        self.why.say("")
        self.line.say("" if asked is None else tr("checking whether the model knows such a stack"))
        if asked is None:
            self._timer.stop()
        else:
            self._timer.start()

    def _look(self) -> None:
        if self._work.running or self._asked is None:
            return
        stack, entry = self._asked

        def look() -> "Events":
            return iter_outlook(stack, entry, list_models())

        self._looked_at = self._asked
        self._work.start(f"looking at {stack.name}", look)

    def _ended(self) -> None:
        if self._asked is not None and self._asked != self._looked_at:
            self._timer.start()

    def show_outlook(self, outlook: Outlook) -> None:
        """Show what was found, unless something else has been asked meanwhile."""
        if self._asked != self._looked_at:
            return
        self.outlook = outlook
        use = f" {link(USE, tr('Use {better}', better=outlook.better))}." if outlook.better else ""
        self.line.say(f"{outlook.sentence}{use} {link(WHY, tr('why…'))}", TONES[outlook.colour])
        self.line.setToolTip(outlook.why)
        self.why.say(outlook.why)
        self.why.hide()
        self.seen.emit(outlook)

    def _follow(self, target: str) -> None:
        if target == WHY:
            self.why.setVisible(self.why.isHidden())
        elif self.outlook is not None and self.outlook.better is not None:
            self.model_wanted.emit(self.outlook.better)

    def close_work(self) -> None:
        """Hear no more of what runs."""
        self._timer.stop()
        self._work.close()
