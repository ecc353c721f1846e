"""What a check may do beyond the usual, folded away: a quick look, HR laid over LR, other images, SR projected."""

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QSpinBox

from napari_sem_sr.widgets.qt.dock import FoldedSection, PathLabel, field, tool
from napari_sem_sr.widgets.words import tr

NO_HR = tr("There is no HR to lay over LR; choose it above.")
NO_REFERENCE = tr("none")
# A quick look at fewer slices than this says next to nothing of the others.
MOST_APART = 100


@dataclass(frozen=True)
class CheckOptions:
    """How to check.

    Parameters
    ----------
    without
        Slices of LR that are left out.
    register
        Lay HR over LR by what its pixels show.
    project
        Also write SR made consistent with LR.
    reference
        Folder of images of the same material, of other places.
    every
        Only every so many slices are looked at.
    """

    without: frozenset[int] = frozenset()
    register: bool = False
    project: bool = False
    reference: Path | None = None
    every: int = 1


class CheckOptionsForm(FoldedSection):
    """A number, two ticks and a folder."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(
            tr("More"),
            tr("A quick look, registration of HR, projection of SR, images to compare with."),
        )
        self.every_box = QSpinBox()
        self.every_box.setRange(1, MOST_APART)
        self.every_box.setSpecialValueText(tr("all slices"))
        self.every_box.setPrefix(tr("1 in "))
        self.every_box.setSuffix(tr(" slices"))
        self.every_box.setToolTip(
            tr(
                "A quick look at some of the slices. The report says what that leaves unknown; the others can be looked at later, into the same report."
            )
        )
        self.register_box = QCheckBox(tr("lay HR over LR by its pixels"))
        self.project_box = QCheckBox(tr("write SR made consistent"))
        self.project_box.setToolTip(
            tr(
                "Also writes projected.zarr beside the report: SR changed as little as possible so that its average agrees with LR. The report says what that changed."
            )
        )
        self.reference: Path | None = None
        self.reference_label = PathLabel()
        self.reference_button = tool(
            "…",
            tr(
                "Folder of HR images of the same material, of other places: their statistics are held beside SR's."
            ),
        )
        self.forget_button = tool("✕", tr("Compare with no other images."))
        for widget in (
            field(tr("Look at"), self.every_box),
            field(tr("Register"), self.register_box),
            field(tr("Project"), self.project_box),
            field(tr("Reference"), self.reference_label, self.forget_button, self.reference_button),
        ):
            self.addWidget(widget)
        self.every_box.valueChanged.connect(lambda _: self.changed.emit())
        self.register_box.toggled.connect(lambda _: self.changed.emit())
        self.project_box.toggled.connect(lambda _: self.changed.emit())
        self.reference_button.clicked.connect(self._choose_reference)
        self.forget_button.clicked.connect(lambda: self.set_reference(None))
        self.set_reference(None)
        self.offer(hr=False)

    def offer(self, *, hr: bool) -> None:
        """Registration is there only with HR."""
        self.register_box.setEnabled(hr)
        self.register_box.setToolTip(
            tr(
                "For HR of another microscope: finds by how much it is shifted against LR, and checks against HR laid where it belongs. Turning and stretching are not undone."
            )
            if hr
            else NO_HR
        )

    def set_reference(self, folder: Path | None) -> None:
        """Compare with the images of a folder, or with none."""
        self.reference = folder
        self.reference_label.setText(NO_REFERENCE if folder is None else str(folder))
        self.reference_label.setToolTip(
            self.reference_button.toolTip() if folder is None else str(folder)
        )
        self.forget_button.setVisible(folder is not None)
        self.changed.emit()

    def _choose_reference(self) -> None:
        path = QFileDialog.getExistingDirectory(
            self, tr("Folder of HR images of the same material")
        )
        if path:
            self.set_reference(Path(path))

    def options(self, without: frozenset[int]) -> CheckOptions:
        """What is chosen, leaving out some slices of LR."""
        return CheckOptions(
            without,
            register=self.register_box.isChecked() and self.register_box.isEnabled(),
            project=self.project_box.isChecked(),
            reference=self.reference,
            every=self.every_box.value(),
        )
