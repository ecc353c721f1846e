"""The verdict of a check: one sentence, four lights with their reasons, and what could not be judged."""

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.verdict import Colour, Light, lights
from napari_sem_sr.widgets.qt.dock import Line, Tone, link
from napari_sem_sr.widgets.words import spoken, tr

TONES: dict[Colour, Tone] = {
    "green": Tone.GOOD,
    "amber": Tone.CARE,
    "red": Tone.BAD,
    "grey": Tone.UNKNOWN,
}


class LightLine(QWidget):
    """A question and its answer; the reason unfolds."""

    def __init__(self, light: Light) -> None:
        super().__init__()
        self.line = Line(small=True)
        self.why = Line(light.why, small=True)
        self.why.setContentsMargins(14, 0, 0, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.line)
        column.addWidget(self.why)
        self.why.hide()
        self.line.say(
            f"{spoken(light.question)} <b>{spoken(light.answer)}</b> {link('why', tr('why…'))}",
            TONES[light.colour],
        )
        self.line.setToolTip(spoken(light.why))
        self.line.linkActivated.connect(lambda _: self.why.setVisible(self.why.isHidden()))


class VerdictView(QWidget):
    """What a report says on top."""

    def __init__(self) -> None:
        super().__init__()
        self.sentence = Line()
        self.lights: list[LightLine] = []
        self.limits_link = Line(small=True)
        self.limits = Line(small=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3)
        for line in (self.sentence, self.limits_link, self.limits):
            self._column.addWidget(line)
        self.limits_link.linkActivated.connect(
            lambda _: self.limits.setVisible(self.limits.isHidden())
        )

    def show_report(self, report: Report | None) -> None:
        """Show what a report says, or nothing."""
        for line in self.lights:
            line.setParent(None)
            line.deleteLater()
        self.lights = []
        self.limits_link.say("")
        self.limits.say("")
        self.sentence.say("" if report is None else report.verdict)
        if report is None:
            return
        for place, light in enumerate(lights(report)):
            line = LightLine(light)
            self.lights.append(line)
            self._column.insertWidget(place, line)
        if report.limits:
            self.limits_link.say(
                link("limits", tr("{count} things to keep in mind…", count=len(report.limits)))
            )
            self.limits.say("\n".join(f"• {limit}" for limit in report.limits))
            self.limits.hide()
