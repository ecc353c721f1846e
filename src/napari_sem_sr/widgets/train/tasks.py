"""What the Train dock asks of the core, as generators of events; torch is loaded in their thread."""

import os
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import ModelError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.inference.loading import preload_torch
from napari_sem_sr.intensity import range_of
from napari_sem_sr.model.zoo import Entry, entry_with
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher, read_teachers, teachers_of
from napari_sem_sr.training.data.preparation import iter_matched
from napari_sem_sr.training.loop.unfinished import Unfinished, kept_teachers
from napari_sem_sr.widgets.train.teacher_list import THUMBNAIL_PX, Listed
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari_sem_sr.model.bundle import Model
    from napari_sem_sr.training.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class TeachersRead(Event):
    """Teachers of a resumed training, to be shown."""

    listed: Sequence[Listed]


def iter_read(
    paths: Sequence[Path], *, grey: bool, elsewhere: bool = False
) -> Generator[Event, None, list[Listed]]:
    """Read teachers from files and folders, one after the other."""
    found: list[Listed] = []
    for done, path in enumerate(paths):
        yield Progress(tr("reading {name}", name=path.name), done, len(paths), "files")
        teachers, notices = read_teachers([path], grey=grey, elsewhere=elsewhere)
        for notice in notices:
            yield Notice(notice)
        found += [_listed(teacher) for teacher in teachers]
    return found


def iter_slices(stacks: Sequence[SemStack]) -> Generator[Event, None, list[Listed]]:
    """Slices of stacks as teachers."""
    found: list[Listed] = []
    for done, stack in enumerate(stacks):
        yield Progress(tr("reading {name}", name=stack.name), done, len(stacks), "stacks")
        found += [_listed(teacher) for teacher in teachers_of(stack)]
    return found


def iter_new(
    teachers: Sequence[Teacher],
    settings: "TrainSettings",
    out: Path,
    stack: SemStack | None,
    start: Entry | None,
) -> "Generator[Event, None, Model]":
    """Prepare teachers for a stack, match their degradation to it, and train from them.

    A budget in minutes is for all of that. Both networks begin as those of ``start``, or by chance.
    """
    return (yield from _iter_training(teachers, settings, out, lr=stack, start=start))


def iter_match_picture(
    teachers: Sequence[Teacher], stack: SemStack, factor: int
) -> Generator[Event, None, npt.NDArray[np.uint8]]:
    """Picture (y, x, RGBA) of degraded teachers beside the real stack, with their spectra, noise and greys."""
    match = yield from iter_matched(teachers, stack, factor=factor)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from napari_sem_sr.degradation.match_picture import match_figure

    canvas: Any = FigureCanvasAgg(match_figure(match))
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)


def _iter_training(
    teachers: Sequence[Teacher],
    settings: "TrainSettings",
    out: Path,
    *,
    lr: SemStack | None = None,
    start: Entry | None = None,
    resume: bool = False,
) -> "Generator[Event, None, Model]":
    """Train, leaving one core to the user interface."""
    began = time.monotonic()
    yield Progress(tr("loading PyTorch"), 0, 1, "step")
    preload_torch()
    import torch

    from napari_sem_sr.model.zoo import load_model
    from napari_sem_sr.training.trainer import iter_train

    _load_units()
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 2) - 1)))
    try:
        return (
            yield from iter_train(
                teachers,
                settings,
                out,
                lr=lr,
                start=None if start is None else load_model(start.path),
                resume=resume,
                watched=True,
                began=began,
            )
        )
    finally:
        torch.set_num_threads(before)


def _load_units() -> None:
    """Read the definitions of units, which napari does with its first layer, and as long as that takes it stands still."""
    import pint

    registry: Any = pint.get_application_registry()  # type: ignore[no-untyped-call]
    registry.parse_expression("nanometer")


def iter_resumed(unfinished: Unfinished) -> "Generator[Event, None, Model]":
    """Go on with an unfinished training."""
    yield Progress(tr("reading teachers"), 0, 1, "step")
    teachers = kept_teachers(unfinished)
    yield TeachersRead([_listed(teacher) for teacher in teachers])
    begun = None if unfinished.start is None else entry_with(unfinished.start)
    if unfinished.start is not None and begun is None:
        raise ModelError(
            tr(
                "The model that the training of '{name}' was started from is not installed here, or has changed: install it again in Upscale, or remove this training and begin anew.",
                name=unfinished.out.name,
            )
        )
    return (
        yield from _iter_training(
            teachers, unfinished.settings, unfinished.out, start=begun, resume=True
        )
    )


def _listed(teacher: Teacher) -> Listed:
    return Listed(teacher, thumbnail(teacher.image))


def thumbnail(image: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Small 8-bit picture of the middle of an image, in its own contrast."""
    side = min(image.shape)
    top, left = ((n - side) // 2 for n in image.shape)
    # means of blocks: single pixels of a noisy image show nothing
    block = max(1, side // (2 * THUMBNAIL_PX))
    kept = side // block * block
    square = image[top : top + kept, left : left + kept].astype(np.float64)
    small = square.reshape(kept // block, block, kept // block, block).mean(axis=(1, 3))
    shown = np.nan_to_num(range_of(small).normalise(small))
    return (np.clip(shown, 0, 1) * 255).astype(np.uint8)
