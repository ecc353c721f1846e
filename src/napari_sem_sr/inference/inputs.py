"""The input, held against what the slices of an unfinished output were made from."""

from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import InputError, SemSrError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.inference.background import in_background, watch
from napari_sem_sr.inference.ledger import UNREADABLE, Ledger, slice_hash
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.zarr_layout import spoken
from napari_sem_sr.stack import SemStack

COMPARING = "comparing the input with what was upscaled"
# When a file was last written, and its size.
Stamp = tuple[int, int, int]


def stamps_of(stack: SemStack) -> tuple[Stamp | None, ...]:
    """State of every file of a stack; None for one that is a folder or cannot be looked at.

    Parameters
    ----------
    stack
        Read from files.
    """
    return tuple(_stamp(path) for path in stack.paths)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size) if path.is_file() else None


def hash_of(stack: SemStack) -> str:
    """Hash of all of a stack.

    Parameters
    ----------
    stack
        As it was read.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return stack.content_hash
    except SemSrError:
        raise
    except Exception as error:  # readers of many formats fail in many ways
        raise InputError(f"'{stack.name}' cannot be read ({error}); repair its files.") from error


def iter_mended(
    stack: SemStack,
    work: Path,
    recorded: Mapping[str, Any],
    source_hash: str,
    first: int,
) -> Generator[Event, None, Mapping[str, Any]]:
    """Accept another input if only slices have changed that could not be read, or had changed, before.

    Parameters
    ----------
    work
        Folder of the unfinished output.
    recorded
        Its provenance.
    source_hash
        Hash of the input as it is now.
    first
        Index in ``stack`` of the output's first slice.

    Returns
    -------
    The provenance, with the new hash where the input was accepted.
    """
    if recorded["source_hash"] == source_hash or not work.exists():
        return recorded
    writer = ZarrStackWriter.reopen(work)
    known = Ledger(work).read()
    slices = range(first, first + writer.n_slices)
    open_to_change = [z for z in slices if known.get(z) == UNREADABLE]
    if not open_to_change or slices.stop > stack.shape[0] or any(z not in known for z in slices):
        return recorded
    for done, z in enumerate(slices):
        yield Progress(COMPARING, done, len(slices), "slices")
        if z not in open_to_change and slice_hash(stack.slice(z)) != known[z]:
            return recorded
    changes = {"source_hash": source_hash}
    writer.amend(changes)
    yield Notice(f"Going on with what could not be read before: {spoken(open_to_change)}.")
    return {**recorded, **changes}


def iter_check_unchanged(
    stack: SemStack, work: Path, slices: range, source_hash: str, before: tuple[Stamp | None, ...]
) -> Generator[Event, None, None]:
    """Make sure that the input is still what the slices of an output were made from; what changed is not kept.

    Every slice is read again and held against the ledger; then the whole against its hash, unless no file has been
    written since.

    Parameters
    ----------
    work
        The unfinished output.
    slices
        Those of ``stack`` that the output was made from.
    source_hash
        Of the input, before anything was made from it.
    before
        State of its files at that time.

    Raises
    ------
    InputError
        If the input has changed; names the slices.
    """
    ledger = Ledger(work)
    known = ledger.read()
    changed = []
    with ThreadPoolExecutor(1) as pool:
        for done, z in enumerate(slices):
            progress = Progress(COMPARING, done, len(slices), "slices")
            yield progress
            now = yield from watch(pool.submit(_hash_now, stack, z), progress)
            if z in known and known[z] != now:
                changed.append(z)
    after = stamps_of(stack)
    if not changed and (not stack.paths or None in after or after != before):
        if (yield from in_background(lambda: hash_of(replace(stack)), COMPARING)) == source_hash:
            return
        changed = _written_since(before, after, slices)
        if not changed:
            raise InputError(
                f"'{stack.name}' changed while it was read; once nothing writes to it any more, run again with --overwrite."
            )
    if not changed:
        return
    ledger.replace(known | dict.fromkeys(changed, UNREADABLE))
    ZarrStackWriter.reopen(work).forget([z - slices.start for z in changed])
    named = spoken(changed)
    raise InputError(
        f"{named[0].upper()}{named[1:]} of '{stack.name}' changed while the stack was read; once nothing writes to it any more, "
        "run again with --resume, which makes these slices again."
    )


def _hash_now(stack: SemStack, z: int) -> str:
    try:
        return slice_hash(stack.slice(z))
    except Exception:  # cannot be read any more: that is a change, whatever the reader says
        return UNREADABLE


def _written_since(
    before: tuple[Stamp | None, ...], after: tuple[Stamp | None, ...], slices: range
) -> list[int]:
    """Slices whose own file has been written since; none where slices are not files."""
    if len(before) != len(after) or len(after) < slices.stop or len(after) < 2:
        return []
    return [z for z in slices if before[z] != after[z]]
