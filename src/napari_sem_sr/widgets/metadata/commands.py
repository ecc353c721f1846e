"""What the files of a layer say, put on a layer that napari's own reader opened."""

from pathlib import Path

from napari import Viewer
from napari.layers import Image, Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.geometry import spoken_voxel
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.metadata.typed import keep_typed, with_kept
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.metadata.slices_dialog import SlicesDialog
from napari_sem_sr.widgets.metadata.voxel_dialog import VoxelDialog
from napari_sem_sr.widgets.qt.words import in_dock
from napari_sem_sr.widgets.viewer import layer_stack, layers
from napari_sem_sr.widgets.words import tr


def read_metadata(viewer: Viewer) -> None:
    """Give the selected image layers the voxel size, unit and contrast of their files."""
    chosen = _chosen(viewer)
    for layer in chosen:
        try:
            stack = stack_of_file(layer)
        except SemSrError as error:
            show_warning(in_dock(str(error)))
            continue
        put_on(layer, stack)
        for notice in stack.notices:
            show_warning(in_dock(notice))
        show_info(summary(stack))


def edit_voxel(viewer: Viewer) -> None:
    """Show voxel size and tilt of the active layer, and put what is typed on it."""
    for layer in _chosen(viewer)[:1]:
        try:
            stack = layer_stack.stack_of(layer)
        except SemSrError as error:
            show_warning(in_dock(str(error)))
            return
        dialog = VoxelDialog(stack)
        if dialog.exec():
            apply_typed(layer, dialog.stack)


def examine_slices(viewer: Viewer) -> None:
    """Name the odd slices of the active layer, and offer what can be done."""
    for layer in _chosen(viewer)[:1]:
        try:
            stack = layer_stack.stack_of(layer)
        except SemSrError as error:
            show_warning(in_dock(str(error)))
            return
        dialog = SlicesDialog(viewer, layer, stack, QApplication.activeWindow())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def stack_of_file(layer: Layer) -> SemStack:
    """Read the stack that a layer's file holds.

    Raises
    ------
    InputError
        If the layer has no file, or the file holds something of another shape.
    """
    if not isinstance(layer, Image):
        raise InputError(tr("'{name}' is not an image layer; choose an image.", name=layer.name))
    path = layers.path_of(layer)
    if path is None:
        raise InputError(
            tr(
                "'{name}' was not read from a file, so there are no metadata to read.",
                name=layer.name,
            )
        )
    stack = with_kept(read_stack(Path(path), grey=True))
    shape = layers.full_shape(layer)[: -1 if layer.rgb else None]
    if stack.shape != (1, 1, *shape)[-3:]:
        raise InputError(
            tr(
                "'{name}' has the shape {shape} and '{path}' {shape2}; open the file again.",
                name=layer.name,
                shape=shape,
                path=path,
                shape2=stack.shape,
            )
        )
    return stack


def apply_typed(layer: Image, stack: SemStack) -> None:
    """Put typed numbers on a layer, and keep them for its files."""
    try:
        keep_typed(stack)
    except SemSrError as error:
        show_warning(in_dock(str(error)))
    put_on(layer, stack, tuple(layer.contrast_limits))


def put_on(layer: Image, stack: SemStack, limits: tuple[float, float] | None = None) -> None:
    """Set scale, place, unit, contrast limits and metadata of a layer to those of its stack.

    Parameters
    ----------
    limits
        Contrast limits in grey values; measured by default.
    """
    world = stack.world
    axes = layer.ndim
    # scale and unit together: napari converts nothing
    layer.scale = (1.0, 1.0, 1.0, *world.scale)[-axes:]
    layer.translate = (0.0, 0.0, 0.0, *world.translate)[-axes:]
    layer.units = ("pixel", "pixel", "pixel", *world.units)[-axes:]
    layer.axis_labels = (*layer.axis_labels[: max(0, axes - 3)], *layers.AXES[-axes:])[-axes:]
    if not layer.rgb:
        # of the whole stack: the first slice is often blank
        layer.contrast_limits = limits or layers.limits_of(stack)
    layer.metadata[layers.METADATA] = {**stack.describe(), "raw": dict(stack.instrument.raw)}


def summary(stack: SemStack) -> str:
    """Say in one line what is known."""
    instrument = stack.instrument
    known = [
        tr("voxel size {size}", size=spoken_voxel(stack.voxel_nm)),
        " ".join(t for t in (instrument.maker, instrument.model) if t),
        instrument.detector,
        f"{instrument.kv:g} kV" if instrument.kv else None,
        f"WD {instrument.wd_mm:.3g} mm" if instrument.wd_mm else None,
    ]
    return f"{stack.name}: " + ", ".join(k for k in known if k)


def _chosen(viewer: Viewer) -> list[Layer]:
    active = viewer.layers.selection.active
    found = [layer for layer in viewer.layers.selection if layer is not active]
    if active is not None:
        found.insert(0, active)
    if not found:
        show_warning(tr("Choose an image layer first."))
    return found
