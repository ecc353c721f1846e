"""The dock Upscale: choose a stack and a model, preview a slice, upscale all, watch, stop, resume."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone, TileDone, UpscaleStarted
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import PLUGIN, Tone, link
from napari_sem_sr.widgets.qt.eta import Pace, spoken_time
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.upscale import tasks
from napari_sem_sr.widgets.upscale.form import STEPS
from napari_sem_sr.widgets.upscale.inputs import UpscaleChoice
from napari_sem_sr.widgets.upscale.isotropic import IsotropicStep
from napari_sem_sr.widgets.upscale.live import LivePreview
from napari_sem_sr.widgets.upscale.results import Order, Results, settings_of
from napari_sem_sr.widgets.viewer import layers

if TYPE_CHECKING:
    from napari.components import ViewerModel


class UpscaleDock(UpscaleChoice):
    """Upscale a stack that is open in napari, or one that is dropped here.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self._memory = tasks.Memory()
        self._order: Order | None = None
        self._existing: tasks.Existing | None = None
        self._pace = Pace()
        self._work = Work(self)
        self.results = Results(napari_viewer, self)
        self.live = LivePreview(napari_viewer, self._memory, self)
        self.isotropic = IsotropicStep(napari_viewer)
        # above the stretch at the end
        self.body.insertWidget(self.body.count() - 1, self.isotropic)
        self._connect()
        self.fill_models()
        self._stack_chosen()

    def _connect(self) -> None:
        self.choice_changed.connect(self._choice_changed)
        self.output_changed.connect(self._look_at_output)
        self.sharpness_changed.connect(lambda: self.live.set_sharpness(self.chosen_sharpness))
        self.model_import.clicked.connect(self._import_model)
        self.live_button.toggled.connect(self._switch_live)
        self.live.said.connect(self.live_line.say)
        self.live.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self.live.stopped.connect(lambda: self.live_button.setChecked(False))
        self.preview_button.clicked.connect(self.preview)
        self.start_button.clicked.connect(self._start_or_open)
        self.again_button.clicked.connect(self._start_over)
        self.cancel_button.clicked.connect(self.cancel)
        for line in (self.message, self.card_line, self.caution_line):
            line.linkActivated.connect(self._follow_link)
        self._work.reported.connect(self._report)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self._work.cancelled.connect(self._say_cancelled)
        self._work.ended.connect(self._ended)
        self.isotropic.started.connect(self.live.pause)
        self.isotropic.ended.connect(self.live.resume)
        self._on_finish: Callable[[Any], None] = lambda _: None
        self._work.finished.connect(self._finished)
        # an output may be removed or finished by someone else
        self._watch = QTimer(self)
        self._watch.setInterval(2000)
        self._watch.timeout.connect(self._look_at_output)
        self._watch.start()

    def _choice_changed(self) -> None:
        self._look_at_output()
        self.isotropic.set_stack(self._stack, self._output)
        self._switch_live(self.live_button.isChecked())

    def _switch_live(self, on: bool) -> None:
        """Begin to upscale what is on screen, anew where the choice has changed, or stop."""
        source, stack, entry = self._source, self._stack, self.entry
        if not on or source is None or stack is None or entry is None:
            self.live.stop()
            return
        settings = UpscaleSettings(
            sharpness=self.chosen_sharpness,
            device=self.device_box.currentText(),
            precision=self.precision_box.currentText(),
        )
        self.live.start(source, stack, entry.path, settings)

    def _import_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Install a model", filter="Models (*.semsr)")
        if path:
            self._on_finish = lambda entry: self.choose_model(entry.name)
            self._begin(f"installing {Path(path).name}", lambda: tasks.iter_import(Path(path)))

    # ---- buttons

    def _look_at_output(self) -> None:
        self._existing = None
        trouble = ""
        if self._output is not None and self._stack is not None and not self._work.running:
            try:
                self._existing = tasks.look_at(self._output, self._stack)
            except SemSrError as error:
                trouble = str(error)
        self.output_label.setText("" if self._output is None else str(self._output))
        self.output_label.setToolTip(
            f"Where the result is written: {self._output or 'no stack yet'}"
        )
        self._show_buttons(trouble)

    def _show_buttons(self, trouble: str = "") -> None:
        reason = trouble
        if self._stack is None:
            reason = "Choose a stack first: drop one here, or try the sample."
        elif self.entry is None:
            reason = "No model is installed."
        elif self._work.running:
            reason = "Something is running; wait for it or cancel it."
        found = self._existing
        blocked = found is not None and not found.ours
        if found is None:
            text, tip = "Upscale all", "Upscale and write the result, slice by slice."
        elif blocked:
            text, tip = (
                "Upscale all",
                "Something else lies at the place of the result; choose another place.",
            )
            reason = reason or tip
        elif found.complete:
            text, tip = "Open result", "This result is finished; open it."
        else:
            text = f"Resume ({found.done} of {found.total})"
            tip = "Continue where it was stopped; finished slices are kept."
        self.start_button.setText(text)
        self.start_button.setEnabled(not reason)
        self.start_button.setToolTip(reason or tip)
        self.preview_button.setEnabled(not reason or blocked or bool(trouble))
        self.preview_button.setToolTip(
            (reason if not (blocked or trouble) else "")
            or "Upscale the slice on screen and show it in place; nothing is written."
        )
        self.again_button.setVisible(found is not None and found.ours and not self._work.running)
        self.again_button.setEnabled(not reason)
        self.again_button.setToolTip(reason or "Remove what is there and begin anew.")
        self.progress.setVisible(self._work.running)
        self.live_button.setEnabled(self._stack is not None and self.entry is not None)
        self.live_button.setToolTip(
            "Upscale what is on screen while you pan, zoom and scrub; nothing is written."
            if self.live_button.isEnabled()
            else reason
        )

    def _begin(self, title: str, make: Callable[[], tasks.Events]) -> None:
        self.message.say("")
        self.bar.setRange(0, 0)
        self.state_line.say("starting")
        self.cancel_button.setEnabled(True)
        self._pace = Pace()
        # one of them at a time has the processor
        self.live.pause()
        self._work.start(title, make)
        self._show_buttons()

    def preview(self) -> None:
        """Upscale the slice on screen and show it in place."""
        source, stack, entry = self._source, self._stack, self.entry
        if source is None or stack is None or entry is None:
            return
        try:
            settings = self.settings()
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        z = layers.shown_slice(self.viewer, source)
        self._order = Order(source, stack, settings)
        self._on_finish = self._show_preview
        self._begin(
            f"previewing slice {z} of {stack.name}",
            lambda: tasks.iter_preview(self._memory, stack, entry.path, settings, z),
        )

    def _start_or_open(self) -> None:
        if self._existing is not None and self._existing.complete and self._output is not None:
            self._open_result(self._output)
        else:
            self.upscale(resume=self._existing is not None)

    def _start_over(self) -> None:
        answer = QMessageBox.question(
            self,
            "Start over",
            f"Upscale '{self._output}' again from the first slice? What is there is kept until the new output is whole.",
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.upscale(overwrite=True)

    def upscale(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Upscale into the output; with ``resume`` continue what is there, with ``overwrite`` replace it."""
        source, stack, entry, output = self._source, self._stack, self.entry, self._output
        if source is None or stack is None or entry is None or output is None:
            return
        try:
            settings = self.settings()
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        if overwrite:
            self.results.forget()
        self._order = Order(source, stack, settings)
        self._on_finish = self._done
        self._begin(
            f"upscaling {stack.name}",
            lambda: tasks.iter_run(
                self._memory,
                stack,
                output,
                entry.path,
                settings,
                resume=resume,
                overwrite=overwrite,
            ),
        )

    def cancel(self) -> None:
        """Stop what runs; finished slices are kept."""
        self._work.cancel()
        self.cancel_button.setEnabled(False)
        self.state_line.say("stopping")

    # ---- while it runs

    def _report(self, event: Event) -> None:
        match event:
            case Notice(message):
                self.message.say(message, Tone.CARE)
            case UpscaleStarted(output, done, total):
                self._pace.start(time.monotonic(), done, total)
                if self._order is not None:
                    self.results.follow(self._order, output, total)
                self._show_pace()
            case SliceDone(z, done, _):
                self.results.arrived(z)
                self._pace.reach(time.monotonic(), done)
                self._show_pace()
                if self.message.text() == "":
                    self.message.say(
                        f"The first slices are there: {link('inspect', 'compare them in Inspect')}."
                    )
            case TileDone(_, done, total):
                self._pace.within(time.monotonic(), done / total)
                self._show_pace(done, total)
            case Progress(what):
                if 0 < self._pace.done < self._pace.total:
                    self._show_pace()
                else:
                    self.state_line.say(what)

    def _show_pace(self, tile: int = 0, tiles: int = 1) -> None:
        if self._pace.total:
            self.bar.setRange(0, STEPS)
            self.bar.setValue(round(STEPS * self._pace.fraction))
            self.state_line.say(self._pace.spoken())
        else:
            self.bar.setRange(0, tiles)
            self.bar.setValue(tile)
            self.state_line.say(f"tile {tile} of {tiles}")

    def _show_preview(self, result: tuple[SemStack, int]) -> None:
        sr, z = result
        if self._order is not None:
            self.results.show_preview(self._order, sr, z)
            self.message.say(f"Slice {z}: hide or show the preview with its eye to compare.")

    def _done(self, result: UpscaleResult) -> None:
        if self._order is not None:
            self.results.complete(self._order, result.output)
        self.message.say(
            f"{result.total} slices in '{result.output.name}', {spoken_time(result.seconds)}. "
            f"{link('inspect', 'Compare in Inspect')}.",
            Tone.GOOD,
        )

    def _open_result(self, output: Path) -> None:
        if self._source is not None and self._stack is not None:
            self.results.show(Order(self._source, self._stack, settings_of(output)), output)

    def _say_cancelled(self) -> None:
        self.message.say("Stopped; finished slices are kept.")

    def _finished(self, result: Any) -> None:
        self._on_finish(result)

    def _ended(self) -> None:
        self._order = None
        self._on_finish = lambda _: None
        self._look_at_output()
        self.live.resume()

    def _follow_link(self, target: str) -> None:
        docks = {"inspect": "Inspect", "train": "Train"}
        if target in docks:
            dock, _ = self.viewer.window.add_plugin_dock_widget(PLUGIN, docks[target], tabify=True)
            dock.show()
            dock.raise_()

    def tear_down(self) -> None:
        """Stop the work (what is done stays, and can be resumed) and let go of the viewer."""
        self._watch.stop()
        self._work.close()
        self.isotropic.close_work()
        self._choosing.close()
        self.opener.close()
        self.arrivals.close()
        self.live.close()
        self.results.close()
        self.chooser.disconnect_viewer()
        self._stack = self._source = self._order = None
