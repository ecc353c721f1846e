"""The step "Isotropic" of the dock Upscale: cubes instead of slices, and what the test on left-out slices said."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QProgressBar, QPushButton, QSpinBox

from napari_sem_sr.axial.grid import ratio_of
from napari_sem_sr.axial.left_out.outcome import UNTESTED, is_worth_it, spoken
from napari_sem_sr.axial.settings import DEFAULT_MINUTES, IsotropicResult, IsotropicSettings
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import (
    Event,
    LeftOutScored,
    Notice,
    Progress,
    SliceDone,
    StepDone,
    UpscaleStarted,
)
from napari_sem_sr.inference.loading import preload_torch
from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import FoldedSection, Line, Tone, field, row
from napari_sem_sr.widgets.qt.eta import Eta, spoken_time
from napari_sem_sr.widgets.qt.worker import Events, Work
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

BAR_STEPS = 200
STAGES = {"test": tr("learning for the test"), "volume": tr("learning for the volume")}


def outcome_line(left_out: Any) -> tuple[str, Tone]:
    """What to say of a test, and in which tone: green where it helps, amber where it does not or nothing is known.

    Parameters
    ----------
    left_out
        As in the provenance of a volume.
    """
    if not left_out:
        return UNTESTED, Tone.CARE
    return spoken(left_out), Tone.GOOD if is_worth_it(left_out) else Tone.CARE


def default_volume(output: Path) -> Path:
    """Where the volume goes, beside where the dock's SR goes.

    Parameters
    ----------
    output
        Where the dock's SR goes.
    """
    return output.with_name(f"{output.stem.removesuffix('_sr')}_isotropic.zarr")


class IsotropicStep(FoldedSection):
    """Makes an isotropic volume of the dock's stack, in a thread of its own.

    Parameters
    ----------
    viewer
        Where the volume is shown.
    """

    started = Signal()
    ended = Signal()

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(
            tr("Isotropic volume"),
            tr("Fill in what lies between the slices, so that voxels are cubes."),
        )
        self._viewer = viewer
        self._stack: SemStack | None = None
        self._output: Path | None = None
        self._pace = Eta()
        self._work = Work(self)
        self.what_line = Line(small=True)
        self.minutes = QSpinBox()
        self.minutes.setRange(1, 24 * 60)
        self.minutes.setValue(round(DEFAULT_MINUTES))
        self.minutes.setSuffix(" min")
        self.minutes.setToolTip(
            tr(
                "For learning from the stack's own slices and for the test on slices left out; a large volume takes longer."
            )
        )
        self.button = QPushButton(tr("Make isotropic"))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setToolTip(tr("Stop now; what is done is kept and can be resumed."))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.bar.setRange(0, BAR_STEPS)
        self.state_line = Line(small=True)
        self.outcome = Line()
        self.message = Line(small=True)
        for widget in (
            self.what_line,
            field(tr("Learning"), self.minutes),
            row([self.cancel_button, self.button]),
            self.bar,
            self.state_line,
            self.outcome,
            self.message,
        ):
            self.addWidget(widget)
        self.button.clicked.connect(self._start_or_open)
        self.cancel_button.clicked.connect(self._work.cancel)
        self._work.reported.connect(self._report)
        self._work.finished.connect(self._finished)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self._work.cancelled.connect(
            lambda: self.message.say(tr("Stopped; what is done is kept."), Tone.PLAIN)
        )
        self._work.ended.connect(self._ended)
        self._show()

    def set_stack(self, stack: SemStack | None, output: Path | None) -> None:
        """Take the stack of the dock, whose SR would go to ``output``.

        Parameters
        ----------
        stack
            None for none.
        """
        if self._work.running:
            return
        if stack is not self._stack:
            self.outcome.say("")
            self.message.say("")
        self._stack = stack
        self._output = None if output is None else default_volume(output)
        self._show()

    @property
    def running(self) -> bool:
        """Whether a volume is being made."""
        return self._work.running

    def close_work(self) -> None:
        """Stop what runs; what is done is kept."""
        self._work.close()

    def _existing(self) -> bool | None:
        """Whether the volume is finished; None where there is none."""
        if self._output is None or not self._output.exists():
            return None
        try:
            provenance = read_stack(self._output).provenance
        except SemSrError:
            return None
        return provenance is not None and bool(provenance.get("model_hash")) and self._complete()

    def _complete(self) -> bool:
        assert self._output is not None
        return not any("not finished" in n for n in read_stack(self._output).notices)

    def _show(self) -> None:
        running, reason = self._work.running, ""
        if self._stack is None:
            reason = tr("Choose a stack first.")
        else:
            try:
                ratio = ratio_of(self._stack)
                z, _, x = self._stack.voxel_nm
                self.what_line.say(
                    tr(
                        "{z:g} nm slices on {x:g} nm pixels: {ratio:.3g} cubes for every voxel.",
                        z=z,
                        x=x,
                        ratio=ratio,
                    )
                )
            except SemSrError as error:
                reason = str(error)
                self.what_line.say(reason)
        found = None if running or reason else self._existing()
        texts = {None: tr("Make isotropic"), True: tr("Open volume"), False: tr("Resume")}
        self.button.setText(texts[found])
        self.button.setEnabled(not running and not reason)
        self.button.setToolTip(reason or tr("Write the volume to {output}.", output=self._output))
        self.cancel_button.setVisible(running)
        self.bar.setVisible(running)
        if not running:
            self.state_line.say("")

    def _start_or_open(self) -> None:
        stack, output = self._stack, self._output
        if stack is None or output is None:
            return
        found = self._existing()
        if found:
            self._open(output)
            return
        settings = IsotropicSettings(minutes=self.minutes.value())
        self.outcome.say("")
        self.message.say("")
        self._pace = Eta()

        def make() -> Events:
            return _iter_isotropic(stack, output, settings, resume=found is not None)

        self._work.start(f"making {output.name}", make)
        self.started.emit()
        self._show()

    def _report(self, event: Event) -> None:
        match event:
            case Notice(message):
                self.message.say(message, Tone.CARE)
            case StepDone(stage, done=done, left_s=float(left)):
                self.bar.setValue(round(BAR_STEPS * done))
                self.state_line.say(
                    tr(
                        "{value}, about {size} left in all",
                        value=STAGES[stage],
                        size=spoken_time(left),
                    )
                )
            case LeftOutScored():
                self.outcome.say(*outcome_line(vars(event)))
                # the notice says the same
                self.message.say("")
            case UpscaleStarted(_, done, total):
                self._pace.start(time.monotonic(), done, total)
            case SliceDone(_, done, _):
                self._pace.reach(time.monotonic(), done)
                self.bar.setValue(round(BAR_STEPS * self._pace.fraction))
                self.state_line.say(self._pace.spoken())
            case Progress(what, done, total):
                self.bar.setValue(round(BAR_STEPS * done / max(1, total)))
                self.state_line.say(what)

    def _finished(self, result: IsotropicResult) -> None:
        self.outcome.say(*outcome_line(result.left_out))
        self.message.say(
            tr(
                "{total} slices in '{name}', {size}.",
                total=result.total,
                name=result.output.name,
                size=spoken_time(result.seconds),
            )
        )
        self._open(result.output)

    def _open(self, output: Path) -> None:
        volume = read_stack(output)
        self.outcome.say(*outcome_line((volume.provenance or {}).get("left_out")))
        layers.add(self._viewer, layers.image_data(volume, volume.name, "SR"))

    def _ended(self) -> None:
        self._show()
        self.ended.emit()


def _iter_isotropic(
    stack: SemStack, output: Path, settings: IsotropicSettings, *, resume: bool
) -> Events:
    """Make the volume; torch is loaded in the thread of the work."""
    yield Progress(tr("loading the network"), 0, 1, "step")
    preload_torch()
    from napari_sem_sr.axial.run import iter_isotropic

    return (yield from iter_isotropic(stack, output, settings, resume=resume))
