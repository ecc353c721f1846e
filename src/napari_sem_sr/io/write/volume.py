"""OME-Zarr of a volume of cubes: as a stack's, but each level halves z as well.

Slices are written in their order, since a slice of a coarser level is made of two that are then both there.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.pyramid import Halved, halve_pair
from napari_sem_sr.io.write.zarr import ZarrStackWriter


class ZarrVolumeWriter(ZarrStackWriter):
    """Writes a volume slice by slice, first to last, to OME-Zarr 0.5 with levels halved in z, y and x."""

    halved: ClassVar[Halved] = "zyx"

    def _coarser(self, index: int, image: npt.NDArray[Any]) -> list[tuple[int, npt.NDArray[Any]]]:
        found: list[tuple[int, npt.NDArray[Any]]] = []
        for finer in self._levels[:-1]:
            is_last = index == finer.shape[0] - 1
            if index % 2 == 0 and not is_last:
                break
            # a last slice without a partner has the same mean as beside itself
            partner = np.asarray(finer[index - 1]) if index % 2 else image
            image = halve_pair(partner, image)
            index //= 2
            found.append((index, image))
        return found
