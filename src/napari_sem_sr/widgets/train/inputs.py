"""What is chosen in the dock Train: teachers and their split, the stack the model is for, name and budget."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.model import zoo
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.scale import SAME, factor_between
from napari_sem_sr.teachers.teacher import Teacher, split_teachers
from napari_sem_sr.training.data.few_specimens import (
    leaves_one_group_out,
    split_leaving_one_group_out,
)
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.widgets.qt.dock import Tone, link
from napari_sem_sr.widgets.qt.picture_dialog import PictureDialog
from napari_sem_sr.widgets.qt.worker import Events, Work
from napari_sem_sr.widgets.train import tasks
from napari_sem_sr.widgets.train.form import EPOCHS, FACTORS, USUAL, TrainForm
from napari_sem_sr.widgets.train.starts import beginnings, fitted
from napari_sem_sr.widgets.train.teacher_list import Listed
from napari_sem_sr.widgets.viewer import layer_stack
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel


class TrainChoice(TrainForm):
    """The form of the dock, filled in: what is learned from, and what for.

    Reading teachers and matching them take a while, so that this is where the dock's work is started.
    """

    changed = Signal()
    """Another teacher, stack, factor or name, or something began."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self._seed = 0
        self._stack: SemStack | None = None
        """The stack that the model is for."""
        self._named_by_hand = False
        self._refused: list[Path] = []
        self.match_view: PictureDialog | None = None
        self._work = Work(self)
        self._on_finish: Callable[[Any], None] = lambda _: None
        self.share_box.setValue(100 * TrainSettings.model_fields["gan_share"].default)
        self.drop_zone.dropped.connect(lambda paths: self.add_paths([Path(p) for p in paths]))
        self.given.connect(self.add_paths)
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
        self.factor_box.currentIndexChanged.connect(lambda _: self._factor_chosen())
        self.name_edit.textEdited.connect(self._name_typed)
        self.unit_box.currentTextChanged.connect(self._unit_chosen)
        self.fill_starts()

    def _begin(self, title: str, make: Callable[[], Events]) -> None:
        self.message.say("")
        self.bar.setRange(0, 0)
        self.state_line.say(tr("starting"))
        self._work.start(title, make)
        self.changed.emit()

    # ---- teachers

    def add_paths(self, paths: list[Path], *, grey: bool = False, elsewhere: bool = False) -> None:
        """Add image files and folders of images as teachers."""
        if paths:
            self._refused = paths
            self._read(lambda: tasks.iter_read(paths, grey=grey, elsewhere=elsewhere))

    def add_selected_layers(self) -> None:
        """Add the selected image layers as teachers, every slice of a stack."""
        chosen = [la for la in self.viewer.layers.selection if isinstance(la, Image)]
        if not chosen:
            self.message.say(
                tr("Select one or more image layers in napari's list first."), Tone.CARE
            )
            return
        try:
            stacks = [layer_stack.stack_of(layer) for layer in chosen]
        except SemSrError as error:
            self.message.say(str(error), Tone.BAD)
            return
        self._read(lambda: tasks.iter_slices(stacks))

    def open_sample(self) -> None:
        """Add the slices of the bundled sample: one specimen, to see how it goes."""
        from napari_sem_sr.samples import medulla_hr

        self._read(lambda: tasks.iter_slices([medulla_hr()]))

    def _read(self, make: Callable[[], Events]) -> None:
        if self._work.running:
            self.message.say(tr("Something is running; wait for it or stop it."), Tone.CARE)
            return
        self._on_finish = self._add
        self._begin("reading teachers", make)

    def _add(self, found: list[Listed]) -> None:
        twice = self.list.extend(found)
        if twice:
            self.message.say(tr("{count} were in the list already.", count=_images(twice)))
        self._show_teachers()

    def _browse(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, tr("Add teacher images"))
        self.add_paths([Path(p) for p in paths])

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, tr("Add a folder of teacher images"))
        if path:
            self.add_paths([Path(path)])

    def _show_teachers(self) -> None:
        teachers = self.list.teachers
        for widget in (self.list, self.databar_line, self.pixel, self.split, self.remove):
            widget.setVisible(bool(teachers))
        self.drop_zone.setVisible(not teachers)
        if teachers:
            specimens = len({teacher.group for teacher in teachers})
            self.count_line.say(f"{_images(len(teachers))}, {_specimens(specimens)}")
            pixels = sorted({t.pixel_nm for t in teachers if t.pixel_nm is not None})
            if not pixels:
                self.pixel_line.say(tr("pixel size unknown: the model will not know it"), Tone.CARE)
            else:
                span = " to ".join(spoken_length(p) for p in {pixels[0]: 0, pixels[-1]: 0})
                self.pixel_line.say(tr("{span} per pixel", span=span))
            self._show_databars()
            self._show_split(teachers)
        else:
            self.count_line.say(tr("none yet"))
        if not self._named_by_hand:
            self.name_edit.setText(_unused_name(teachers, self.factor))
        self._fit_stack()

    def _show_split(self, teachers: list[Teacher]) -> None:
        self.split_again.setVisible(not leaves_one_group_out(teachers))
        if leaves_one_group_out(teachers):
            self.list.show_split(split_leaving_one_group_out(teachers), leave_one_group_out=True)
            self.split_line.say(
                tr(
                    "few specimens: each is left out once to be tested on; the model learns from all"
                )
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
            self.split_line.say(tr("{said}, no specimen in two of them", said=said))
        else:
            self.split_line.say(
                tr(
                    "{said}: only one specimen, so scores come from a held-out {unit} and are optimistic",
                    said=said,
                    unit=split.unit,
                ),
                Tone.CARE,
            )

    def _show_databars(self) -> None:
        barred = [t for t in self.list.teachers if t.databar is not None]
        self.databar_line.say(
            tr(
                "A databar was found in {count} and is left out ({value}{value2}): {link}",
                count=_images(len(barred)),
                value=", ".join(t.name for t in barred[:2]),
                value2=" …" if len(barred) > 2 else "",
                link=link("keep", tr("keep it")),
            )
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
            self, tr('Pixel size'), tr('Pixel size of all teachers in nm:'), known[0] if known else 5.0,
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

    def _factor_chosen(self) -> None:
        self.fill_starts()
        self.changed.emit()

    def fill_starts(self) -> None:
        """Offer what a training of the chosen factor can start from; what was chosen stays where it is still there."""
        before = self.start_box.currentText()
        self.start_box.clear()
        for beginning in beginnings(zoo.list_models(), self.factor):
            self.start_box.addItem(beginning.label, beginning)
        self.start_box.setCurrentIndex(max(0, self.start_box.findText(before)))

    def _fit_stack(self) -> None:
        """Follow the pixel sizes of stack and teachers, as far as they are known."""
        self.fit_line.say("")
        self._stack = None
        layer = self.chooser.layer
        known = [t.pixel_nm for t in self.list.teachers if t.pixel_nm is not None]
        try:
            if layer is not None:
                self._stack = layer_stack.stack_of(layer)
                self._follow_pixels(self._stack.voxel_nm[2], known)
        except SemSrError as error:
            self.fit_line.say(str(error), Tone.BAD)
        self.changed.emit()

    def _follow_pixels(self, stack_nm: float | None, known: list[float]) -> None:
        see = link("match", tr("see degraded teachers beside it")) if self.list.teachers else ""
        if stack_nm is None:
            self.fit_line.say(
                tr("pixel size unknown: choose the factor; {see}", see=see), Tone.CARE
            )
        elif not known:
            self.fit_line.say(
                tr(
                    "{size}; type the teachers' pixel size; {see}",
                    size=spoken_length(stack_nm),
                    see=see,
                ),
                Tone.CARE,
            )
        else:
            factor = factor_between(known, stack_nm)
            self.factor_box.setCurrentIndex(FACTORS.index(factor))
            target = stack_nm / factor
            fits = all(abs(pixel / target - 1) <= SAME for pixel in known)
            what = (
                tr("teachers fit")
                if fits
                else tr("teachers are resampled to {size}", size=spoken_length(target))
            )
            self.fit_line.say(f"{spoken_length(stack_nm)} → ×{factor}, {what}; {see}", Tone.GOOD)

    def show_match(self) -> None:
        """Show degraded teachers beside the real stack, as training will make them."""
        teachers, stack, factor = self.list.teachers, self._stack, self.factor
        if stack is not None and not self._work.running:
            self._on_finish = self._show_picture
            self._begin("matching", lambda: tasks.iter_match_picture(teachers, stack, factor))

    def _show_picture(self, picture: Any) -> None:
        self.match_view = PictureDialog(
            picture, tr("Degraded teachers beside the real stack"), self
        )
        self.match_view.show()

    def _name_typed(self) -> None:
        self._named_by_hand = bool(self.name_edit.text())
        self.changed.emit()

    def _unit_chosen(self, unit: str) -> None:
        self.budget_box.setValue(USUAL[unit])

    def settings(self) -> TrainSettings:
        """What the dock shows, as the core wants it."""
        amount, in_epochs = self.budget_box.value(), self.unit_box.currentText() == EPOCHS
        settings = TrainSettings(
            factor=self.factor,
            epochs=amount if in_epochs else None,
            minutes=None if in_epochs else float(amount),
            gan_share=self.share_box.value() / 100,
            seed=self._seed,
            device=self.device_box.currentText(),
        )
        return fitted(settings, self.start_box.currentData())

    @property
    def _target(self) -> Path:
        name: str = self.name_edit.text().strip()
        return zoo.user_folder() / name


def _images(number: int) -> str:
    return tr("1 image") if number == 1 else tr("{number} images", number=number)


def _specimens(number: int) -> str:
    return tr("1 specimen") if number == 1 else tr("{number} specimens", number=number)


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
