"""Where a result goes: what may be there already, and whether it may be continued or replaced."""

import shutil
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event
from napari_sem_sr.io import ZarrStackWriter, iter_write_tiff, read_stack
from napari_sem_sr.io.atomic_write import partial_name
from napari_sem_sr.io.write.tiff import TIFF_DTYPES
from napari_sem_sr.stack import SemStack

TIFF_SUFFIXES = (".tif", ".tiff")

# What a person calls the parts of the provenance that have to be the same for a resume.
_CALLED = {
    "source_hash": "the input",
    "model_hash": "the model",
    "device": "the device",
    "source_voxel_nm": "the voxel size",
    "software_version": "the version of napari-sem-sr",
    "intensity_range": "the intensity range",
}


@dataclass(frozen=True)
class Destination:
    """A result's place.

    Parameters
    ----------
    path
        What was asked for.
    work
        The resumable OME-Zarr; ``path`` itself, or beside a TIFF the folder from which it is assembled.
    """

    path: Path
    work: Path

    @classmethod
    def of(cls, output: str | Path, source: SemStack) -> "Destination":
        """Check a path that was asked for; touches nothing.

        Raises
        ------
        OutputError
            If the suffix is none of ours, or the output would lie in the input or hold it.
        """
        path = Path(output)
        if path.suffix.lower() not in (".zarr", *TIFF_SUFFIXES):
            raise OutputError(
                f"'{path}' does not say how to write; give a name ending in .zarr, .tif or .tiff."
            )
        there = path.resolve()
        for given in source.paths:
            read = given.resolve()
            if there == read or read in there.parents or there in read.parents:
                raise OutputError(
                    f"The output '{path}' and the input '{given}' lie in one another; choose a place "
                    "for the output outside the input."
                )
        is_tiff = path.suffix.lower() in TIFF_SUFFIXES
        if is_tiff and source.dtype.name not in TIFF_DTYPES:
            raise OutputError(
                f"A TIFF cannot hold the {source.dtype} pixels of '{source.name}'; write to "
                f"'{path.stem}.zarr' instead."
            )
        return cls(path, path.with_name(f"{path.name}.partial.zarr") if is_tiff else path)

    @property
    def is_tiff(self) -> bool:
        """Whether a TIFF is assembled at the end."""
        return self.work != self.path

    def found(self) -> bool:
        """Whether anything, finished or not, is there."""
        return self.path.exists() or self.work.exists()

    def recorded(self) -> tuple[Mapping[str, Any], bool]:
        """Provenance of what is there, and whether it is finished.

        Raises
        ------
        OutputError
            If it is not ours.
        """
        if self.is_tiff and self.path.exists():
            return self._tiff_provenance(), True
        writer = ZarrStackWriter.reopen(self.work)
        return writer.provenance, writer.complete and not self.is_tiff

    def _tiff_provenance(self) -> Mapping[str, Any]:
        try:
            provenance = read_stack(self.path).provenance
        except InputError as error:
            raise OutputError(
                f"'{self.path}' is there but cannot be read; choose another name or --overwrite it."
            ) from error
        if provenance is None:
            raise OutputError(
                f"'{self.path}' was not written by napari-sem-sr; choose another name or --overwrite it."
            )
        return provenance

    def check_replaceable(self) -> None:
        """Make sure that what is there is ours to remove.

        Raises
        ------
        OutputError
            If it is a folder that we did not write.
        """
        if self.is_tiff and self.path.is_dir():
            raise OutputError(f"'{self.path}' is a folder, not a TIFF; choose another name.")
        if self.work.exists():
            ZarrStackWriter.reopen(self.work)

    def remove(self) -> None:
        """Remove what is there; call `check_replaceable` first."""
        if self.is_tiff:
            self.path.unlink(missing_ok=True)
        self.remove_work()

    def iter_assemble(self, name: str) -> Generator[Event, None, None]:
        """Make the TIFF, with an image called ``name``, of the finished OME-Zarr, which is then removed."""
        if not self.is_tiff:
            return
        whole = replace(read_stack(self.work), name=name)
        yield from iter_write_tiff(whole, self.path, provenance=whole.provenance or {})
        self.remove_work()

    def remove_work(self) -> None:
        """Remove the OME-Zarr; a kill in the middle leaves nothing that looks like an output."""
        if self.work.exists():
            doomed = partial_name(self.work)
            self.work.rename(doomed)
            shutil.rmtree(doomed)


def check_same(recorded: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Make sure that a run would continue what an earlier one began.

    Raises
    ------
    OutputError
        Naming what differs.
    """
    keys = [k for k in (*wanted, *recorded) if recorded.get(k) != wanted.get(k)]
    if not keys:
        return
    named = []
    for key in dict.fromkeys(keys):
        name = _CALLED.get(key, key.replace("_", " "))
        then, now = recorded.get(key), wanted.get(key)
        named.append(name if key.endswith("hash") else f"{name} ({then} then, {now} now)")
    verb = "differs" if len(named) == 1 else "differ"
    raise OutputError(
        f"'{path}' was begun otherwise: {', '.join(named)} {verb}; "
        "run with what it was begun with, give another name, or --overwrite it."
    )
