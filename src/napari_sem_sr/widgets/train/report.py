"""What a training says, shown on the form of the dock Train."""

import time
from typing import TYPE_CHECKING

from napari_sem_sr.events import (
    Evaluated,
    Event,
    Judged,
    Notice,
    PatchSeen,
    Progress,
    StageStarted,
    StepDone,
)
from napari_sem_sr.widgets.qt.dock import Tone
from napari_sem_sr.widgets.qt.eta import Steps, spoken_time
from napari_sem_sr.widgets.train.canvas import TrainView
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sem_sr.widgets.train.form import TrainForm

STEPS = 1000
# More would push the buttons around.
SHOWN_NOTICES = 3
TONES = {True: Tone.GOOD, False: Tone.CARE, None: Tone.PLAIN}
STAGES = {"twin": "twin", "gan": "SRGAN"}


class TrainReport:
    """Shows each event of long work where it belongs: lines, bar, curves, and the patch on the canvas.

    Parameters
    ----------
    form
        Whose lines are written on.
    viewer
        For the patch.
    """

    def __init__(self, form: "TrainForm", viewer: "ViewerModel") -> None:
        self._form = form
        self.view = TrainView(viewer)
        self.epochs = 0.0
        """Epochs of all stages of the part that is being trained."""
        self._epochs_before = 0.0
        self._stage = StageStarted("twin", 0, 1)
        self._notices: list[str] = []
        self._steps = Steps()

    def begin(self) -> None:
        """Something begins."""
        self._notices = []

    def begin_training(self) -> None:
        """A training begins: nothing is known of it."""
        self._stage = StageStarted("twin", 0, 1)
        self._epochs_before = self.epochs = 0.0
        form = self._form
        form.curves.begin()
        form.verdict_line.say("")
        form.scores_line.say("")
        form.budget_line.say(tr("epochs and time left show after the first steps"))

    def end_training(self) -> None:
        """The canvas belongs to its owner again."""
        self.view.restore()
        self._form.budget_line.say("")

    def show(self, event: Event) -> None:
        """Show one event.

        Parameters
        ----------
        event
            What training says.
        """
        form = self._form
        match event:
            case Notice(message):
                self._notices = [*self._notices, message][-SHOWN_NOTICES:]
                form.message.say("<br>".join(self._notices), Tone.CARE)
            case Progress(_, done, total, _):
                form.bar.setRange(0, total)
                form.bar.setValue(done)
                form.state_line.say(self._steps.spoken(time.monotonic(), event))
            case StageStarted():
                self._begin_stage(event)
            case StepDone():
                self._show_step(event)
            case Evaluated():
                self._show_scores(event)
            case Judged(sentence, sound):
                form.verdict_line.say(sentence, TONES[sound])
            case PatchSeen():
                if form.watch_box.isChecked():
                    self.view.show(event)

    def _begin_stage(self, event: StageStarted) -> None:
        if event.part != self._stage.part:
            self.epochs = 0.0
        self._epochs_before, self._stage = self.epochs, event
        self._form.curves.begin_stage(event.stage, self._epochs_before, event.part)

    def _show_step(self, event: StepDone) -> None:
        form = self._form
        self.epochs = self._epochs_before + event.step / self._stage.steps_per_epoch
        form.bar.setRange(0, STEPS)
        form.bar.setValue(round(STEPS * event.done))
        of = (
            ""
            if event.epochs is None
            else tr(
                " of {value}{epochs}", value="≈ " * (self._stage.epochs == 0), epochs=event.epochs
            )
        )
        parts = [
            self._stage.part,
            STAGES[event.stage],
            tr("epoch {epoch}{of}", epoch=event.epoch, of=of),
            "" if event.left_s is None else tr("{size} left", size=spoken_time(event.left_s)),
        ]
        form.state_line.say(" · ".join(part for part in parts if part))
        form.state_line.setToolTip(
            tr(
                "step {step} · {value:.1f} million HR pixels shown · {size}",
                step=event.step,
                value=event.pixels / 1000000.0,
                size=spoken_time(event.seconds),
            )
        )
        if event.left_s is not None:
            whole = spoken_time(event.seconds + event.left_s)
            # with a budget in epochs nobody knows how long the scores at the end take
            then = tr(", then scores") if self._stage.epochs else ""
            form.budget_line.say(
                tr("about {whole} in all on this machine{then}", whole=whole, then=then)
            )

    def _show_scores(self, event: Evaluated) -> None:
        scores = event.scores
        self.epochs = self._epochs_before + event.step / self._stage.steps_per_epoch
        self._form.curves.add(
            self.epochs,
            scores["psnr"] - scores["bicubic_psnr"],
            scores["train_psnr"] - scores["train_bicubic_psnr"],
        )
        self._form.scores_line.say(
            tr(
                "never seen: {value:.2f} dB, SSIM {value2:.3f}, detail {value3:+.1f} dB of HR's · bicubic: {value4:.2f} dB, {value5:.3f}, {value6:+.1f} dB",
                value=scores["psnr"],
                value2=scores["ssim"],
                value3=scores["detail_db"],
                value4=scores["bicubic_psnr"],
                value5=scores["bicubic_ssim"],
                value6=scores["bicubic_detail_db"],
            )
        )
