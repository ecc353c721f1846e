"""The dock Train: gather teachers, train a model from them, watch it learn, stop, resume, use it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from napari_sem_sr.errors import SemSrError
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
from napari_sem_sr.model import zoo
from napari_sem_sr.pairing.scale import SAME, factor_between
from napari_sem_sr.pairing.teachers import Teacher, split_teachers
from napari_sem_sr.stack import SemStack
from napari_sem_sr.training.few import are_few, split_in_turn
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.unfinished import Unfinished, find_unfinished, remove_unfinished
from napari_sem_sr.widgets import card_view, layers, train_jobs
from napari_sem_sr.widgets.dock import PLUGIN, Tone, link
from napari_sem_sr.widgets.pace import spoken_time
from napari_sem_sr.widgets.picture_dialog import PictureDialog
from napari_sem_sr.widgets.teacher_list import Listed
from napari_sem_sr.widgets.train_form import EPOCHS, FACTORS, MINUTES, USUAL, TrainForm
from napari_sem_sr.widgets.train_view import TrainView
from napari_sem_sr.widgets.work import Events, Work

if TYPE_CHECKING:
    from napari.components import ViewerModel

STEPS = 1000
# More would push the buttons around.
SHOWN_NOTICES = 3
TONES = {True: Tone.GOOD, False: Tone.CARE, None: Tone.PLAIN}
STAGES = {"twin": "twin", "gan": "SRGAN"}


class TrainDock(TrainForm):
    """Train a model from teacher images.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self._seed = 0
        self._stack: SemStack | None = None
        """The stack that the model is for."""
        self._unfinished: Unfinished | None = None
        self._training: Path | None = None
        """Where the model goes while it is being trained."""
        self._model: str | None = None
        """Name of the model that was trained last."""
        self._named_by_hand = False
        self._notices: list[str] = []
        self.match_view: PictureDialog | None = None
        self._refused: list[Path] = []
        self._stage = StageStarted("twin", 0, 1)
        self._epochs_before = 0.0
        self._epochs = 0.0
        self._view = TrainView(napari_viewer)
        self._work = Work(self)
        self._on_finish: Callable[[Any], None] = lambda _: None
        self.share_box.setValue(100 * TrainSettings.model_fields["gan_share"].default)
        self._connect()
        self._show_teachers()
        self._look_for_unfinished()

    def _connect(self) -> None:
        self.drop_zone.dropped.connect(lambda paths: self.add_paths([Path(p) for p in paths]))
        self.drop_zone.linkActivated.connect(lambda _: self.open_sample())
        self.add_files.triggered.connect(self._browse)
        self.add_folder.triggered.connect(self._browse_folder)
        self.add_layers.triggered.connect(self.add_selected_layers)
        self.add_sample.triggered.connect(self.open_sample)
        self.remove.clicked.connect(self.list.remove_selected)
        self.list.edited.connect(self._show_teachers)
        self.databar_line.linkActivated.connect(lambda _: self._keep_databars())
        self.pixel_edit.clicked.connect(self._edit_pixel)
        self.split_again.clicked.connect(self._draw_split_again)
        self.chooser.chosen.connect(self._fit_stack)
        self.fit_line.linkActivated.connect(lambda _: self.show_match())
        self.factor_box.currentIndexChanged.connect(lambda _: self._show_buttons())
        self.name_edit.textEdited.connect(self._name_typed)
        self.unit_box.currentTextChanged.connect(self._unit_chosen)
        self.watch_box.toggled.connect(lambda on: None if on else self._view.restore())
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

    # ---- teachers

    def add_paths(self, paths: list[Path], *, grey: bool = False) -> None:
        """Add image files and folders of images as teachers."""
        if paths:
            self._refused = paths
            self._read(lambda: train_jobs.iter_read(paths, grey=grey))

    def add_selected_layers(self) -> None:
        """Add the selected image layers as teachers, every slice of a stack."""
        chosen = [la for la in self.viewer.layers.selection if isinstance(la, Image)]
        if not chosen:
            self.message.say("Select one or more image layers in napari's list first.", Tone.CARE)
            return
        try:
            stacks = [layers.stack_of(layer) for layer in chosen]
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self._read(lambda: train_jobs.iter_slices(stacks))

    def open_sample(self) -> None:
        """Add the slices of the bundled sample: one specimen, to see how it goes."""
        from napari_sem_sr.samples import medulla_hr

        self._read(lambda: train_jobs.iter_slices([medulla_hr()]))

    def _read(self, make: Callable[[], Events]) -> None:
        if self._work.running:
            self.message.say("Something is running; wait for it or stop it.", Tone.CARE)
            return
        self._on_finish = self._add
        self._begin("reading teachers", make)

    def _add(self, found: list[Listed]) -> None:
        twice = self.list.extend(found)
        if twice:
            self.message.say(f"{_counted(twice, 'image')} were in the list already.")
        self._show_teachers()

    def _browse(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add teacher images")
        self.add_paths([Path(p) for p in paths])

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Add a folder of teacher images")
        if path:
            self.add_paths([Path(path)])

    def _show_teachers(self) -> None:
        teachers = self.list.teachers
        for widget in (self.list, self.databar_line, self.pixel, self.split, self.remove):
            widget.setVisible(bool(teachers))
        self.drop_zone.setVisible(not teachers)
        if teachers:
            specimens = len({teacher.group for teacher in teachers})
            self.count_line.say(
                f"{_counted(len(teachers), 'image')}, {_counted(specimens, 'specimen')}"
            )
            pixels = sorted({t.pixel_nm for t in teachers if t.pixel_nm is not None})
            if not pixels:
                self.pixel_line.say("pixel size unknown: the model will not know it", Tone.CARE)
            else:
                span = " to ".join(f"{p:.4g}" for p in {pixels[0]: 0, pixels[-1]: 0})
                self.pixel_line.say(f"{span} nm per pixel")
            self._show_databars()
            self._show_split(teachers)
        else:
            self.count_line.say("none yet")
        if not self._named_by_hand:
            self.name_edit.setText(_unused_name(teachers, self.factor))
        self._fit_stack()

    def _show_split(self, teachers: list[Teacher]) -> None:
        self.split_again.setVisible(not are_few(teachers))
        if are_few(teachers):
            self.list.show_split(split_in_turn(teachers), in_turn=True)
            self.split_line.say(
                "few specimens: each is left out once to be tested on; the model learns from all"
            )
            return
        split = split_teachers(teachers, self._seed)
        self.list.show_split(split)
        counts = {
            "learn": len(split.train),
            "calibrate": len(split.calibration),
            "test": len(split.test),
        }
        said = " · ".join(f"{n} {use}" for use, n in counts.items() if n)
        if split.unit == "specimen":
            self.split_line.say(f"{said}, no specimen in two of them")
        else:
            self.split_line.say(
                f"{said}: only one specimen, so scores come from a held-out {split.unit} and flatter",
                Tone.CARE,
            )

    def _show_databars(self) -> None:
        barred = [t for t in self.list.teachers if t.databar is not None]
        self.databar_line.say(
            f"A databar was found in {_counted(len(barred), 'image')} and is left out "
            f"({', '.join(t.name for t in barred[:2])}{' …' if len(barred) > 2 else ''}): "
            f"{link('keep', 'keep it')}"
            if barred
            else ""
        )

    def _keep_databars(self) -> None:
        self.list.keep_databars()
        self._show_teachers()

    def _draw_split_again(self) -> None:
        self._seed += 1
        self._show_teachers()

    def _edit_pixel(self) -> None:
        known = [t.pixel_nm for t in self.list.teachers if t.pixel_nm is not None]
        value, ok = QInputDialog.getDouble(
            self, "Pixel size", "Pixel size of all teachers in nm:", known[0] if known else 5.0,
            0.001, 1e6, 3,
        )  # fmt: skip
        if ok:
            self.set_pixel_nm(value)

    def set_pixel_nm(self, pixel_nm: float) -> None:
        """Say how large the pixels of all teachers are, in nm."""
        self.list.set_pixel_nm(pixel_nm)
        self._show_teachers()

    # ---- what for

    @property
    def factor(self) -> int:
        """The chosen upscale factor."""
        factor: int = self.factor_box.currentData()
        return factor

    def _fit_stack(self) -> None:
        """Follow the pixel sizes of stack and teachers, as far as they are known."""
        self.fit_line.say("")
        self._stack = None
        layer = self.chooser.layer
        known = [t.pixel_nm for t in self.list.teachers if t.pixel_nm is not None]
        try:
            if layer is not None:
                self._stack = layers.stack_of(layer)
                self._follow_pixels(self._stack.voxel_nm[2], known)
        except SemSrError as error:
            self.fit_line.say(str(error), Tone.BAD)
        self._show_buttons()

    def _follow_pixels(self, stack_nm: float | None, known: list[float]) -> None:
        see = link("match", "see degraded teachers beside it") if self.list.teachers else ""
        if stack_nm is None:
            self.fit_line.say(f"pixel size unknown: choose the factor; {see}", Tone.CARE)
        elif not known:
            self.fit_line.say(f"{stack_nm:.4g} nm; type the teachers' pixel size; {see}", Tone.CARE)
        else:
            factor = factor_between(known, stack_nm)
            self.factor_box.setCurrentIndex(FACTORS.index(factor))
            target = stack_nm / factor
            fits = all(abs(pixel / target - 1) <= SAME for pixel in known)
            what = "teachers fit" if fits else f"teachers are resampled to {target:.4g} nm"
            self.fit_line.say(f"{stack_nm:.4g} nm → ×{factor}, {what}; {see}", Tone.GOOD)

    def show_match(self) -> None:
        """Show degraded teachers beside the real stack, as training will make them."""
        teachers, stack, factor = self.list.teachers, self._stack, self.factor
        if stack is not None and not self._work.running:
            self._on_finish = self._show_picture
            self._begin("matching", lambda: train_jobs.iter_matched(teachers, stack, factor))

    def _show_picture(self, picture: Any) -> None:
        self.match_view = PictureDialog(picture, "Degraded teachers beside the real stack", self)
        self.match_view.show()

    def _name_typed(self) -> None:
        self._named_by_hand = bool(self.name_edit.text())
        self._show_buttons()

    def _unit_chosen(self, unit: str) -> None:
        self.budget_box.setValue(USUAL[unit])

    def settings(self) -> TrainSettings:
        """What the dock shows, as the core wants it."""
        amount, in_epochs = self.budget_box.value(), self.unit_box.currentText() == EPOCHS
        return TrainSettings(
            factor=self.factor,
            epochs=amount if in_epochs else None,
            minutes=None if in_epochs else float(amount),
            gan_share=self.share_box.value() / 100,
            seed=self._seed,
            device=self.device_box.currentText(),
        )

    @property
    def _target(self) -> Path:
        name: str = self.name_edit.text().strip()
        return zoo.user_folder() / name

    def _show_buttons(self) -> None:
        training = self._training is not None
        name = self.name_edit.text().strip()
        reason = ""
        if not self.list.teachers:
            reason = "Add teacher images first: drop some here, or try the sample."
        elif self._work.running:
            reason = "Something is running; wait for it or stop it."
        elif not name or Path(name).name != name or name.startswith("."):
            reason = "Give the model a name that can be a file name."
        elif self._target.exists():
            reason = f"A model '{name}' is there already; give another name."
        elif self._unfinished is not None and self._unfinished.out == self._target:
            reason = (
                f"A training of '{name}' is unfinished; resume or remove it, or give another name."
            )
        self.train_button.setEnabled(not reason)
        self.train_button.setToolTip(reason or "Train a model from these teachers.")
        self.train_button.setVisible(not training)
        self.use_button.setVisible(self._model is not None and not training)
        for button in (self.pause_button, self.stop_button):
            button.setVisible(training)
            button.setEnabled(self._work.running)
        self.progress.setVisible(self._work.running)
        self.watch_box.setVisible(training)
        for widget in (
            self.list, self.add, self.remove, self.pixel_edit, self.split_again, self.chooser,
            self.factor_box, self.name_edit, self.budget_box, self.unit_box, self.device_box,
            self.share_box,
        ):  # fmt: skip
            widget.setEnabled(not self._work.running)

    # ---- training

    def train(self) -> None:
        """Train with what the dock shows."""
        teachers, settings, out = self.list.teachers, self.settings(), self._target
        stack = self._stack
        self._start(out, lambda: train_jobs.iter_new(teachers, settings, out, stack))

    def resume(self) -> None:
        """Go on with the unfinished training that was found."""
        found = self._unfinished
        if found is None or self._work.running:
            return
        self._start(found.out, lambda: train_jobs.iter_resumed(found))
        self._show_settings(found)

    def _start(self, out: Path, make: Callable[[], Events]) -> None:
        self._training, self._model = out, None
        self._epochs_before = self._epochs = 0.0
        self.setup.collapse(animate=False)
        self.curves.begin()
        self.verdict_line.say("")
        self.scores_line.say("")
        self.budget_line.say("epochs and time left show after the first steps")
        self._on_finish = self._trained
        self._begin(f"training {out.name}", make)

    def _show_settings(self, found: Unfinished) -> None:
        settings = found.settings
        self.name_edit.setText(found.out.name)
        self._named_by_hand = True
        self.factor_box.setCurrentIndex(FACTORS.index(settings.factor))
        self.unit_box.setCurrentText(MINUTES if settings.epochs is None else EPOCHS)
        self.budget_box.setValue(round(settings.epochs or settings.minutes or 1))
        self.share_box.setValue(100 * settings.gan_share)
        self._seed = settings.seed

    def _begin(self, title: str, make: Callable[[], Events]) -> None:
        self.message.say("")
        self._notices = []
        self.bar.setRange(0, 0)
        self.state_line.say("starting")
        self.pause_button.setText("Pause")
        self._work.start(title, make)
        self._show_buttons()

    def _pause_or_go_on(self) -> None:
        if self._work.paused:
            self._work.go_on()
            self.pause_button.setText("Pause")
        else:
            self._work.pause()
            self.pause_button.setText("Continue")
            self.state_line.say("paused; napari may be closed, the training is kept")

    def stop(self) -> None:
        """Stop what runs; a training is kept and can be resumed."""
        self._work.cancel()
        self.stop_button.setEnabled(False)
        self.pause_button.setEnabled(False)
        self.state_line.say("stopping")

    def _report(self, event: Event) -> None:
        match event:
            case Notice(message):
                self._notices = [*self._notices, message][-SHOWN_NOTICES:]
                self.message.say("<br>".join(self._notices), Tone.CARE)
            case Progress(what, done, total, unit):
                self.bar.setRange(0, total)
                self.bar.setValue(done)
                self.state_line.say(f"{what}, {done} of {total} {unit}" if total > 1 else what)
            case train_jobs.TeachersRead(listed):
                self.list.replace(listed)
                self._show_teachers()
            case StageStarted():
                self._stage_begins(event)
            case StepDone():
                self._show_step(event)
            case Evaluated():
                self._show_scores(event)
            case Judged(sentence, sound):
                self.verdict_line.say(sentence, TONES[sound])
            case PatchSeen():
                if self.watch_box.isChecked():
                    self._view.show(event)

    def _stage_begins(self, event: StageStarted) -> None:
        if event.part != self._stage.part:
            self.curves.begin()
            self._epochs = 0.0
        self._epochs_before, self._stage = self._epochs, event
        self.curves.begin_stage(event.stage, self._epochs_before)

    def _show_step(self, event: StepDone) -> None:
        if self._work.paused:
            return
        self._epochs = self._epochs_before + event.step / self._stage.steps_per_epoch
        self.bar.setRange(0, STEPS)
        self.bar.setValue(round(STEPS * event.done))
        of = "" if event.epochs is None else f" of {'≈ ' * (self._stage.epochs == 0)}{event.epochs}"
        parts = [
            self._stage.part,
            STAGES[event.stage],
            f"epoch {event.epoch}{of}",
            "" if event.left_s is None else f"{spoken_time(event.left_s)} left",
        ]
        self.state_line.say(" · ".join(part for part in parts if part))
        self.state_line.setToolTip(
            f"step {event.step} · {event.pixels / 1e6:.1f} million HR pixels shown · {spoken_time(event.seconds)}"
        )
        if event.left_s is not None:
            self.budget_line.say(
                f"about {spoken_time(event.seconds + event.left_s)} in all on this machine"
            )

    def _show_scores(self, event: Evaluated) -> None:
        scores = event.scores
        self._epochs = self._epochs_before + event.step / self._stage.steps_per_epoch
        self.curves.add(
            self._epochs,
            scores["psnr"] - scores["bicubic_psnr"],
            scores["train_psnr"] - scores["train_bicubic_psnr"],
        )
        self.scores_line.say(
            f"never seen: {scores['psnr']:.2f} dB, SSIM {scores['ssim']:.3f}, detail "
            f"{scores['detail_db']:+.1f} dB of HR's · bicubic: {scores['bicubic_psnr']:.2f} dB, "
            f"{scores['bicubic_ssim']:.3f}, {scores['bicubic_detail_db']:+.1f} dB"
        )

    # ---- the end of it

    def _finished(self, result: Any) -> None:
        self._on_finish(result)

    def _trained(self, model: Any) -> None:
        self._model = model.card.name
        better = model.card.gain("twin") > 0
        self.message.say(
            f"'{model.card.name}' is ready: {card_view.gain(model.card)}.",
            Tone.GOOD if better else Tone.CARE,
        )

    def _failed(self, text: str) -> None:
        if self._training is None and "--grey" in text:
            text = f"{text.split(';', maxsplit=1)[0]}: {link('grey', 'convert it to grey')}?"
        self.message.say(text, Tone.BAD)

    def _stopped(self) -> None:
        if self._training is None:
            self.message.say("Stopped.")

    def _ended(self) -> None:
        training, self._training = self._training, None
        self._on_finish = lambda _: None
        if training is not None:
            self._view.restore()
            self.budget_line.say("")
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
                f"{before}{self._unfinished.described()} {link('resume', 'Resume')} · "
                f"{link('remove', 'remove')}"
            )
        self._show_buttons()

    def _follow_link(self, target: str) -> None:
        if target == "resume":
            self.resume()
        elif target == "grey":
            self.add_paths(self._refused, grey=True)
        elif target == "remove" and self._unfinished is not None:
            answer = QMessageBox.question(
                self, "Remove", f"Remove the unfinished training of '{self._unfinished.out.name}'?"
            )
            if answer == QMessageBox.StandardButton.Yes:
                remove_unfinished(self._unfinished)
                self.message.say("")
                self._look_for_unfinished()

    def use_model(self) -> None:
        """Choose the model that was trained last in the Upscale dock."""
        dock, upscale = self.viewer.window.add_plugin_dock_widget(PLUGIN, "Upscale", tabify=True)
        upscale.choose_model(self._model)
        dock.show()
        dock.raise_()

    def tear_down(self) -> None:
        """Stop the training (it can be resumed) and let go of the viewer."""
        self._work.close()
        self._view.restore()
        if self.match_view is not None:
            self.match_view.close()
        self.curves.disconnect_viewer()
        self.chooser.disconnect_viewer()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _unused_name(teachers: list[Any], factor: int) -> str:
    """A name after the specimens that no model has yet."""
    groups = sorted({teacher.group.split("/")[0] for teacher in teachers})
    first = (
        "".join(c if c.isalnum() or c in "-_" else "-" for c in groups[0]) if groups else "model"
    )
    base = f"{first.strip('-_') or 'model'}-x{factor}"
    name, number = base, 2
    while (zoo.user_folder() / name).exists() or (zoo.user_folder() / f"{name}.training").exists():
        name, number = f"{base}-{number}", number + 1
    return name
