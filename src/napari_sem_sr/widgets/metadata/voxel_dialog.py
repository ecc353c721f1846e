"""Voxel size: what the files say, where each number is from, and what a person types over it."""

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_sem_sr.errors import InputError
from napari_sem_sr.geometry import STEEPEST_DEG, shear_nm, spoken_length, with_typed
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.metadata.geometry_view import GeometryView
from napari_sem_sr.widgets.qt.dock import Line, Tone, row
from napari_sem_sr.widgets.qt.length_box import LengthBox, NumberBox
from napari_sem_sr.widgets.words import tr

_AXES = (("z", tr("Slice thickness z")), ("y", tr("Pixel size y")), ("x", tr("Pixel size x")))
_TIP = tr(
    "Angle between the beam and the normal of the imaged face: 0 where the beam meets it head on, 90 degrees minus the angle between the columns for a face milled along the ion beam."
)


class VoxelDialog(QDialog):
    """Type voxel size and tilt over those of a stack; :attr:`stack` is the stack with them.

    Parameters
    ----------
    stack
        As read from its files.
    parent
        Window over which it opens.
    """

    def __init__(self, stack: SemStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Voxel size"))
        self.setMinimumWidth(400)
        self._read = stack
        self.stack = stack
        self.view = GeometryView()
        self.boxes = {axis: LengthBox() for axis, _ in _AXES}
        self.tilt = NumberBox(-1.0, STEEPEST_DEG, 1)
        self.tilt.setToolTip(_TIP)
        self.origins = {name: Line(small=True) for name in ("z", "y", "x", "tilt")}
        self.effect = Line(small=True)
        self._typed: set[str] = set()
        self._build()
        self._show()
        for name, box in self._all_boxes():
            box.valueChanged.connect(lambda _, name=name: self._changed(name))

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        instrument = self._read.instrument
        facts = [instrument.maker, instrument.model, instrument.detector]
        if instrument.stage_tilt_deg is not None:
            facts.append(
                tr("stage at {stage_tilt_deg:.1f}°", stage_tilt_deg=instrument.stage_tilt_deg)
            )
        if instrument.tilt_corrected is not None:
            facts.append(
                tr(
                    "tilt correction {value}",
                    value=tr("on") if instrument.tilt_corrected else tr("off"),
                )
            )
        said = QLabel(
            " · ".join(f for f in facts if f) or tr("The files say nothing about the instrument.")
        )
        said.setWordWrap(True)
        layout.addWidget(said)
        form = QFormLayout()
        for axis, label in _AXES:
            self.boxes[axis].setAccessibleName(label)
            form.addRow(label, row([self.boxes[axis], self.origins[axis]]))
        form.addRow(tr("Tilt of the face"), row([self.tilt, self.origins["tilt"]]))
        layout.addLayout(form)
        layout.addWidget(self.view)
        layout.addWidget(self.effect)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok
            | QDialogButtonBox.StandardButton.Cancel
            | QDialogButtonBox.StandardButton.Reset
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        reset = self.buttons.button(QDialogButtonBox.StandardButton.Reset)
        reset.setText(tr("As read"))
        reset.setToolTip(tr("Forget what was typed."))
        reset.clicked.connect(self._reset)
        layout.addWidget(self.buttons)

    def _all_boxes(self) -> list[tuple[str, QDoubleSpinBox]]:
        return [*self.boxes.items(), ("tilt", self.tilt)]

    def _changed(self, name: str) -> None:
        self._typed.add(name)
        # pixels are square unless someone says otherwise
        other = {"y": "x", "x": "y"}.get(name)
        if other and other not in self._typed and self._read.voxel_nm["zyx".index(other)] is None:
            self.boxes[other].setValue(self.boxes[name].value())
        voxel = {
            axis: (box.value() or None) if axis in self._typed else None
            for axis, box in self.boxes.items()
        }
        tilt = self.tilt.value() if "tilt" in self._typed and self.tilt.value() >= 0 else None
        try:
            self.stack = with_typed(self._read, (voxel["z"], voxel["y"], voxel["x"]), tilt)
        except InputError as error:
            self.effect.say(str(error), Tone.BAD)
        else:
            self._show()

    def _reset(self) -> None:
        self._typed.clear()
        self.stack = self._read
        self._show()

    def _show(self) -> None:
        said = self.stack.describe()
        values = dict(zip("zyx", said["voxel_nm"], strict=True)) | {"tilt": said["tilt_deg"]}
        sources = dict(zip("zyx", said["voxel_source"], strict=True)) | {
            "tilt": said["tilt_source"]
        }
        for name, box in self._all_boxes():
            value = values[name]
            blocked = box.blockSignals(True)
            box.setValue(box.minimum() if value is None else value)
            box.blockSignals(blocked)
            origin = (
                "typed" if sources[name] == "typed" else tr("from {value}", value=sources[name])
            )
            unit = [tr("degrees")] if name == "tilt" else []
            self.origins[name].say(", ".join([*unit, *([] if value is None else [origin])]))
        self.view.show_tilt(self.stack.tilt_deg)
        self.effect.say(self._effect())

    def _effect(self) -> str:
        """Say what the tilt does to y and to a stack that the beam did not follow."""
        z, y, _ = self.stack.voxel_nm
        tilt = self.stack.tilt_deg
        if tilt is None:
            return tr("Tilt unknown: y is taken as recorded.")
        recorded = self._read.voxel_nm[1]
        said = []
        if self.stack.instrument.tilt_corrected:
            said.append(tr("The microscope corrected y."))
        elif "tilt" in self._typed and self.stack.sources.y != "typed" and recorded and y:
            said.append(
                tr(
                    "y: {size} recorded, {size2} on the face.",
                    size=spoken_length(recorded, 5),
                    size2=spoken_length(y, 5),
                )
            )
        if z and y and tilt:
            said.append(
                tr(
                    "Untracked slices would wander by {value:.2f} px in y each.",
                    value=shear_nm(z, tilt) / y,
                )
            )
        return " ".join(said) or tr("The beam meets the face head on: nothing to correct.")
