"""The dock Upscale: choose a stack and a model, preview a slice, upscale all, watch, stop, resume."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone, TileDone, UpscaleStarted
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.io import read_stack
from napari_sem_sr.model.zoo import Entry, damaged_models, list_models
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import card_view, jobs, layers, sample_data
from napari_sem_sr.widgets.dock import PLUGIN, Tone, link
from napari_sem_sr.widgets.growing import Growing
from napari_sem_sr.widgets.pace import Pace, spoken_time
from napari_sem_sr.widgets.upscale_form import SOME, STEPS, THIS, VISIBLE, UpscaleForm
from napari_sem_sr.widgets.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.work import Work

if TYPE_CHECKING:
    from napari.components import ViewerModel


class UpscaleDock(UpscaleForm):
    """Upscale a stack that is open in napari, or one that is dropped here.

    Parameters
    ----------
    napari_viewer
        The viewer; only its public parts are used.
    """

    def __init__(self, napari_viewer: "ViewerModel") -> None:
        super().__init__(napari_viewer)
        self._memory = jobs.Memory()
        self._stack: SemStack | None = None
        self._source: Image | None = None
        self._preview: Image | None = None
        self._result: Image | None = None
        self._running: tuple[Image, SemStack, UpscaleSettings] | None = None
        self._voxel_from = ""
        self._output: Path | None = None
        self._existing: jobs.Existing | None = None
        self._pace = Pace()
        self._work = Work(self)
        self._growing = Growing(napari_viewer, self)
        self._connect()
        self._fill_models()
        self._stack_chosen()

    def _connect(self) -> None:
        self.drop_zone.dropped.connect(lambda paths: self.open_paths([Path(p) for p in paths]))
        self.drop_zone.linkActivated.connect(lambda _: self.open_sample())
        self.open_file.triggered.connect(self._browse)
        self.open_folder.triggered.connect(self._browse_folder)
        self.open_example.triggered.connect(self.open_sample)
        self.chooser.chosen.connect(self._stack_chosen)
        self.voxel_edit.clicked.connect(self._edit_voxel)
        self.model_box.currentIndexChanged.connect(lambda _: self._model_chosen())
        self.model_import.clicked.connect(self._import_model)
        self.sharpness.valueChanged.connect(lambda _: self._show_sharpness())
        self.sharpness_reset.clicked.connect(self._reset_sharpness)
        self.slices_box.currentTextChanged.connect(lambda _: self._show_slices())
        self.output_browse.clicked.connect(self._choose_output)
        self.preview_button.clicked.connect(self.preview)
        self.start_button.clicked.connect(self._start_or_open)
        self.again_button.clicked.connect(self._start_over)
        self.cancel_button.clicked.connect(self.cancel)
        self.message.linkActivated.connect(self._follow_link)
        self._work.reported.connect(self._report)
        self._work.failed.connect(lambda text: self.message.say(text, Tone.BAD))
        self._work.cancelled.connect(self._say_cancelled)
        self._work.ended.connect(self._ended)
        self._on_finish: Callable[[Any], None] = lambda _: None
        self._work.finished.connect(self._finished)
        # an output may be removed or finished by someone else
        self._watch = QTimer(self)
        self._watch.setInterval(2000)
        self._watch.timeout.connect(self._look_at_output)
        self._watch.start()

    # ---- choosing

    def open_paths(self, paths: list[Path]) -> None:
        """Open stacks as layers; the first that is neither SR nor HR is chosen."""
        stacks = []
        for path in paths:
            try:
                stacks.append(read_stack(path))
            except SemSrError as error:
                self.message.say(str(error), Tone.BAD)
        # what was measured finely lies under what was measured coarsely, and SR on top
        stacks.sort(key=lambda stack: ("HR", "LR", "SR").index(guess_role(stack)))
        opened = [
            layers.add(self.viewer, layers.image_data(stack, stack.name, guess_role(stack)))
            for stack in stacks
        ]
        inputs = [layer for layer in opened if layers.role_of(layer) == "LR"]
        if inputs:
            self.chooser.choose(inputs[0])

    def open_sample(self) -> None:
        """Open the bundled sample, its true answer under it."""
        added = [layers.add(self.viewer, data) for data in sample_data.open_pair()]
        self.chooser.choose(next(a for a in added if layers.role_of(a) == "LR"))

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a stack")
        if path:
            self.open_paths([Path(path)])

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open a folder of slices")
        if path:
            self.open_paths([Path(path)])

    def _stack_chosen(self) -> None:
        self._source = self.chooser.layer
        self._stack = None
        self.drop_zone.setVisible(self._source is None)
        for line in (self.shape_line, self.voxel_line):
            line.say("")
        self.voxel.hide()
        if self._source is not None:
            try:
                self._stack = layers.stack_of(self._source)
                self._voxel_from = "from file" if self._stack.paths else "from the layer"
            except SemSrError as error:
                self.shape_line.say(str(error), Tone.BAD)
        self._show_stack()

    def _show_stack(self) -> None:
        stack = self._stack
        self._output = None
        self.voxel.setVisible(stack is not None)
        if stack is not None:
            z, y, x = stack.shape
            self.shape_line.say(f"{z} slices of {y} × {x} px · {stack.dtype}")
            known = layers.describe_voxel(stack.voxel_nm)
            if known == "unknown":
                self.voxel_line.say("voxel size unknown: the result will carry none", Tone.CARE)
            else:
                self.voxel_line.say(f"voxel {known}, {self._voxel_from}")
            for box in (self.first_slice, self.last_slice):
                box.setRange(0, z - 1)
            self.last_slice.setValue(z - 1)
            self._output = default_output(stack)
        self._show_slices()
        self._model_chosen()

    def _edit_voxel(self) -> None:
        if self._stack is None:
            return
        dialog = VoxelDialog(self._stack, self)
        if dialog.exec():
            self.set_stack(dialog.stack)

    def set_stack(self, stack: SemStack) -> None:
        """Use voxel size and tilt of ``stack`` for the chosen layer, which is not changed."""
        self._stack = stack
        self._voxel_from = "as typed"
        self._show_stack()

    def _fill_models(self, choose: str | None = None) -> None:
        self.model_box.blockSignals(True)
        self.model_box.clear()
        for entry in list_models():
            self.model_box.addItem(f"{entry.name}  (×{entry.card.factor})", entry)
        if choose is not None:
            names = [self.model_box.itemData(i).name for i in range(self.model_box.count())]
            self.model_box.setCurrentIndex(names.index(choose))
        self.model_box.blockSignals(False)
        problems = damaged_models()
        if problems:
            self.message.say(problems[0], Tone.CARE)
        self._model_chosen()

    def choose_model(self, name: str) -> None:
        """Choose a model by its name, newly installed ones included."""
        self._fill_models(name)

    @property
    def entry(self) -> Entry | None:
        """The chosen model."""
        entry: Entry | None = self.model_box.currentData()
        return entry

    def _model_chosen(self) -> None:
        entry = self.entry
        if entry is None:
            self.card_line.say(
                "No model is installed: train one, or install one with +.", Tone.CARE
            )
        else:
            self.card_line.say(card_view.headline(entry.card))
            self.gain_line.say(card_view.gain(entry.card))
            self.caution_line.say(" ".join(card_view.cautions(entry.card, self._stack)), Tone.CARE)
            for widget in (self.card_line, self.gain_line, self.model_box):
                widget.setToolTip(card_view.details(entry.card))
        self._reset_sharpness()
        self._look_at_output()

    def _reset_sharpness(self) -> None:
        if self.entry is not None:
            self.sharpness.setValue(round(self.entry.card.default_sharpness * STEPS))
        self._show_sharpness()

    def _show_sharpness(self) -> None:
        value = self.sharpness.value() / STEPS
        entry = self.entry
        default = None if entry is None else round(entry.card.default_sharpness * STEPS) / STEPS
        self.sharpness_value.say(
            f"{value:.2f}" + (", the card's default" if value == default else "")
        )
        self.sharpness_reset.setEnabled(value != default)

    def _show_slices(self) -> None:
        self.slice_range.setVisible(self.slices_box.currentText() == SOME)
        self._show_buttons()

    def _import_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Install a model", filter="Models (*.semsr)")
        if path:
            self._on_finish = lambda entry: self._fill_models(entry.name)
            self._begin(f"installing {Path(path).name}", lambda: jobs.iter_import(Path(path)))

    def _choose_output(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Write the result to",
            str(self._output or Path.home()),
            "OME-Zarr (*.zarr);;TIFF (*.tif *.tiff)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.set_output(Path(path))

    def set_output(self, path: Path) -> None:
        """Write the result to ``path``: ``*.zarr`` or ``*.tif``."""
        self._output = path if path.suffix else path.with_suffix(".zarr")
        self._look_at_output()

    def settings(self) -> UpscaleSettings:
        """What the dock shows, as the core wants it.

        Raises
        ------
        InputError
            If the visible part is asked for and nothing is visible.
        """
        if self._source is None or self._stack is None:
            raise InputError("Choose a stack first.")
        slices = None
        if self.slices_box.currentText() == THIS:
            z = layers.shown_slice(self.viewer, self._source)
            slices = (z, z + 1)
        elif self.slices_box.currentText() == SOME:
            slices = (self.first_slice.value(), self.last_slice.value() + 1)
        return UpscaleSettings(
            sharpness=self.sharpness.value() / STEPS if self.sharpness_reset.isEnabled() else None,
            device=self.device_box.currentText(),
            precision=self.precision_box.currentText(),
            tile=self.tile_box.value() or None,
            slices=slices,
            region=layers.visible_region(self._source)
            if self.region_box.currentText() == VISIBLE
            else None,
        )

    # ---- buttons

    def _look_at_output(self) -> None:
        self._existing = None
        trouble = ""
        if self._output is not None and self._stack is not None and not self._work.running:
            try:
                self._existing = jobs.look_at(self._output, self._stack)
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

    def _begin(self, title: str, make: Callable[[], jobs.Events]) -> None:
        self.message.say("")
        self.bar.setRange(0, 0)
        self.state_line.say("starting")
        self.cancel_button.setEnabled(True)
        self._pace = Pace()
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
        self._running = (source, stack, settings)
        self._on_finish = self._show_preview
        self._begin(
            f"previewing slice {z} of {stack.name}",
            lambda: jobs.iter_preview(self._memory, stack, entry.path, settings, z),
        )

    def _start_or_open(self) -> None:
        if self._existing is not None and self._existing.complete and self._output is not None:
            self._open_result(self._output)
        else:
            self.upscale(resume=self._existing is not None)

    def _start_over(self) -> None:
        answer = QMessageBox.question(
            self, "Start over", f"Remove '{self._output}' and upscale from the first slice?"
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
            self._forget_result()
        self._running = (source, stack, settings)
        self._on_finish = self._done
        self._begin(
            f"upscaling {stack.name}",
            lambda: jobs.iter_run(
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
                self._show_growing(output)
                if self._result is not None and self._running is not None:
                    first = (self._running[2].slices or (0, 0))[0]
                    self._growing.follow(self._result, output, first, total)
                self._show_pace()
            case SliceDone(z, done, _):
                self._growing.arrived(z)
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
        if self._running is None:
            return
        source, _, settings = self._running
        seat = _seat(source, sr, replace(settings, slices=(z, z + 1)))
        data = layers.image_data(
            sr,
            f"{source.name} · SR preview",
            "SR",
            seat=layers.placing(source, seat),
            limits=tuple(source.contrast_limits),
            added_by_dock=True,
        )
        if self._preview is not None and self._preview in self.viewer.layers:
            self.viewer.layers.remove(self._preview)
        self._preview = layers.add(self.viewer, data)
        self.message.say(f"Slice {z}: hide or show the preview with its eye to compare.")

    def _show_growing(self, output: Path) -> None:
        if self._running is None:
            return
        source, _, settings = self._running
        shown = layers.path_of(self._result) if self._result is not None else None
        if shown == output and self._result in self.viewer.layers:
            return
        sr = read_stack(output)
        seat = _seat(source, sr, settings)
        if self._preview is not None and self._preview in self.viewer.layers:
            self._preview.visible = False
        self._result = layers.add(
            self.viewer,
            layers.image_data(
                sr,
                f"{source.name} · SR",
                "SR",
                seat=layers.placing(source, seat),
                limits=tuple(source.contrast_limits),
                added_by_dock=True,
            ),
        )

    def _done(self, result: UpscaleResult) -> None:
        if self._result is None or layers.path_of(self._result) != result.output:
            self._forget_result()
            self._show_growing(result.output)
        self._growing.complete()
        self.message.say(
            f"{result.total} slices in '{result.output.name}', {spoken_time(result.seconds)}. "
            f"{link('inspect', 'Compare in Inspect')}.",
            Tone.GOOD,
        )

    def _open_result(self, output: Path) -> None:
        if self._source is None or self._stack is None:
            return
        self._running = (self._source, self._stack, _settings_of(output))
        self._show_growing(output)
        self._running = None

    def _forget_result(self) -> None:
        if self._result is not None and self._result in self.viewer.layers:
            self.viewer.layers.remove(self._result)
        self._result = None
        self._growing.complete()

    def _say_cancelled(self) -> None:
        self.message.say("Stopped; finished slices are kept.")

    def _finished(self, result: Any) -> None:
        self._on_finish(result)

    def _ended(self) -> None:
        self._running = None
        self._on_finish = lambda _: None
        self._look_at_output()

    def _follow_link(self, target: str) -> None:
        if target == "inspect":
            self.viewer.window.add_plugin_dock_widget(PLUGIN, "Inspect", tabify=True)

    def tear_down(self) -> None:
        """Stop the work (what is done stays, and can be resumed) and let go of the viewer."""
        self._watch.stop()
        self._work.close()
        self._growing.close()
        self.chooser.disconnect_viewer()
        self._stack = self._source = self._preview = self._result = self._running = None


def guess_role(stack: SemStack) -> layers.Role:
    """Role of a stack that was just opened: SR by its provenance, HR by its name, else LR."""
    if (stack.provenance or {}).get("synthetic"):
        return "SR"
    return "HR" if "hr" in layers.words(stack.name) else "LR"


def default_output(stack: SemStack) -> Path:
    """Where a result goes unless someone says otherwise: beside its input."""
    given = layers.given_path(stack)
    folder = Path.home() if given is None else given.parent
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in stack.name).strip("_.")
    return folder / f"{name or 'stack'}_sr.zarr"


def _seat(source: Image, sr: SemStack, settings: UpscaleSettings) -> SemStack:
    """The SR stack where it lies beside ``source`` on screen."""
    shown = layers.on_screen(source).cropped(settings.slices, settings.region)
    return shown.upscaled(sr.data, sr.shape[1] // shown.shape[1])


def _settings_of(output: Path) -> UpscaleSettings:
    """Slices and region of an output that is there."""
    known = read_stack(output).provenance or {}
    (y0, y1), (x0, x1) = known["region"]
    first, end = known["slices"]
    return UpscaleSettings(slices=(first, end), region=((y0, y1), (x0, x1)))
