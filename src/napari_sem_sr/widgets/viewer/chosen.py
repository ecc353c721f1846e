"""What there is to know about a stack at the moment it is chosen to be upscaled."""

from collections.abc import Generator
from dataclasses import dataclass

from napari.layers import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.io import iter_unrelated
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layer_stack
from napari_sem_sr.widgets.words import tr


@dataclass(frozen=True, eq=False)
class Chosen:
    """A stack, and sentences about what a person should look at before it is upscaled.

    Parameters
    ----------
    stack
        As it was read.
    cautions
        Sentences for a person.
    """

    stack: SemStack
    cautions: tuple[str, ...] = ()


def in_thread(layer: Image) -> bool:
    """Whether `iter_chosen` reads so much that the user interface must not wait for it.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    """
    return layer_stack.takes_long(layer) or layer.dtype.kind == "f"


def iter_chosen(layer: Image) -> Generator[Event, None, Chosen]:
    """Read the stack of a layer and look whether it can be upscaled at all.

    Parameters
    ----------
    layer
        A layer of napari's viewer.

    Raises
    ------
    InputError
        If it is no stack, or nothing of it is finite.
    """
    long = layer_stack.takes_long(layer)
    stack = yield from layer_stack.iter_stack_of(layer)
    cautions = []
    if stack.dtype.kind == "f":
        yield Progress(tr("measuring the intensity range"), 0, 1, "step")
        stack_range(stack)
    if (stack.provenance or {}).get("synthetic"):
        raise InputError(
            tr(
                "'{name}' is a super-resolved result, not a measurement; choose the LR stack.",
                name=layer.name,
            )
        )
    # what a dock opened has been asked about
    why = (yield from iter_unrelated(stack)) if long else None
    if why:
        cautions.append(
            tr(
                "These {value} images do not look like slices of one specimen: {why}.",
                value=stack.shape[0],
                why=why,
            )
        )
    return Chosen(stack, tuple(cautions))
