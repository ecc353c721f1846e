"""What is chosen in the dock Upscale: stack, voxel size, model, sharpness, slices and place of the result."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog

from napari_sem_sr.checking.outlook import Outlook
from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.zoo import Entry, damaged_models, list_models
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.metadata.arrivals import Arrivals
from napari_sem_sr.widgets.metadata.commands import apply_typed
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.qt.dock import Tone, link
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.upscale import sentences
from napari_sem_sr.widgets.upscale.form import (
    BARLESS,
    SOME,
    STEPS,
    THIS,
    VISIBLE,
    UpscaleForm,
)
from napari_sem_sr.widgets.viewer import card_view, chosen, layers, sample_data
from napari_sem_sr.widgets.viewer.opening import Opener
from napari_sem_sr.widgets.words import spoken, tr

if TYPE_CHECKING:
    from napari.components import ViewerModel


class UpscaleChoice(UpscaleForm):
    """The form of the dock, filled in: which stack, which model, how."""

    choice_changed = Signal()
    """Another stack, voxel size or model."""
    sharpness_changed = Signal()
    output_changed = Signal()

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self._stack: SemStack | None = None
        self._source: Image | None = None
        self._voxel_from = ""
        self._output: Path | None = None
        """Where a person wants the result; None for the usual place."""
        self._choosing = Work(self)
        self._choosing.reported.connect(self._reading_stack)
        self._choosing.finished.connect(self._stack_read)
        self._choosing.failed.connect(self._refuse)
        self.opener = Opener(viewer, self)
        self.arrivals = Arrivals(viewer, self)
        self.drop_zone.dropped.connect(lambda paths: self.open_paths([Path(p) for p in paths]))
        self.given.connect(self.open_paths)
        self.chooser.given.connect(self.open_paths)
        self.chooser.given_layer.connect(self.chooser.choose)
        self.opener.opened.connect(self._opened)
        self.opener.progressed.connect(self.reading_line.say)
        self.opener.refused.connect(lambda text: self.message.say(text, Tone.BAD))
        self.arrivals.one_stack.connect(self.opener.open_stack)
        self.arrivals.said.connect(self.message.say)
        self.drop_zone.linkActivated.connect(self.zone_link)
        self.open_file.triggered.connect(self._browse)
        self.open_folder.triggered.connect(self._browse_folder)
        self.open_tin.triggered.connect(lambda: self.zone_link("tin"))
        self.open_example.triggered.connect(lambda: self.zone_link("sample"))
        self.chooser.chosen.connect(self._stack_chosen)
        self.voxel_edit.clicked.connect(self._edit_voxel)
        self.model_box.currentIndexChanged.connect(lambda _: self._model_chosen())
        self.sharpness.valueChanged.connect(lambda _: self._show_sharpness())
        self.sharpness_reset.clicked.connect(self._reset_sharpness)
        self.region_box.currentTextChanged.connect(lambda _: self._show_databar())
        self.databar_line.linkActivated.connect(self.region_box.setCurrentText)
        self.slices_box.currentTextChanged.connect(lambda _: self._show_slices())
        self.conditions.changed.connect(self.choice_changed.emit)
        self.outlook.model_wanted.connect(self.choose_model)
        self.outlook.twin_wanted.connect(lambda: self.sharpness.setValue(0))
        self.outlook.seen.connect(self.take_outlook)
        self.output_browse.clicked.connect(self._choose_output)

    def open_paths(self, paths: list[Path]) -> None:
        """Open stacks as layers; the first that is neither SR nor HR is chosen."""
        self.message.say("")
        self.opener.open(paths)

    def _opened(self, opened: list[Image]) -> None:
        inputs = [layer for layer in opened if layers.role_of(layer) == "LR"]
        results = [layer for layer in opened if layers.role_of(layer) == "SR"]
        if inputs:
            self.chooser.choose(inputs[0])
        elif results:
            self.message.say(sentences.not_measured(results[0]), Tone.CARE)

    def open_sample(self, pair: Callable[[], list[Any]] = sample_data.open_pair) -> None:
        """Open a bundled sample, its true answer under it."""
        added = [layers.add(self.viewer, data) for data in pair()]
        self.viewer.canvas.overlays.scale_bar.visible = True
        self.chooser.choose(next(a for a in added if layers.role_of(a) == "LR"))

    def zone_link(self, target: str) -> None:
        """Follow a link of the empty dock."""
        if target == "sample":
            self.open_sample()
        elif target == "tin":
            self.open_sample(sample_data.open_tin)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Open a stack"))
        if path:
            self.open_paths([Path(path)])

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Open a folder of slices"))
        if path:
            self.open_paths([Path(path)])

    def _stack_chosen(self) -> None:
        self._source = self.chooser.layer
        self._stack = None
        self.drop_zone.setVisible(self._source is None)
        for line in (self.shape_line, self.voxel_line, self.stack_caution, self.reading_line):
            line.say("")
        self.voxel.hide()
        self._choosing.close()
        source = self._source
        if source is not None and chosen.in_thread(source):
            self.reading_line.say(tr("reading"))
            self._choosing.start(f"reading {source.name}", lambda: chosen.iter_chosen(source))
        elif source is not None:
            try:
                self._take(drain(chosen.iter_chosen(source)))
            except SemSrError as error:
                self._refuse(str(error))
        self._show_stack()

    def _reading_stack(self, event: Event) -> None:
        if isinstance(event, Progress):
            count = (
                tr(
                    " {value} of {total} {unit}",
                    value=event.done + 1,
                    total=event.total,
                    unit=event.unit,
                )
                if event.total > 1
                else ""
            )
            self.reading_line.say(f"{spoken(event.what)}{count}")

    def _stack_read(self, found: chosen.Chosen) -> None:
        self.reading_line.say("")
        self._take(found)
        self._show_stack()

    def _refuse(self, why: str) -> None:
        self.reading_line.say("")
        self.shape_line.say(why, Tone.BAD)

    def _take(self, found: chosen.Chosen) -> None:
        self._stack = found.stack
        self._voxel_from = sentences.voxel_source(found.stack)
        self.stack_caution.say(" ".join(found.cautions), Tone.CARE)

    def _show_stack(self) -> None:
        stack = self._stack
        self.conditions.reset()
        self._output = None
        self.voxel.setVisible(stack is not None)
        if stack is not None:
            self.shape_line.say(sentences.shape(stack))
            self.voxel_line.say(*sentences.voxel(stack, self._voxel_from))
            for box in (self.first_slice, self.last_slice):
                box.setRange(0, stack.shape[0] - 1)
            self.last_slice.setValue(stack.shape[0] - 1)
        self._offer_crop()
        self._show_slices()
        self._model_chosen()

    def _offer_crop(self) -> None:
        """Leave a databar out unless a person wants it: it is no image, and none of it was measured."""
        known = self.region_box.findText(BARLESS)
        if known >= 0:
            self.region_box.removeItem(known)
        if self._stack is not None and self._stack.image_rows is not None:
            self.region_box.addItem(BARLESS)
            self.region_box.setCurrentText(BARLESS)
        self._show_databar()

    def _show_databar(self) -> None:
        rows = None if self._stack is None else self._stack.image_rows
        left_out = self.region_box.currentText() == BARLESS
        self.databar_line.say("" if rows is None else sentences.databar(rows, left_out=left_out))

    def _edit_voxel(self) -> None:
        if self._stack is None:
            return
        dialog = VoxelDialog(self._stack, self)
        if dialog.exec():
            self.set_stack(dialog.stack)

    def set_stack(self, stack: SemStack) -> None:
        """Use voxel size and tilt of ``stack`` for the chosen layer, here and wherever its files are opened."""
        if self._source is not None:
            apply_typed(self._source, stack)
        self._stack = stack
        self._voxel_from = sentences.voxel_source(stack)
        self._show_stack()

    def fill_models(self, choose: str | None = None) -> None:
        """List the installed models anew and choose one of them by name."""
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
        self.fill_models(name)

    @property
    def entry(self) -> Entry | None:
        """The chosen model."""
        entry: Entry | None = self.model_box.currentData()
        return entry

    def _model_chosen(self) -> None:
        entry = self.entry
        self.conditions.setVisible(entry is not None and entry.card.conditions is not None)
        if entry is None:
            self.card_line.say(sentences.no_model(), Tone.CARE)
        else:
            self.card_line.say(card_view.headline(entry.card))
            self.gain_line.say(card_view.gain(entry.card))
            cautions = card_view.cautions(entry.card, self._stack)
            own = [f"{link('train', tr('Train your own'))}?"] if cautions else []
            self.caution_line.say(" ".join([*cautions, *own]), Tone.CARE)
            for widget in (self.card_line, self.gain_line, self.model_box):
                widget.setToolTip(card_view.details(entry.card))
        self._reset_sharpness()
        self.choice_changed.emit()

    def take_outlook(self, found: Outlook) -> None:
        """Show noise and blur of the stack, and take the default sharpness for them unless another was chosen."""
        chosen = self.chosen_sharpness
        self.conditions.show_measured(found.conditions)
        (self._reset_sharpness if chosen is None else self._show_sharpness)()

    def _reset_sharpness(self) -> None:
        if self.entry is not None:
            default = self.conditions.default_sharpness(self.entry.card)
            self.sharpness.setValue(round(default * STEPS))
        self._show_sharpness()

    def _show_sharpness(self) -> None:
        value = self.sharpness.value() / STEPS
        card = None if self.entry is None else self.entry.card
        default = card and round(self.conditions.default_sharpness(card) * STEPS) / STEPS
        known = self.conditions.measured
        usual = tr(", the default for this noise") if known else tr(", the card's default")
        self.sharpness_value.say(f"{value:.2f}{usual if value == default else ''}")
        self.sharpness_reset.setEnabled(value != default)
        self.sharpness_changed.emit()

    def _show_slices(self) -> None:
        self.slice_range.setVisible(self.slices_box.currentText() == SOME)

    def _choose_output(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            tr("Write the result to"),
            str(self._output or Path.home()),
            "OME-Zarr (*.zarr);;TIFF (*.tif *.tiff)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.set_output(Path(path))

    def set_output(self, path: Path) -> None:
        """Write the result to ``path``: ``*.zarr`` or ``*.tif``."""
        self._output = path if path.suffix else path.with_suffix(".zarr")
        self.output_changed.emit()

    @property
    def chosen_sharpness(self) -> float | None:
        """Sharpness as set by hand; None for the default of the model's card."""
        return self.sharpness.value() / STEPS if self.sharpness_reset.isEnabled() else None

    def settings(self) -> UpscaleSettings:
        """What the dock shows, as the core wants it.

        Raises
        ------
        InputError
            If the visible part is asked for and nothing is visible.
        """
        if self._source is None or self._stack is None:
            raise InputError(tr("Choose a stack first."))
        slices = None
        if self.slices_box.currentText() == THIS:
            z = layers.shown_slice(self.viewer, self._source)
            slices = (z, z + 1)
        elif self.slices_box.currentText() == SOME:
            slices = (self.first_slice.value(), self.last_slice.value() + 1)
        visible = self.region_box.currentText() == VISIBLE
        return replace(
            self.how,
            tile=self.tile_box.value() or None,
            slices=slices,
            region=layers.visible_region(self._source) if visible else self.image_region,
        )

    @property
    def how(self) -> UpscaleSettings:
        """Sharpness, device, precision, noise and blur of the settings."""
        return UpscaleSettings(
            sharpness=self.chosen_sharpness,
            device=self.device_box.currentText(),
            precision=self.precision_box.currentText(),
            **self.conditions.settings,
        )

    @property
    def image_region(self) -> Region | None:
        """What is no databar, where that is left out; None for whole slices."""
        rows = None if self._stack is None else self._stack.image_rows
        if self._stack is None or rows is None or self.region_box.currentText() != BARLESS:
            return None
        return rows, (0, self._stack.shape[2])
