"""What the dock Upscale looks like; what it does is in `dock`."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.inference.runs.recorded import RecordedRun
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import (
    Dock,
    DropZone,
    FoldedSection,
    Line,
    PathLabel,
    field,
    link,
    primary,
    row,
    tool,
)
from napari_sem_sr.widgets.upscale.buttons import Buttons
from napari_sem_sr.widgets.upscale.conditions_row import ConditionsRow
from napari_sem_sr.widgets.upscale.outlook_view import OutlookView
from napari_sem_sr.widgets.upscale.queue.runs import Runs
from napari_sem_sr.widgets.upscale.queue.view import QueueView
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layer_combo import LayerChooser
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

STEPS = 100
ALL, THIS, SOME = tr("all"), tr("this slice"), tr("from – to")
WHOLE, VISIBLE, BARLESS = tr("whole slice"), tr("visible part"), tr("without the databar")


class UpscaleForm(Dock):
    """The fields, buttons and lines of the dock, from top to bottom."""

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__(viewer)
        self._build_stack()
        self._build_model()
        self._build_what()
        self._build_advanced()
        self._build_footer()

    def _build_stack(self) -> None:
        self.drop_zone = DropZone(
            tr(
                "Drop a stack here, or try a sample: {tin} or {medulla}.",
                tin=link("tin", tr("an image with real noise")),
                medulla=link("sample", tr("a small stack")),
            ),
            tr("A TIFF, a folder of slices, an OME-Zarr, MRC, DM3/DM4 or HDF5 file."),
        )
        self.chooser = LayerChooser(
            self.viewer,
            lambda layer: layers.role_of(layer) != "SR",
            preferred=lambda layer: layers.role_of(layer) == "LR",
        )
        self.chooser.setToolTip(
            tr("The LR stack to upscale: any grey image that is open in napari.")
        )
        self.browse = tool("…", tr("Open a stack from disk."))
        menu = QMenu(self.browse)
        self.open_file = menu.addAction(tr("Open a file…"))
        self.open_folder = menu.addAction(tr("Open a folder of slices or an OME-Zarr…"))
        self.open_tin = menu.addAction(tr("Open the sample image"))
        self.open_example = menu.addAction(tr("Open the sample stack"))
        self.browse.setMenu(menu)
        self.browse.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.browse.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.shape_line = Line(small=True)
        self.voxel_line = Line(small=True)
        self.stack_caution = Line(small=True)
        self.databar_line = Line(small=True)
        self.reading_line = Line(small=True)
        self.voxel_edit = tool(
            "✎", tr("Set the voxel size where the file does not say it, or is wrong.")
        )
        self.facts = field("", self.shape_line)
        self.voxel = field("", self.voxel_line, self.voxel_edit)
        for widget in (
            self.drop_zone,
            field(tr("Stack"), self.chooser, self.browse),
            self.facts,
            self.voxel,
            field("", self.stack_caution),
            field("", self.databar_line),
            field("", self.reading_line),
        ):
            self.body.addWidget(widget)

    def _build_model(self) -> None:
        self.model_box = QComboBox()
        self.model_box.setToolTip(
            tr("The trained network; what it was taught decides what it draws.")
        )
        self.model_import = tool("+", tr("Install a model from a .semsr file."))
        self.card_line = Line(small=True)
        self.gain_line = Line(small=True)
        self.caution_line = Line(small=True)
        self.conditions = ConditionsRow()
        self.sharpness = QSlider(Qt.Orientation.Horizontal)
        self.sharpness.setRange(0, STEPS)
        self.sharpness.setToolTip(
            tr(
                "0, the twin: closest to the truth on average, soft. 1, the full SRGAN: detail as sharp as in the teachers, some of it made up. The card's default is never worse than bicubic in PSNR."
            )
        )
        self.sharpness_value = Line(small=True)
        self.sharpness_reset = tool("↺", tr("Back to the default of the model's card."))
        for widget in (
            field(tr("Model"), self.model_box, self.model_import),
            field("", self.card_line),
            field("", self.gain_line),
            field("", self.caution_line),
            self.conditions,
            field(
                tr("Sharpness"),
                QLabel(tr("twin")),
                self.sharpness,
                QLabel("SRGAN"),
                self.sharpness_reset,
            ),
            field("", self.sharpness_value),
        ):
            self.body.addWidget(widget)

    def _build_what(self) -> None:
        self.slices_box = QComboBox()
        self.slices_box.addItems([ALL, THIS, SOME])
        self.slices_box.setToolTip(tr("Which slices are upscaled."))
        self.first_slice, self.last_slice = QSpinBox(), QSpinBox()
        self.first_slice.setToolTip(tr("First slice, counted from 0."))
        self.last_slice.setToolTip(tr("Last slice, counted from 0; it is upscaled too."))
        for box in (self.first_slice, self.last_slice):
            # two of them have to fit a narrow dock
            box.setMinimumWidth(60)
        self.slice_range = field("", self.first_slice, QLabel("–"), self.last_slice)
        self.region_box = QComboBox()
        self.region_box.addItems([WHOLE, VISIBLE])
        self.region_box.setToolTip(
            tr("Whole slices, or only what the canvas shows when you start.")
        )
        self.output_label = PathLabel()
        self.output_browse = tool("…", tr("Choose where the result is written."))
        self.run_line = Line(small=True)
        self.check_box = QCheckBox(tr("check as well"))
        self.check_box.setToolTip(
            tr(
                "Looks at every slice as soon as it is made, which takes about as long again; Inspect then has the report, its Answer check, ready."
            )
        )
        for widget in (
            field(tr("Slices"), self.slices_box),
            self.slice_range,
            field(tr("Region"), self.region_box),
            field(tr("Result"), self.output_label, self.output_browse),
            field("", self.run_line),
            field("", self.check_box),
        ):
            self.body.addWidget(widget)

    def _build_advanced(self) -> None:
        self.device_box, self.precision_box = QComboBox(), QComboBox()
        self.device_box.addItems(["auto", "cpu", "cuda", "mps"])
        self.device_box.setToolTip(tr("auto takes a GPU where there is one."))
        self.precision_box.addItems(["auto", "fp32", "bf16", "fp16"])
        self.precision_box.setToolTip(
            tr(
                "auto takes the fastest that this device has and that leaves 99.9 % of pixels within 1/255 of fp32."
            )
        )
        self.tile_box = QSpinBox()
        self.tile_box.setRange(0, 4096)
        self.tile_box.setSingleStep(16)
        self.tile_box.setSuffix(" px")
        self.tile_box.setSpecialValueText("auto")
        self.tile_box.setToolTip(tr("Width of a tile in LR pixels; smaller needs less memory."))
        self.runs = Runs()
        self.queue = QueueView(self.runs)
        self.advanced = FoldedSection(tr("Advanced"), tr("Device, precision and tile size."))
        for widget in (
            field(tr("Device"), self.device_box),
            field(tr("Precision"), self.precision_box),
            field(tr("Tile"), self.tile_box),
        ):
            self.advanced.addWidget(widget)
        self.body.addWidget(self.advanced)
        self.body.addWidget(self.queue)
        self.body.addStretch(1)

    def _build_footer(self) -> None:
        self.message = Line()
        self.outlook = OutlookView()
        self.live_button = QPushButton(tr("Live preview"))
        self.live_button.setCheckable(True)
        self.live_line = Line(small=True)
        self.preview_button = QPushButton(tr("Preview slice"))
        self.start_button = primary(tr("Upscale"))
        self.queue_button = tool("+", "")
        self.queue_button.setAccessibleName(tr("Add to the queue"))
        self.again_button = QPushButton(tr("Start over"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.state_line = Line(small=True)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setToolTip(tr("Stop now; finished slices are kept and can be resumed."))
        self.cancel_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.progress = QWidget()
        column = QVBoxLayout(self.progress)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(row([self.state_line, self.cancel_button]))
        self.footer.addWidget(self.message)
        self.footer.addWidget(self.progress)
        self.footer.addWidget(self.live_line)
        self.footer.addWidget(row([self.live_button, self.preview_button]))
        self.footer.addWidget(self.outlook)
        self.footer.addWidget(row([self.again_button, self.queue_button, self.start_button]))
        self.progress.hide()

    def show_run(self, recorded: RecordedRun, stack: SemStack | None) -> None:
        """Fill the form with what a run of ``stack`` was begun with."""
        names = [self.model_box.itemData(i).card.name for i in range(self.model_box.count())]
        if recorded.model in names:
            self.model_box.setCurrentIndex(names.index(recorded.model))
        self.sharpness.setValue(round(recorded.sharpness * STEPS))
        first, end = recorded.slices
        whole = stack is not None and (first, end) == (0, stack.shape[0])
        self.first_slice.setValue(first)
        self.last_slice.setValue(end - 1)
        self.slices_box.setCurrentText(ALL if whole else SOME)

    def show_buttons(self, wanted: Buttons) -> None:
        """Let the buttons say and do what they can."""
        for button, state in (
            (self.start_button, wanted.start),
            (self.queue_button, wanted.queue),
            (self.preview_button, wanted.preview),
            (self.again_button, wanted.again),
            (self.live_button, wanted.live),
        ):
            if state.text:
                button.setText(state.text)
            button.setEnabled(state.enabled)
            button.setToolTip(state.tip)
        self.again_button.setVisible(wanted.again.visible)
