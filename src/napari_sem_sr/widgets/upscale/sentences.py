"""What the dock Upscale says about a stack that was chosen or dropped."""

from pathlib import Path

from napari.layers import Layer
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_sem_sr.geometry import spoken_voxel
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import Tone, link
from napari_sem_sr.widgets.upscale.form import BARLESS, WHOLE
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr


def shape(stack: SemStack) -> str:
    """Size and type of a stack.

    Parameters
    ----------
    stack
        As it was read.
    """
    z, y, x = stack.shape
    if z == 1:
        return tr("1 slice of {y} × {x} px · {dtype}", y=y, x=x, dtype=stack.dtype)
    return tr("{z} slices of {y} × {x} px · {dtype}", z=z, y=y, x=x, dtype=stack.dtype)


def voxel(stack: SemStack, source: str) -> tuple[str, Tone]:
    """Voxel size of a stack and where it comes from, and in which tone to say it.

    Parameters
    ----------
    stack
        As it was read.
    source
        As `voxel_source` says it.
    """
    known = spoken_voxel(stack.voxel_nm)
    if known == "unknown":
        return tr("voxel size unknown: the result will carry none"), Tone.CARE
    return tr("voxel {known}, {voxel_from}", known=known, voxel_from=source), Tone.PLAIN


def no_model() -> str:
    """Say how to come by a model."""
    return tr(
        "No model is installed: {link}, or install one with +.",
        link=link("train", tr("train one")),
    )


def place(path: Path | None) -> str:
    """Say where a result goes.

    Parameters
    ----------
    path
        None where there is none yet.
    """
    if path is None:
        return tr("Where the result is written.")
    return tr("Where the result is written: {path}", path=path)


def databar(rows: tuple[int, int], *, left_out: bool) -> str:
    """Where a databar was found, and a link to the other choice; ``rows`` are those beside it.

    Parameters
    ----------
    left_out
        Whether it is.
    """
    where = (
        tr("from row {row} on", row=rows[1]) if rows[0] == 0 else tr("above row {row}", row=rows[0])
    )
    if left_out:
        return tr(
            "A databar was found {where} and is left out: {link}.",
            where=where,
            link=link(WHOLE, tr("keep it")),
        )
    return tr(
        "A databar was found {where}: {link}.", where=where, link=link(BARLESS, tr("leave it out"))
    )


def not_measured(layer: Layer) -> str:
    """Say of a result that it is none to upscale.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    """
    model = layers.mark_of(layer).get("model")
    return tr(
        "'{name}' is a super-resolved result{by}, not a measurement: it is shown, but cannot be upscaled again. Give "
        "the LR stack; {link}.",
        name=layer.name,
        by=tr(" (by {model})", model=model) if model else "",
        link=link("inspect", tr("compare them in Inspect")),
    )


def unmade(name: str) -> str:
    """Say of a file that it does not know what it was made of.

    Parameters
    ----------
    name
        Of the file.
    """
    return tr("'{name}' does not say what it was made of; open it with File > Open.", name=name)


def voxel_source(stack: SemStack) -> str:
    """Where the voxel size of a stack comes from.

    Parameters
    ----------
    stack
        As it was read.
    """
    if "typed" in (stack.sources.z, stack.sources.y, stack.sources.x):
        return tr("as typed")
    return tr("from file") if stack.paths else tr("from the layer")


def ask_to_start_over(parent: QWidget, output: Path | None) -> bool:
    """Ask whether an output is to be made anew.

    Parameters
    ----------
    parent
        Window over which it opens.
    output
        None where there is none.
    """
    answer = QMessageBox.question(
        parent,
        tr("Start over"),
        tr(
            "Upscale '{place}' again from the first slice? What is there is kept until the new output is whole.",
            place=output,
        ),
    )
    return bool(answer == QMessageBox.StandardButton.Yes)
