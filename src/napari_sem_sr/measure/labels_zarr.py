"""``labels.zarr``: phases and objects of every volume, as label images that lie where the volume lies.

Layout: ``labels.zarr/<volume>/phases`` and ``labels.zarr/<volume>/objects <phase>``, each an OME-Zarr 0.5 image of one level (labels cannot be
averaged to smaller ones).
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import zarr

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.measurement import LABELS
from napari_sem_sr.measure.numbers.objects import Objects
from napari_sem_sr.measure.phases.label import Phases
from napari_sem_sr.measure.phases.segmentation import NOTHING
from napari_sem_sr.stack import SemStack, Triple

CHUNK = 512
PHASES, OBJECTS = "phases", "objects"


def folder_name(volume: str) -> str:
    """A volume's name as that of a folder.

    Parameters
    ----------
    volume
        Its name.
    """
    return (
        "".join(c if c.isalnum() or c in "-_. ()" else "_" for c in volume).strip(". ") or "volume"
    )


class LabelsWriter:
    """Writes label images into a group at ``path``."""

    def __init__(self, path: Path) -> None:
        self._group = zarr.create_group(path)

    def iter_phases(self, stack: SemStack, phases: Phases) -> Generator[Event, None, None]:
        """Write the phases by their labels; 0 where there is none, and for a phase that is called 0.

        Parameters
        ----------
        stack
            The volume.
        phases
            Its phases.
        """
        top = max(phases.values)
        array = self._create(stack, PHASES, stack.shape, np.min_scalar_type(top), (1, 1, 1))
        lookup = np.zeros(NOTHING + 1, array.dtype)
        lookup[: len(phases.values)] = np.maximum(phases.values, 0)
        for index in range(stack.shape[0]):
            yield Progress(f"writing labels of {stack.name}", index, stack.shape[0], "slices")
            array[index] = lookup[phases.file.read(index)]

    def iter_objects(
        self, stack: SemStack, label: int, objects: Objects
    ) -> Generator[Event, None, None]:
        """Write the objects of a phase, each with a number of its own; 0 outside.

        Parameters
        ----------
        stack
            The volume.
        label
            Of the phase.
        objects
            Of the phase.
        """
        name = f"{OBJECTS} {label}"
        array = self._create(stack, name, objects.labels.shape, np.dtype(np.uint32), objects.merged)
        for index in range(array.shape[0]):
            yield Progress(f"writing objects of {stack.name}", index, array.shape[0], "slices")
            array[index] = objects.labels.read(index).astype(np.uint32)

    def _create(
        self, stack: SemStack, name: str, shape: Triple[int], dtype: Any, merged: Triple[int]
    ) -> Any:
        world = stack.world
        scale = [s * m for s, m in zip(world.scale, merged, strict=True)]
        shift = [
            t + s * (m - 1) / 2
            for t, s, m in zip(world.translate, world.scale, merged, strict=True)
        ]
        axes = [
            {"name": a, "type": "space", **({} if u == "pixel" else {"unit": u})}
            for a, u in zip("zyx", world.units, strict=True)
        ]
        places = [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": shift},
        ]
        attributes: dict[str, Any] = {
            "ome": {
                "version": "0.5",
                "multiscales": [
                    {
                        "name": f"{stack.name} {name}",
                        "axes": axes,
                        "datasets": [{"path": "0", "coordinateTransformations": places}],
                    }
                ],
            }
        }
        image = self._group.create_group(f"{folder_name(stack.name)}/{name}", attributes=attributes)
        return image.create_array(
            "0",
            shape=shape,
            dtype=dtype,
            chunks=(1, min(CHUNK, shape[1]), min(CHUNK, shape[2])),
            fill_value=0,
            dimension_names=("z", "y", "x"),
        )


@dataclass(frozen=True, eq=False)
class ObjectsImage:
    """The objects of a phase as they were written.

    Parameters
    ----------
    data
        (z, y, x): number of the object of each voxel, 0 outside.
    scale, translate
        Of a voxel and of the first one's centre, (z, y, x).
    diameter
        Of each object by its number, that of the sphere of equal volume; 0 for number 0.
    """

    data: da.Array
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    diameter: npt.NDArray[np.float64]


def read_objects(folder: Path, volume: str, label: int) -> ObjectsImage | None:
    """Read the objects of a phase out of the folder of a measurement, slice by slice; None where there are none.

    Parameters
    ----------
    folder
        Of the measurement.
    volume
        Its name.
    label
        Of the phase.
    """
    path = folder / LABELS / folder_name(volume) / f"{OBJECTS} {label}"
    if not path.exists():
        return None
    group = zarr.open_group(path, mode="r")
    attributes: Any = group.attrs["ome"]
    scale, shift = attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    data = da.from_zarr(group["0"])
    counts = np.zeros(1, np.int64)
    for index in range(data.shape[0]):
        found = np.bincount(np.asarray(data[index]).ravel(), minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    volumes = counts * float(np.prod(scale["scale"]))
    volumes[0] = 0
    return ObjectsImage(
        data, tuple(scale["scale"]), tuple(shift["translation"]), np.cbrt(6 / np.pi * volumes)
    )
