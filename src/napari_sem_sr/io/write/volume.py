"""OME-Zarr of a volume of cubes: as a stack's, but each level halves z as well.

Slices are written in their order, since a slice of a coarser level is made of two that are then both there.
"""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from napari_sem_sr.io.atomic_write import translate_os_errors
from napari_sem_sr.io.pyramid import Halved, halve_pair
from napari_sem_sr.io.write.zarr import CHUNK, ZarrStackWriter
from napari_sem_sr.io.zarr_layout import RESUMABLE


class ZarrVolumeWriter(ZarrStackWriter):
    """Writes a volume slice by slice, first to last, to OME-Zarr 0.5 with levels halved in z, y and x."""

    halved: ClassVar[Halved] = "zyx"

    def write_slice(self, index: int, image: npt.NDArray[Any]) -> None:
        """Put one slice, (y, x) in the output's dtype, on disk with what it completes on coarser levels."""
        self._check_place(index)
        self._check_fits(index, image, self.shape[1:])
        images = [(index, image), *self._coarser(index, image)]
        with translate_os_errors(self.path, RESUMABLE):
            for level, (place, whole) in reversed(list(enumerate(images))):
                with self._shard(level, place) as add:
                    for row in range(0, len(whole), CHUNK):
                        add(whole[row : row + CHUNK])

    def _coarser(self, index: int, image: npt.NDArray[Any]) -> list[tuple[int, npt.NDArray[Any]]]:
        """Index and image on each coarser level of what slice ``index`` completes there, finest first."""
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
