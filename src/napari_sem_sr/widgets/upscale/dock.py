"""The dock Upscale: choose a stack and a model, preview a slice, upscale, queue, watch, stop, resume."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.widgets.qt.dock import Tone
from napari_sem_sr.widgets.qt.dock_group import open_dock
from napari_sem_sr.widgets.qt.timers import after, every
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.upscale import sentences, tasks
from napari_sem_sr.widgets.upscale.buttons import BUSY, buttons_for, run_text
from napari_sem_sr.widgets.upscale.inputs import UpscaleChoice
from napari_sem_sr.widgets.upscale.isotropic import IsotropicStep
from napari_sem_sr.widgets.upscale.live import LivePreview
from napari_sem_sr.widgets.upscale.place import default_output, unfinished
from napari_sem_sr.widgets.upscale.queue.runs import stack_run
from napari_sem_sr.widgets.upscale.reopening import SESSION, bring_back, offer_session
from napari_sem_sr.widgets.upscale.report import UpscaleReport
from napari_sem_sr.widgets.upscale.results import Results, UpscaleRequest
from napari_sem_sr.widgets.viewer import layers, session
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

# a slider or a camera that moves asks many times
LOOK_MS, WATCH_MS = 80, 2000
NO_STACK = tr("Choose a stack first: drop one here, or try the sample.")
MODELS = tr("Models (*.semsr)")
NOT_USABLE = tr("This layer is not a stack that can be upscaled.")


class UpscaleDock(UpscaleChoice):
    """Upscale stacks that are open in napari, or are dropped here.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    dock_name = "Upscale"

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self._memory = tasks.Memory()
        self._place: Path | None = None  # of the result, by choice or by default
        self._existing: tasks.Existing | None = None
        self._unfinished: tuple[Path, tasks.Existing] | None = None
        self._work = Work(self)
        self.results = Results(napari_viewer, self)
        self.report = UpscaleReport(self, self.results)
        self.live = LivePreview(napari_viewer, self._memory, self)
        self.isotropic = IsotropicStep(napari_viewer)
        # above the stretch at the end
        self.body.insertWidget(self.body.count() - 1, self.isotropic)
        self._connect()
        self.fill_models()
        self._stack_chosen()
        offer_session(self.drop_zone)

    def _connect(self) -> None:
        self.choice_changed.connect(self._choice_changed)
        self.output_changed.connect(self._output_chosen)
        self.sharpness_changed.connect(lambda: self.live.set_sharpness(self.chosen_sharpness))
        self.model_import.clicked.connect(self._import_model)
        self.live_button.toggled.connect(self._switch_live)
        self.live.said.connect(self.live_line.say)
        self.live.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self.live.stopped.connect(lambda: self.live_button.setChecked(False))
        self.preview_button.clicked.connect(self.preview)
        self.start_button.clicked.connect(self._start_or_open)
        self.queue_button.clicked.connect(self.enqueue)
        self.queue.start_asked.connect(self._start_queue)
        self.queue.changed.connect(self._look_at_output)
        self.again_button.clicked.connect(self._start_over)
        self.cancel_button.clicked.connect(self.cancel)
        for line in (self.message, self.card_line, self.caution_line, self.run_line):
            line.linkActivated.connect(self._follow_link)
        self._work.reported.connect(self.report.show)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self._work.cancelled.connect(self.report.stopped)
        self._work.ended.connect(self._ended)
        self.isotropic.started.connect(self.live.pause)
        self.isotropic.ended.connect(self.live.resume)
        self._on_finish: Callable[[Any], None] = lambda _: None
        self._work.finished.connect(self._finished)
        # an output may be removed or finished by someone else
        self.outlook.seen.connect(lambda _: self._foresee())
        self._watch = every(self, WATCH_MS, self._look_at_output)
        self._soon = after(self, LOOK_MS, self._look_again)
        self._again = after(self, 0, self._start_queue)
        for changed in (
            self.sharpness_changed,
            self.slices_box.currentTextChanged,
            self.region_box.currentTextChanged,
            self.first_slice.valueChanged,
            self.last_slice.valueChanged,
        ):
            changed.connect(lambda *_: self._soon.start())
        self.viewer.dims.events.current_step.connect(self._look_soon)

    def _look_soon(self) -> None:
        self._soon.start()

    def _choice_changed(self) -> None:
        stack = self._stack
        self._unfinished = None if stack is None else unfinished(stack)
        self.outlook.ask(stack, self.entry)
        self._look_at_output()
        self.isotropic.set_stack(stack, self._place)
        self._switch_live(self.live_button.isChecked())

    def _look_again(self) -> None:
        self._look_at_output()
        self._foresee()

    def _foresee(self) -> None:
        """Have it said what gain is to be expected of the whole stack."""
        if self._stack is not None and self.entry is not None:
            settings = replace(self.how, region=self.image_region)
            self.outlook.foresee(self._memory, self._stack, self.entry, settings)

    def _switch_live(self, on: bool) -> None:
        """Begin to upscale what is on screen, anew where the choice has changed, or stop."""
        source, stack, entry = self._source, self._stack, self.entry
        if not on or source is None or stack is None or entry is None:
            self.live.stop()
            return
        self.live.start(source, stack, entry.path, self.how)

    def _import_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Install a model"), filter=MODELS)
        if path and self._work.running:
            self.message.say(BUSY, Tone.CARE)
        elif path:
            self._on_finish = lambda entry: self.choose_model(entry.name)
            self._begin(f"installing {Path(path).name}", lambda: tasks.iter_import(Path(path)))

    # ---- where it goes, and what is there

    def _output_chosen(self) -> None:
        """Take the form from a run that is unfinished where a person wants the result."""
        self._look_at_output()
        found = self._existing
        if found is not None and found.recorded is not None and not found.complete:
            self.show_run(found.recorded, self._stack)

    def _look_at_output(self) -> None:
        trouble = ""
        settings: UpscaleSettings | None = None
        self._place = self._existing = None
        stack, entry = self._stack, self.entry
        if stack is not None and entry is not None:
            try:
                settings = self.settings()
                self._place = self._output or default_output(stack, entry.card, settings)
                if not self.runs.holds(self._place):
                    self._existing = tasks.look_at(self._place, stack)
            except SemSrError as error:
                trouble = str(error)
        self.output_label.setText("" if self._place is None else str(self._place))
        self.output_label.setToolTip(sentences.place(self._place))
        beside = self._unfinished
        if beside is not None and (beside[0] == self._place or self.runs.holds(beside[0])):
            beside = None
        self.run_line.say(run_text(self._existing, beside))
        reason = ""
        if stack is None:
            reason = NO_STACK if self._source is None else NOT_USABLE
        elif entry is None:
            reason = tr("No model is installed.")
        self.show_buttons(
            buttons_for(
                stack,
                settings,
                self._existing,
                reason,
                trouble,
                waiting=self._place is not None and self.runs.holds(self._place),
                running=self._work.running,
                queue_runs=self.runs.current is not None,
            )
        )
        self.progress.setVisible(self._work.running)
        self.queue.show_runs(running=self._work.running)

    # ---- buttons

    def _begin(self, title: str, make: Callable[[], tasks.Events]) -> None:
        self.report.begin()
        # one of them at a time has the processor
        self.live.pause()
        self.outlook.pause()
        self._work.start(title, make)
        self._look_at_output()

    def preview(self) -> None:
        """Upscale the slice on screen and show it in place."""
        source, stack, entry = self._source, self._stack, self.entry
        if source is None or stack is None or entry is None or self._work.running:
            return
        try:
            settings = self.settings()
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        z = layers.shown_slice(self.viewer, source)
        request = UpscaleRequest(source, stack, settings)
        self._on_finish = partial(self.report.show_preview, request)
        self._begin(
            f"previewing slice {z} of {stack.name}",
            lambda: tasks.iter_preview(self._memory, stack, entry.path, settings, z),
        )

    def _start_or_open(self) -> None:
        found = self._existing
        if self._work.running:
            self.enqueue()
        elif found is not None and found.complete:
            self._open_result()
        else:
            self.upscale(resume=found is not None)

    def _start_over(self) -> None:
        if sentences.ask_to_start_over(self, self._place):
            self.upscale(overwrite=True)

    def upscale(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Upscale into the output; with ``resume`` continue what is there, with ``overwrite`` replace it."""
        if self.enqueue(resume=resume, overwrite=overwrite):
            self._start_queue()

    def enqueue(self, *_: object, resume: bool | None = None, overwrite: bool = False) -> bool:
        """Put what is chosen, or the run that is there as it was begun, at the end of the queue; whether it could be."""
        self._look_at_output()
        source, stack, entry, output = self._source, self._stack, self.entry, self._place
        if source is None or stack is None or entry is None or output is None:
            return False
        if self.runs.holds(output):
            return False
        recorded = None if self._existing is None else self._existing.recorded
        resume = (self._existing is not None) if resume is None else resume
        try:
            settings = self.settings()
            if resume and recorded is not None:
                settings = recorded.settings(self.device_box.currentText())
                entry = tasks.model_of_run(recorded)
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return False
        if overwrite:
            self.results.forget()
        request = UpscaleRequest(source, stack, settings, self.check_box.isChecked())
        self.runs.waiting.append(
            stack_run(self._memory, request, entry, output, resume=resume, overwrite=overwrite)
        )
        self._look_at_output()
        return True

    def _start_queue(self) -> None:
        if self.runs.waiting and not self._work.running:
            # something may be added just when the queue has ended
            self._on_finish = lambda _: self._again.start()
            self._begin(f"upscaling {self.runs.waiting[0].name}", self.runs.events)

    def cancel(self) -> None:
        """Stop what runs; finished slices are kept."""
        self._work.cancel()
        self.cancel_button.setEnabled(False)
        self.state_line.say(tr("stopping"))

    def _open_result(self) -> None:
        source, stack, output, found = self._source, self._stack, self._place, self._existing
        if source is None or stack is None or output is None or found is None:
            return
        recorded = found.recorded
        if recorded is None:
            self.message.say(sentences.unmade(output.name), Tone.BAD)
            return

        def show(settings: UpscaleSettings) -> None:
            self.results.show(UpscaleRequest(source, stack, settings), output)

        self._on_finish = show
        self._begin(f"opening {output.name}", lambda: tasks.iter_open(stack, output, recorded))

    # ---- the end of it

    def remember_session(self) -> None:
        """Keep what is open and chosen, for the next time."""
        session.remember(self.viewer, chosen=None if self._source is None else self._source.name)

    def zone_link(self, target: str) -> None:
        """Follow a link of the empty dock."""
        last = session.last_session()
        if target != SESSION or last is None:
            super().zone_link(target)
        elif not self._work.running:
            self._on_finish = partial(bring_back, self.viewer, self.chooser, last)
            self._begin("reopening the last session", lambda: session.iter_read(last))

    @property
    def unfinished_work(self) -> str:
        """What would be stopped if napari were closed now, as a question; empty where nothing would."""
        return self.runs.question() if self._work.running else ""

    def _finished(self, result: Any) -> None:
        self._on_finish(result)

    def _ended(self) -> None:
        self._on_finish = lambda _: None
        self._unfinished = None if self._stack is None else unfinished(self._stack)
        self._look_at_output()
        self.live.resume()
        self.outlook.resume()
        if self._source is not None:
            self.remember_session()

    def _follow_link(self, target: str) -> None:
        if target in ("inspect", "train"):
            open_dock(self.viewer, target.title())
        elif target == "unfinished" and self._unfinished is not None:
            path, existing = self._unfinished
            if existing.recorded is not None:
                self.show_run(existing.recorded, self._stack)
            self._look_at_output()
            if self._place != path:
                self.set_output(path)

    def tear_down(self) -> None:
        """Stop the work (what is done stays, and can be resumed) and let go of the viewer."""
        self._watch.stop()
        self._soon.stop()
        self.outlook.close_work()
        self.isotropic.close_work()
        self.viewer.dims.events.current_step.disconnect(self._look_soon)
        self.runs.waiting.clear()
        for part in (self._choosing, self.opener, self.arrivals, self._work, self.live):
            part.close()
        self.results.close()
        self.chooser.disconnect_viewer()
        self._stack = self._source = None
