"""One line beside the button: whether the chosen model knows such a stack, and what gain is to be expected."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sem_sr.checking.outlook import Colour, Foreseen, Outlook, iter_outlook, with_gain
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.zoo import Entry, list_models
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import Line, Tone, link
from napari_sem_sr.widgets.qt.timers import after
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.upscale.tasks import Memory, iter_expected
from napari_sem_sr.widgets.words import spoken, tr

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
# and the slider of sharpness is moved to and fro
SETTLED_MS = 700
WHY, USE, TWIN = "why", "use", "twin"


@dataclass(frozen=True)
class _Question:
    """What the gain is asked of, so that nothing is computed twice."""

    memory: Memory = field(compare=False)
    stack: SemStack
    entry: Entry
    settings: UpscaleSettings

    def answer(self) -> "Events":
        """Find a `Foreseen`, or None."""
        return iter_expected(self.memory, self.stack, self.entry, self.settings)


class OutlookView(QWidget):
    """Looks at the stack in a thread of its own whenever stack or model change, then at samples of its SR."""

    model_wanted = Signal(str)
    """A person wants the model that fits better."""
    twin_wanted = Signal()
    """A person wants sharpness 0."""
    seen = Signal(object)
    """What was found, an `Outlook`."""

    def __init__(self) -> None:
        super().__init__()
        self.outlook: Outlook | None = None
        self.foreseen: Foreseen | None = None
        self._asked: tuple[SemStack, Entry] | None = None
        self._looked_at: tuple[SemStack, Entry] | None = None
        self._work = Work(self)
        self._wanted: _Question | None = None
        self._sampled: _Question | None = None
        self._measured: _Question | None = None
        self._paused = False
        self._samples = Work(self)
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
        self._settled = after(self, SETTLED_MS, self._measure)
        self._samples.finished.connect(self._show_gain)
        self._samples.failed.connect(self._samples_failed)
        self._samples.ended.connect(self._settled.start)
        self.ask(None, None)

    def ask(self, stack: SemStack | None, entry: Entry | None) -> None:
        """Say soon what is to be expected of a model on a stack; nothing where one is missing."""
        asked = None if stack is None or entry is None else (stack, entry)
        if asked is not None and asked == self._asked:
            return
        self._asked, self.outlook = asked, None
        self._wanted = self._measured = self.foreseen = None
        self._work.cancel()
        self._samples.cancel()
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
        self._say(outlook)
        self.seen.emit(outlook)

    def _say(self, outlook: Outlook, more: str = "") -> None:
        links = []
        if outlook.sharper_than_good:
            links.append(f"{link(TWIN, tr('Set it to 0'))}.")
        if outlook.better:
            links.append(f"{link(USE, tr('Use {better}', better=outlook.better))}.")
        said = [outlook.sentence, *links, more, link(WHY, tr("why…"))]
        self.line.say(" ".join(part for part in said if part), TONES[outlook.colour])
        self.line.setToolTip(spoken(outlook.why))
        folded = self.why.isHidden()
        self.why.say(outlook.why)
        self.why.setVisible(not folded)

    # ---- the gain that is to be expected

    def foresee(
        self, memory: Memory, stack: SemStack, entry: Entry, settings: UpscaleSettings
    ) -> None:
        """Say soon what gain is to be expected, once it is said whether the model knows the stack."""
        wanted = _Question(memory, stack, entry, settings)
        if self.outlook is None or wanted == self._wanted:
            return
        self._wanted = wanted
        self._samples.cancel()
        self._say(self.outlook, tr("Measuring on samples what gain to expect."))
        self._settled.start()

    def pause(self) -> None:
        """Leave the processor to something else."""
        self._paused = True
        self._samples.cancel()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        self._settled.start()

    def _measure(self) -> None:
        wanted = self._wanted
        if wanted is None or self._paused or self._samples.running or wanted == self._measured:
            return
        self._sampled = wanted
        self._samples.start("foreseeing the gain", wanted.answer)

    def _show_gain(self, foreseen: Foreseen | None) -> None:
        if self.outlook is None or self._wanted != self._sampled:
            return
        self._measured, self.foreseen = self._sampled, foreseen
        self._say(with_gain(self.outlook, foreseen))

    def _samples_failed(self, why: str) -> None:
        self._measured = self._sampled
        self.line.say(why, Tone.CARE)

    def _follow(self, target: str) -> None:
        if target == WHY:
            self.why.setVisible(self.why.isHidden())
        elif target == TWIN:
            self.twin_wanted.emit()
        elif self.outlook is not None and self.outlook.better is not None:
            self.model_wanted.emit(self.outlook.better)

    def close_work(self) -> None:
        """Hear no more of what runs."""
        for timer in (self._timer, self._settled):
            timer.stop()
        for work in (self._work, self._samples):
            work.close()
