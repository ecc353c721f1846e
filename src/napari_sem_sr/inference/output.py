"""Where a result goes: what may be there already, and whether it may be continued or replaced."""

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event
from napari_sem_sr.io import ZarrStackWriter, iter_write_tiff, read_stack
from napari_sem_sr.io.atomic_write import (
    partial_name,
    recover_folder,
    rename,
    replace_folder,
    translate_os_errors,
)
from napari_sem_sr.io.bands import rows_of
from napari_sem_sr.io.write.tiff import TIFF_DTYPES
from napari_sem_sr.stack import SemStack

TIFF_SUFFIXES = (".tif", ".tiff")

# What a person calls the parts of the provenance that have to be the same for a resume.
_CALLED = {
    "source_hash": "the input",
    "model_hash": "the model",
    "device": "the device",
    "source_voxel_nm": "the voxel size",
    "source_tilt_deg": "the tilt",
    "software_version": "the version of napari-sem-sr",
    "intensity_range": "the intensity range",
}


# Longer names are not shown whole.
_SHOWN = 40
# What is put around a name while a file is made: ".", ".partial.zarr", ".partial" and the writer's number.
_AROUND = 40


def _longest_name(path: Path) -> int:
    """Bytes that the file system leaves for the name of an output."""
    folder = next((p for p in path.absolute().parents if p.is_dir()), Path("/"))
    try:
        limit = os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        limit = 255
    return limit - _AROUND


@dataclass(frozen=True)
class Destination:
    """A result's place.

    Parameters
    ----------
    path
        What was asked for.
    work
        The resumable OME-Zarr: ``path`` itself, or a folder beside it from which a TIFF is assembled, or which takes the
        place of an output that is overwritten.
    """

    path: Path
    work: Path

    @classmethod
    def of(cls, output: str | Path, source: SemStack) -> "Destination":
        """Check a path that was asked for; touches nothing.

        Parameters
        ----------
        output
            A folder ``*.zarr`` or a file ``*.tif``.
        source
            The input, which must not be overwritten.

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
        longest = _longest_name(path)
        if len(os.fsencode(path.name)) > longest:
            raise OutputError(
                f"The name '{path.name[:_SHOWN]}...' is too long; give one of at most {longest} bytes."
            )
        # a TIFF among slices would be read as one of them the next time
        around = (source.folder,) if source.folder else ()
        inside = _input_around(path.resolve(), (*source.paths, *around))
        if inside is not None:
            raise OutputError(
                f"The output '{path}' and the input '{inside}' lie in one another; choose a place "
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
        return self.path.suffix.lower() in TIFF_SUFFIXES

    def beside(self) -> "Destination":
        """The same place for a run that replaces what is there once the new output is whole."""
        if not self.path.exists():
            return self
        return replace(self, work=self.path.with_name(f"{self.path.name}.partial.zarr"))

    def recover(self) -> None:
        """Bring back what an overwriting run put aside before it was killed."""
        with translate_os_errors(self.path):
            recover_folder(self.path)

    def found(self) -> bool:
        """Whether anything, finished or not, is there."""
        return self.path.exists() or self.work.exists()

    def there(self) -> tuple[Mapping[str, Any], bool]:
        """Provenance of what is there, whoever of us made it, and whether it is finished.

        Raises
        ------
        OutputError
            If it is not ours.
        """
        if self.is_tiff and self.path.exists():
            return self._tiff_provenance(), True
        writer = ZarrStackWriter.reopen(self.work)
        return (
            writer.provenance,
            writer.complete and not self.is_tiff and not writer.lost_slices(),
        )

    def recorded(self) -> tuple[Mapping[str, Any], bool]:
        """Provenance of the upscaling that is there, and whether it is finished.

        Raises
        ------
        OutputError
            If it is not one of ours.
        """
        made, finished = self.there()
        try:
            low, high = made["intensity_range"]
            known = isinstance(made["tile"], int) and float(low) <= float(high)
            known &= all(isinstance(made[key], str) for key in ("device", "precision"))
        except (KeyError, TypeError, ValueError):
            known = False
        if not known:
            raise OutputError(
                f"'{self.path}' was not made by upscaling, or what it says of itself is damaged; choose another name."
            )
        return made, finished

    def _tiff_provenance(self) -> Mapping[str, Any]:
        try:
            there = read_stack(self.path)
            count, height, _ = there.shape
            rows_of(there, count - 1, height - 1, height)  # what is cut off lacks its end
        except InputError as error:
            raise OutputError(
                f"'{self.path}' is there but cannot be read; move it away, or choose another name."
            ) from error
        if there.provenance is None:
            raise OutputError(
                f"'{self.path}' was not written by napari-sem-sr; choose another name."
            )
        return there.provenance

    def check_replaceable(self) -> None:
        """Make sure that what is there was made by us, of something measured.

        Raises
        ------
        OutputError
            If it is anything else: nothing that was measured is ever overwritten.
        """
        if self.is_tiff and self.path.is_dir():
            raise OutputError(f"'{self.path}' is a folder, not a TIFF; choose another name.")
        for work in {self.work, self.beside().work} - {self.path}:
            if work.exists():
                ZarrStackWriter.reopen(work)
        if not self.path.exists():
            return
        made = (
            self._tiff_provenance()
            if self.is_tiff
            else ZarrStackWriter.reopen(self.path).provenance
        )
        if not made.get("synthetic"):
            raise OutputError(
                f"'{self.path}' was measured, not made by a model, and is never overwritten; choose another name."
            )

    def iter_assemble(self, name: str) -> Generator[Event, None, None]:
        """Put the finished OME-Zarr in its place, or make the TIFF of it, with an image called ``name``."""
        if self.is_tiff:
            whole = replace(read_stack(self.work), name=name)
            made = whole.provenance or {}
            yield from iter_write_tiff(whole, self.path, provenance=made, overwrite=True)
            self.remove_work()
        elif self.work != self.path:
            with translate_os_errors(self.path, f"; the new output is whole in '{self.work}'"):
                replace_folder(self.work, self.path)

    def remove_work(self) -> None:
        """Remove the OME-Zarr; a kill in the middle leaves nothing that looks like an output."""
        with translate_os_errors(self.work):
            doomed = partial_name(self.work)
            if doomed.exists():
                shutil.rmtree(doomed)
            if self.work.exists():
                rename(self.work, doomed)
                shutil.rmtree(doomed)


def check_same(recorded: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    """Make sure that a run would continue what an earlier one began.

    Parameters
    ----------
    recorded
        What the output says of its run.
    wanted
        What is asked for now.
    path
        Of the output, to name it.

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
        f"'{path}' was started with different settings: {', '.join(named)} {verb}; "
        "run it with the settings it was started with, give another name, or --overwrite it."
    )


def _input_around(output: Path, inputs: Sequence[Path]) -> Path | None:
    """Which input an output would lie in, or hold; both followed through links.

    A stack may have thousands of files, so names are compared as text and only links among them are followed.
    """
    folders: dict[str, str] = {}
    read: dict[str, Path] = {}
    for path in inputs:
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        linked = os.path.islink(path)  # noqa: PTH114
        read[os.path.realpath(path) if linked else os.path.join(folders[folder], name)] = path  # noqa: PTH118
    for around in (output, *output.parents):
        if str(around) in read:
            return read[str(around)]
    held = os.path.join(output, "")  # noqa: PTH118
    return next((path for real, path in read.items() if real.startswith(held)), None)
