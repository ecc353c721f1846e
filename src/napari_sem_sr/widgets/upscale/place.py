"""Where a result goes unless someone says otherwise, and what lies there already."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from napari_sem_sr.errors import SemSrError
from napari_sem_sr.inference.runs.recorded import output_stem
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.card import Card
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.upscale.tasks import Existing, look_at
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.beside import folder_beside

PARTIAL = ".partial.zarr"


def default_output(stack: SemStack, card: Card, settings: UpscaleSettings) -> Path:
    """The first place that is free, or holds just this run, finished or not.

    Parameters
    ----------
    stack
        As it was read.
    card
        Of the model.
    settings
        What is chosen in the dock.
    """
    first = results_folder(stack) / f"{output_stem(stack, card, settings)}.zarr"
    return next(
        path
        for path in _numbered(first)
        if not path.exists() or _holds(path, stack, card, settings)
    )


def results_folder(stack: SemStack) -> Path:
    """Beside the input; in the home folder where that cannot be written to, or came with this package.

    Parameters
    ----------
    stack
        As it was read.
    """
    return folder_beside(layers.given_path(stack))


def unfinished(stack: SemStack) -> tuple[Path, Existing] | None:
    """The run of a stack that was begun last beside it and is not finished.

    Parameters
    ----------
    stack
        That is chosen.
    """
    folder = results_folder(stack)
    name = output_stem_of(stack)
    found = []
    for path in folder.glob(f"{name}_*.zarr"):
        asked = path.with_name(path.name.removesuffix(PARTIAL)) if PARTIAL in path.name else path
        existing = _seen(asked, stack)
        if existing is None or existing.recorded is None or existing.complete:
            continue
        if existing.recorded.source_name == stack.name and not existing.recorded.misfit(stack):
            found.append((path.stat().st_mtime, asked, existing))
    if not found:
        return None
    _, asked, existing = max(found, key=lambda entry: entry[0])
    return asked, existing


def output_stem_of(stack: SemStack) -> str:
    """What the names of all results of a stack begin with.

    Parameters
    ----------
    stack
        As it was read.
    """
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in stack.name).strip("_.")


def _holds(path: Path, stack: SemStack, card: Card, settings: UpscaleSettings) -> bool:
    found = _seen(path, stack)
    return (
        found is not None
        and found.recorded is not None
        and found.recorded.is_of(stack, card, settings)
    )


def _seen(path: Path, stack: SemStack) -> Existing | None:
    try:
        return look_at(path, stack)
    except SemSrError:
        # the input itself lies there, for instance
        return None


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
