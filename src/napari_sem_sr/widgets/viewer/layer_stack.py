"""The stack that a layer shows, with all that its files and a person say about it."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Image, Layer

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, drain
from napari_sem_sr.geometry import with_typed
from napari_sem_sr.io import is_zarr, iter_read_stack
from napari_sem_sr.io.metadata.typed import with_kept
from napari_sem_sr.stack import SemStack, Triple
from napari_sem_sr.widgets.viewer.layers import LENGTHS, METADATA, mark_of, path_of
from napari_sem_sr.widgets.words import tr

_READ: "WeakKeyDictionary[Layer, tuple[Any, SemStack]]" = WeakKeyDictionary()


def remember(layer: Layer, stack: SemStack) -> None:
    """Keep the stack of a layer whose slices are many files, which take long to open again.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    stack
        As it was read.
    """
    if len(stack.paths) > 1:
        _READ[_bare(layer)] = (layer.data, stack)


def takes_long(layer: Layer) -> bool:
    """Whether `stack_of` has to open many files, so that it is for a thread (`iter_stack_of`).

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    """
    path = path_of(layer)
    return _kept(layer) is None and path is not None and path.is_dir() and not is_zarr(path)


def _kept(layer: Layer) -> SemStack | None:
    data, stack = _READ.get(_bare(layer), (None, None))
    return stack if data is layer.data else None


def _bare(layer: Layer) -> Layer:
    # napari hands plugins proxies, which come and go
    bare: Layer = getattr(layer, "__wrapped__", layer)
    return bare


def stack_of(layer: Layer) -> SemStack:
    """Stack that a layer shows, read anew from its file where it has one.

    The file knows more than a layer does (voxel size, instrument) and is read slice by slice. Where it does
    not say the voxel size, what the layer says in a unit of length counts.

    Parameters
    ----------
    layer
        A layer of napari's viewer.

    Raises
    ------
    InputError
        If the layer is no single grey image or stack.
    """
    return drain(iter_stack_of(layer))


def iter_stack_of(layer: Layer) -> Generator[Event, None, SemStack]:
    """As `stack_of`, with progress where a layer's slices are many files; they are opened once.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    """
    if not isinstance(layer, Image):
        raise InputError(tr("'{name}' is not an image layer; choose an image.", name=layer.name))
    data = layer.data[0] if layer.multiscale else layer.data
    path = path_of(layer)
    if path is not None and path.exists():
        stack = _kept(layer)
        if stack is None:
            stack = with_kept((yield from iter_read_stack(path)))
        if stack.shape == (1, 1, *data.shape)[-3:]:
            remember(layer, stack)
            return _with_voxel_of(_with_typed_on(stack, layer), layer)
    if layer.rgb:
        raise InputError(tr("'{name}' is in colour; convert it to grey first.", name=layer.name))
    if data.ndim > 3:
        data = _without_empty_axes(layer.name, data)
    known = mark_of(layer)
    stack = _with_voxel_of(SemStack.from_array(data, name=layer.name), layer)
    return replace(stack, origin_nm=_origin_of(layer), provenance=known or None)


def _origin_of(layer: Layer) -> Triple[float]:
    """Where a layer's first voxel lies: in nm along axes in a unit of length, else in its own pixels."""
    found = [0.0] * max(0, 3 - layer.ndim)
    for begin, size, unit in zip(
        layer.translate[-3:], layer.scale[-3:], layer.units[-3:], strict=True
    ):
        length = unit.dimensionality == {LENGTHS: 1}
        found.append(
            float((begin * unit).to("nanometer").magnitude) if length else float(begin / size)
        )
    z, y, x = found
    return z, y, x


def _without_empty_axes(name: str, data: Any) -> Any:
    leading = data.shape[:-3]
    if any(n != 1 for n in leading):
        raise InputError(
            tr(
                "'{name}' has shape {tuple}; give one stack (z, y, x), for instance by splitting it.",
                name=name,
                tuple=tuple(data.shape),
            )
        )
    return data[(0,) * len(leading)]


def _with_typed_on(stack: SemStack, layer: Layer) -> SemStack:
    """Put numbers that a person typed for the layer over those of its file."""
    said = layer.metadata.get(METADATA)
    if not isinstance(said, Mapping):
        return stack
    z, y, x = (
        size if source == "typed" else None
        for size, source in zip(said["voxel_nm"], said["voxel_source"], strict=True)
    )
    return with_typed(
        stack, (z, y, x), said["tilt_deg"] if said["tilt_source"] == "typed" else None
    )


def _with_voxel_of(stack: SemStack, layer: Layer) -> SemStack:
    """Fill in what the file did not say from a layer that is scaled in a unit of length."""
    if all(v is not None for v in stack.voxel_nm):
        return stack
    said: list[float | None] = [
        float((scale * unit).to("nanometer").magnitude)
        if unit.dimensionality == {LENGTHS: 1}
        else None
        for scale, unit in zip(layer.scale[-3:], layer.units[-3:], strict=True)
    ]
    said = [*([None] * (3 - len(said))), *said]
    z, y, x = (
        ours if ours is not None else theirs
        for ours, theirs in zip(stack.voxel_nm, said, strict=True)
    )
    return replace(stack, voxel_nm=(z, y, x))
