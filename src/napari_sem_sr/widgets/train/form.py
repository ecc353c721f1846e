"""What the dock Train looks like; what it does is in `dock`."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.widgets.qt.dock import (
    Dock,
    DropZone,
    FoldedSection,
    Line,
    field,
    link,
    primary,
    row,
    tool,
)
from napari_sem_sr.widgets.train.curves import TrainCurves
from napari_sem_sr.widgets.train.teacher_list import TeacherList
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layer_combo import LayerChooser
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

FACTORS = (2, 3, 4, 8)
MINUTES, EPOCHS = tr("minutes"), tr("epochs")
USUAL = {MINUTES: 30, EPOCHS: 200}


class TrainForm(Dock):
    """The fields, buttons and lines of the dock, from top to bottom."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self.setup = FoldedSection(
            tr("Teachers and settings"), tr("What is trained, from what; folded away while it is.")
        )
        self.setup.content().layout().setContentsMargins(0, 0, 0, 0)
        self.setup.expand(animate=False)
        self.body.addWidget(self.setup)
        self._build_teachers()
        self._build_aim()
        self._build_advanced()
        self._build_curves()
        self._build_footer()

    def _build_teachers(self) -> None:
        self.drop_zone = DropZone(
            tr(
                "Drop high-resolution images or folders here, or {link}.",
                link=link("sample", tr("try the sample")),
            ),
            tr(
                "Sharp images of the material, from a better microscope; about 100 are plenty, even a few help."
            ),
        )
        self.list = TeacherList()
        self.add = tool("+", tr("Add teacher images."))
        menu = QMenu(self.add)
        self.add_files = menu.addAction(tr("Images from disk…"))
        self.add_folder = menu.addAction(tr("A folder of images…"))
        self.add_layers = menu.addAction(tr("The selected layers"))
        self.add_sample = menu.addAction(tr("The sample"))
        self.add.setMenu(menu)
        self.add.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.remove = tool(
            "−", tr("Remove the selected images from the list; their files are kept.")
        )
        self.count_line = Line(small=True)
        self.pixel_line = Line(small=True)
        self.pixel_edit = tool("✎", tr("Set the pixel size where the files do not say it."))
        self.split_line = Line(small=True)
        self.split_again = tool("⟳", tr("Choose other specimens to test on, at random."))
        self.databar_line = Line(small=True)
        self.pixel = row([self.pixel_line, self.pixel_edit])
        self.split = row([self.split_line, self.split_again])
        for widget in (
            self.drop_zone,
            field(tr("Teachers"), self.count_line, self.add, self.remove),
            self.list,
            self.databar_line,
            self.pixel,
            self.split,
        ):
            self.setup.addWidget(widget)

    def _build_aim(self) -> None:
        self.chooser = LayerChooser(
            self.viewer, lambda layer: layers.role_of(layer) in (None, "LR"), optional=True
        )
        self.chooser.setToolTip(
            tr(
                "The LR stack that the model is for: its pixel size and that of the teachers give the upscale factor."
            )
        )
        self.factor_box = QComboBox()
        for factor in FACTORS:
            self.factor_box.addItem(f"×{factor}", factor)
        self.factor_box.setCurrentIndex(FACTORS.index(4))
        self.factor_box.setToolTip(tr("One LR pixel becomes this many SR pixels along y and x."))
        self.fit_line = Line(small=True)
        self.start_box = QComboBox()
        self.start_box.setToolTip(
            tr(
                "What both networks begin as. The bundled model knows many materials already; chance knows nothing."
            )
        )
        self.name_edit = QLineEdit()
        self.name_edit.setToolTip(tr("Name of the model, under which Upscale will offer it."))
        self.budget_box = QSpinBox()
        self.budget_box.setRange(1, 100_000)
        self.budget_box.setMinimumWidth(60)
        self.budget_box.setValue(USUAL[MINUTES])
        self.unit_box = QComboBox()
        self.unit_box.addItems([MINUTES, EPOCHS])
        self.unit_box.setToolTip(
            tr(
                "An epoch shows each teacher's share of patches once, as many as fill its area with content."
            )
        )
        self.budget_line = Line(small=True)
        for widget in (
            field(tr("For stack"), self.chooser),
            field("", self.fit_line),
            field(tr("Factor"), self.factor_box),
            field(tr("Start from"), self.start_box),
            field(tr("Name"), self.name_edit),
            field(tr("Budget"), self.budget_box, self.unit_box),
        ):
            self.setup.addWidget(widget)

    def _build_advanced(self) -> None:
        self.device_box = QComboBox()
        self.device_box.addItems(["auto", "cpu", "cuda", "mps"])
        self.device_box.setToolTip(tr("auto takes a GPU where there is one."))
        self.share_box = QDoubleSpinBox()
        self.share_box.setRange(0, 90)
        self.share_box.setDecimals(0)
        self.share_box.setSuffix(tr(" % of the budget"))
        self.share_box.setToolTip(
            tr(
                "Part of the budget that the twin is taught against a discriminator, which makes it an SRGAN. 0 trains the twin alone."
            )
        )
        self.advanced = FoldedSection(tr("Advanced"), tr("Device, adversarial part."))
        for widget in (
            field(tr("Device"), self.device_box),
            field(tr("Adversarial"), self.share_box),
        ):
            self.advanced.addWidget(widget)
        self.setup.addWidget(self.advanced)

    def _build_curves(self) -> None:
        self.watch_box = QCheckBox(tr("show a test patch on the canvas"))
        self.watch_box.setChecked(True)
        self.watch_box.setToolTip(
            tr(
                "LR, twin, SRGAN and HR of one patch, as it gets better; unchecked, the canvas is yours."
            )
        )
        self.curves = TrainCurves(self.viewer)
        self.scores_line = Line(small=True)
        self.verdict_line = Line()
        for widget in (
            self.watch_box,
            self.budget_line,
            self.curves,
            self.scores_line,
            self.verdict_line,
        ):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def _build_footer(self) -> None:
        self.message = Line()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.state_line = Line(small=True)
        self.progress = QWidget()
        column = QVBoxLayout(self.progress)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self.state_line)
        self.train_button = primary(tr("Train"))
        self.pause_button = QPushButton(tr("Pause"))
        self.pause_button.setToolTip(
            tr("Wait with all that was learned in memory, and go on from there.")
        )
        self.stop_button = QPushButton(tr("Stop"))
        self.stop_button.setToolTip(tr("Stop now; the training is kept and can be resumed."))
        self.use_button = primary(tr("Use this model"))
        self.use_button.setToolTip(tr("Choose the new model in the Upscale dock."))
        self.footer.addWidget(self.message)
        self.footer.addWidget(self.progress)
        self.footer.addWidget(
            row([self.train_button, self.use_button, self.pause_button, self.stop_button])
        )
        for widget in (self.progress, self.pause_button, self.stop_button, self.use_button):
            widget.hide()
