"""The dock Train: train a model from the teachers that were chosen, stop, resume, use it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QMessageBox

from napari_sem_sr.events import Event, StepDone
from napari_sem_sr.model import zoo
from napari_sem_sr.training.loop.unfinished import Unfinished, find_unfinished, remove_unfinished
from napari_sem_sr.widgets.qt.dock import Tone, link
from napari_sem_sr.widgets.qt.dock_group import open_dock
from napari_sem_sr.widgets.qt.worker import Events
from napari_sem_sr.widgets.train import tasks
from napari_sem_sr.widgets.train.form import EPOCHS, FACTORS, MINUTES
from napari_sem_sr.widgets.train.inputs import TrainChoice
from napari_sem_sr.widgets.train.report import TrainReport
from napari_sem_sr.widgets.viewer import card_view
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel


class TrainDock(TrainChoice):
    """Train a model from teacher images.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    dock_name = "Train"

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self._unfinished: Unfinished | None = None
        self._training: Path | None = None
        """Where the model goes while it is being trained."""
        self._model: str | None = None
        """Name of the model that was trained last."""
        self.report = TrainReport(self, napari_viewer)
        self.changed.connect(self._show_buttons)
        self.watch_box.toggled.connect(lambda on: None if on else self.report.view.restore())
        self.train_button.clicked.connect(self.train)
        self.pause_button.clicked.connect(self._pause_or_go_on)
        self.stop_button.clicked.connect(self.stop)
        self.use_button.clicked.connect(self.use_model)
        self.message.linkActivated.connect(self._follow_link)
        self._work.reported.connect(self._report)
        self._work.finished.connect(self._finished)
        self._work.failed.connect(self._failed)
        self._work.cancelled.connect(self._stopped)
        self._work.ended.connect(self._ended)
        self._show_teachers()
        self._look_for_unfinished()

    @property
    def unfinished_work(self) -> str:
        """What would be stopped if napari were closed now, as a question; empty where nothing would."""
        if self._training is None or not self._work.running:
            return ""
        return tr(
            "'{name}' is being trained. Stop? What it has learned is kept, and can be resumed.",
            name=self._training.name,
        )

    def _show_buttons(self) -> None:
        training = self._training is not None
        name = self.name_edit.text().strip()
        reason = ""
        if not self.list.teachers:
            reason = tr("Add teacher images first: drop some here, or try the sample.")
        elif self._work.running:
            reason = tr("Something is running; wait for it or stop it.")
        elif not name or Path(name).name != name or name.startswith("."):
            reason = tr("Give the model a name that can be a file name.")
        elif self._target.exists():
            reason = tr("A model '{name}' is there already; give another name.", name=name)
        elif self._unfinished is not None and self._unfinished.out == self._target:
            reason = tr(
                "A training of '{name}' is unfinished; resume or remove it, or give another name.",
                name=name,
            )
        self.train_button.setEnabled(not reason)
        self.train_button.setToolTip(reason or tr("Train a model from these teachers."))
        self.train_button.setVisible(not training)
        self.use_button.setVisible(self._model is not None and not training)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(training)
            button.setEnabled(self._work.running)
        self.progress.setVisible(self._work.running)
        self.watch_box.setVisible(training)
        for widget in (
            self.list, self.add, self.remove, self.pixel_edit, self.split_again, self.chooser,
            self.factor_box, self.start_box, self.name_edit, self.budget_box, self.unit_box, self.device_box,
            self.share_box,
        ):  # fmt: skip
            widget.setEnabled(not self._work.running)

    # ---- training

    def train(self) -> None:
        """Train with what the dock shows."""
        teachers, settings, out = self.list.teachers, self.settings(), self._target
        stack, start = self._stack, self.start_box.currentData().entry
        self._start(out, lambda: tasks.iter_new(teachers, settings, out, stack, start))

    def resume(self) -> None:
        """Go on with the unfinished training that was found."""
        found = self._unfinished
        if found is None or self._work.running:
            return
        self._start(found.out, lambda: tasks.iter_resumed(found))
        self._show_settings(found)

    def _start(self, out: Path, make: "Callable[[], Events]") -> None:
        self._training, self._model = out, None
        self.setup.collapse(animate=False)
        self.pause_button.setText(tr("Pause"))
        self.report.begin_training()
        self._on_finish = self._trained
        self._begin(f"training {out.name}", make)

    def _begin(self, title: str, make: "Callable[[], Events]") -> None:
        self.report.begin()
        super()._begin(title, make)

    def _show_settings(self, found: Unfinished) -> None:
        settings = found.settings
        self.name_edit.setText(found.out.name)
        self._named_by_hand = True
        self.factor_box.setCurrentIndex(FACTORS.index(settings.factor))
        begun = None if found.start is None else zoo.entry_with(found.start)
        self.start_box.setCurrentIndex(
            next(
                (
                    n
                    for n in range(self.start_box.count())
                    if self.start_box.itemData(n).entry == begun
                ),
                -1,
            )
        )
        self.unit_box.setCurrentText(MINUTES if settings.epochs is None else EPOCHS)
        self.budget_box.setValue(round(settings.epochs or settings.minutes or 1))
        self.share_box.setValue(100 * settings.gan_share)
        self._seed = settings.seed

    def _pause_or_go_on(self) -> None:
        if self._work.paused:
            self._work.go_on()
            self.pause_button.setText(tr("Pause"))
        else:
            self._work.pause()
            self.pause_button.setText(tr("Continue"))
            self.state_line.say(tr("paused; napari may be closed, the training is kept"))

    def stop(self) -> None:
        """Stop what runs; a training is kept and can be resumed."""
        self._work.cancel()
        self.stop_button.setEnabled(False)
        self.pause_button.setEnabled(False)
        self.state_line.say(tr("stopping"))

    def _report(self, event: Event) -> None:
        if isinstance(event, tasks.TeachersRead):
            self.list.replace(event.listed)
            self._show_teachers()
        # the line that says it is paused stays
        elif not (isinstance(event, StepDone) and self._work.paused):
            self.report.show(event)

    # ---- the end of it

    def _finished(self, result: Any) -> None:
        self._on_finish(result)

    def _trained(self, model: Any) -> None:
        self._model = model.card.name
        better = model.card.beats_bicubic
        self.message.say(
            tr("'{name}' is ready: {gain}.", name=model.card.name, gain=card_view.gain(model.card)),
            Tone.GOOD if better else Tone.CARE,
        )

    def _failed(self, text: str) -> None:
        if self._training is None and "--grey" in text:
            text = f"{text.split(';', maxsplit=1)[0]}: {link('grey', tr('convert it to grey'))}?"
        elif self._training is None and "--elsewhere" in text:
            text = f"{text.split(';', maxsplit=1)[0]}: {link('elsewhere', tr('read them, as you trust it'))}?"
        self.message.say(text, Tone.BAD)

    def _stopped(self) -> None:
        if self._training is None:
            self.message.say(tr("Stopped."))

    def _ended(self) -> None:
        training, self._training = self._training, None
        self._on_finish = lambda _: None
        if training is not None:
            self.report.end_training()
            if self._model is None:
                self.setup.expand(animate=False)
                self._look_for_unfinished()
        self._show_buttons()

    def _look_for_unfinished(self) -> None:
        found = find_unfinished(zoo.user_folder())
        self._unfinished = found[0] if found else None
        if self._unfinished is not None:
            # an error that stopped a training stays in sight
            before = f"{self.message.text()}<br>" if self.message.text() else ""
            self.message.say(
                f"{before}{self._unfinished.described()} {link('resume', tr('Resume'))} · "
                f"{link('remove', tr('remove'))}"
            )
        self._show_buttons()

    def _follow_link(self, target: str) -> None:
        if target == "resume":
            self.resume()
        elif target == "grey":
            self.add_paths(self._refused, grey=True)
        elif target == "elsewhere":
            self.add_paths(self._refused, elsewhere=True)
        elif target == "remove" and self._unfinished is not None:
            answer = QMessageBox.question(
                self,
                tr("Remove"),
                tr("Remove the unfinished training of '{name}'?", name=self._unfinished.out.name),
            )
            if answer == QMessageBox.StandardButton.Yes:
                remove_unfinished(self._unfinished)
                self.message.say("")
                self._look_for_unfinished()

    def use_model(self) -> None:
        """Choose the model that was trained last in the Upscale dock."""
        open_dock(self.viewer, "Upscale").choose_model(self._model)

    def tear_down(self) -> None:
        """Stop the training (it can be resumed) and let go of the viewer."""
        self._work.close()
        self.report.view.restore_at_once()
        if self.match_view is not None:
            self.match_view.close()
        self.curves.disconnect_viewer()
        self.chooser.disconnect_viewer()
