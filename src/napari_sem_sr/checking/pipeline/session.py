"""A check under way: slices go in, maps and journal go to disk, and what is there is the report's material."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.pipeline.kinds import MAPS, MAPS_FOLDER
from napari_sem_sr.checking.pipeline.log import Journal
from napari_sem_sr.checking.pipeline.slice_evaluator import Findings, SliceEvaluator
from napari_sem_sr.checking.view.setup import Setup
from napari_sem_sr.inference.block import end_claim
from napari_sem_sr.inference.pipeline import Stopwatch
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.atomic_write import translate_os_errors
from napari_sem_sr.stack import SemStack

# Maps that are written at the same time.
WRITERS = 4
# A mask that is refused so far is kept out of sight until the last slice is looked at.
HIDDEN = "."


class MapWriters:
    """The maps of a check, one OME-Zarr each.

    Parameters
    ----------
    folder
        Of the report.
    names
        Which maps.
    shared
        Others write other slices at this time.
    """

    def __init__(self, folder: Path, names: Iterable[str], *, shared: bool = False) -> None:
        self._writers = {
            name: ZarrStackWriter.reopen(folder / MAPS_FOLDER / name, shared=shared)
            for name in names
        }

    def done(self) -> frozenset[int]:
        """Slices of which every map is on disk."""
        return frozenset.intersection(*(w.done_slices() for w in self._writers.values()))

    def write(self, index: int, maps: Mapping[str, Any]) -> None:
        """Write all maps of one slice.

        Parameters
        ----------
        index
            Number of the slice in the field.
        maps
            By name.
        """
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda n: self._writers[n].write_slice(index, maps[n]), self._writers))

    def leave_out(self, indices: Iterable[int]) -> None:
        """Write slices of which nothing is said.

        Parameters
        ----------
        indices
            Numbers of the slices in the field.
        """
        for index in indices:
            for writer in self._writers.values():
                writer.write_slice(index, np.full(writer.shape[1:], np.nan, np.float32))

    def finish(self) -> None:
        """All slices are there."""
        for writer in self._writers.values():
            writer.finish()


def make_maps(
    folder: Path, names: Iterable[str], of: Field, identity: Mapping[str, Any]
) -> MapWriters:
    """Make the maps that are not there yet, and open all of them.

    Parameters
    ----------
    folder
        Of the check.
    names
        Of the maps.
    of
        Whose LR grid the maps lie on.
    identity
        What is being checked.
    """
    names = tuple(names)
    root = folder / MAPS_FOLDER
    if not (root / "zarr.json").exists():
        described = {name: MAPS[name].meaning for name in names}
        with translate_os_errors(root):
            zarr.create_group(root, attributes={"napari_sem_sr": {"maps": described}})
    # workers that a cluster has lost write no more
    end_claim(root)
    likes = {"SR": of.sr, "LR": of.lr_part}
    for name in names:
        if (root / f"{HIDDEN}{name}").exists():
            (root / f"{HIDDEN}{name}").rename(root / name)
        if (root / name).exists():
            continue
        like = likes[MAPS[name].grid]
        shaped = SemStack(
            data=da.zeros(like.shape, dtype=np.float32, chunks=(1, *like.shape[1:])),
            name=name,
            voxel_nm=like.voxel_nm,
            origin_nm=like.origin_nm,
            pixel_step=like.pixel_step,
        )
        provenance = {
            "map": name,
            "meaning": MAPS[name].meaning,
            "inputs": dict(identity),
            "software_version": version("napari-sem-sr"),
        }
        # what nobody looked at is no zero
        ZarrStackWriter.create(root / name, like=shaped, provenance=provenance, fill=np.nan)
    return MapWriters(folder, names)


@dataclass(eq=False)
class Session:
    """A check under way.

    Parameters
    ----------
    out
        Folder of the report.
    setup, evaluator
        What looks at slices.
    identity
        What the check is of.
    journal, maps
        Where what is found goes.
    known
        Records of the slices that are done.
    every
        Only every so many slices are to be looked at.
    clock
        Seconds by stage.
    """

    out: Path
    setup: Setup
    evaluator: SliceEvaluator
    identity: Mapping[str, Any]
    journal: Journal
    maps: MapWriters
    known: dict[int, Mapping[str, Any]]
    every: int = 1
    clock: Stopwatch = field(default_factory=Stopwatch)

    @property
    def todo(self) -> tuple[int, ...]:
        """Slices of the field that are still to be looked at."""
        return tuple(z for z in self.wanted if z not in self.known)

    @property
    def wanted(self) -> tuple[int, ...]:
        """Slices of the field that are to be looked at."""
        return self.setup.field.kept[:: self.every]

    @property
    def is_whole(self) -> bool:
        """Whether all slices that are not left out are done."""
        return all(z in self.known for z in self.setup.field.kept)

    def look(self, index: int) -> Findings:
        """Find out about one slice.

        Parameters
        ----------
        index
            Number of the slice in the field.
        """
        with self.clock.timed("compute"):
            return self.evaluator.look(self.setup, index)

    def keep(self, index: int, findings: Findings) -> None:
        """Write down what was found; it is on disk when this returns.

        Parameters
        ----------
        index
            Number of the slice in the field.
        findings
            As of `look`.
        """
        with self.clock.timed("write"):
            self.maps.write(index, findings.maps)
            self.note(index, findings.records)

    def note(self, index: int, records: Mapping[str, Any]) -> None:
        """Write down the records of a slice whose maps are on disk.

        Parameters
        ----------
        index
            Number of the slice in the field.
        records
            Plain values by kind of evidence.
        """
        self.journal.note(index, records)
        self.known[index] = dict(records)
