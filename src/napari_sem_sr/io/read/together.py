"""Files that were chosen together: which of them could be the slices of one stack."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.io.read.folder import open_file

# Two files of one size are more often two images (SR and HR) than a stack of two slices.
FEWEST_SLICES = 3


@dataclass(frozen=True)
class Together:
    """Files sorted by what they may be.

    Parameters
    ----------
    slices
        Groups of single images of one folder, size and type, in natural order.
    others
        Everything else, in the order given: folders, volumes, images that stand alone, what cannot be opened.
    """

    slices: tuple[tuple[Path, ...], ...]
    others: tuple[Path, ...]


def iter_sort_together(paths: Sequence[Path]) -> Generator[Event, None, Together]:
    """Sort files that were chosen together; their pixels are not read.

    Parameters
    ----------
    paths
        As a person chose them.

    Yields
    ------
    Event
        Progress before each file.
    """
    groups: dict[object, list[Path]] = {}
    for done, path in enumerate(paths):
        yield Progress("looking at", done, len(paths), "files")
        kind = _kind(path)
        if kind is not None:
            groups.setdefault((path.parent, *kind), []).append(path)
    slices = tuple(
        tuple(natsorted(group, key=lambda p: p.name, alg=ns.IGNORECASE))
        for group in groups.values()
        if len(group) >= FEWEST_SLICES
    )
    grouped = {path for group in slices for path in group}
    return Together(slices, tuple(path for path in paths if path not in grouped))


def _kind(path: Path) -> tuple[object, ...] | None:
    """Size and type of a single measured image; None for anything else."""
    if not path.is_file():
        return None
    try:
        contents = open_file(path, grey=True, metadata=False)
    except InputError:
        return None
    single = contents.planes.shape[0] == 1 and contents.provenance is None
    return (contents.planes.shape, contents.planes.dtype) if single else None
