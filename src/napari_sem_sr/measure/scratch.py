"""Volumes on disk while they are measured, read and written a plane at a time.

Plain files and not memory maps: what is mapped counts as memory of the process, and a measurement promises that this does not
grow with the volume.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.stack import Triple

# Bytes held at a time while the axes of a volume are exchanged.
AT_ONCE = 1 << 26


class PlaneFile:
    """A volume in one raw file, planes of its first axis one after the other.

    Parameters
    ----------
    path
        A file; made, or made anew, unless ``existing``.
    shape
        (planes, rows, columns).
    dtype
        Of its voxels.
    """

    def __init__(
        self, path: Path, shape: Triple[int], dtype: npt.DTypeLike, *, existing: bool = False
    ) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self._size = shape[1] * shape[2] * self.dtype.itemsize
        if not existing:
            with path.open("wb") as stream:
                stream.truncate(self._size * shape[0])
        self._stream = path.open("r+b", buffering=0)

    def read(self, index: int) -> npt.NDArray[Any]:
        """One plane (rows, columns).

        Parameters
        ----------
        index
            Number of the plane.
        """
        return np.asarray(self.read_slab(index, index + 1)[0])

    def read_slab(self, first: int, end: int) -> npt.NDArray[Any]:
        """Planes ``first`` to ``end`` (half open)."""
        slab = np.empty((end - first, *self.shape[1:]), self.dtype)
        self._stream.seek(first * self._size)
        view = slab.reshape(-1).view(np.uint8).data
        read = 0
        while read < len(view):
            got = self._stream.readinto(view[read:])
            if not got:
                raise EOFError(f"'{self.path}' ends early")
            read += got
        return slab

    def write(self, index: int, plane: npt.NDArray[Any]) -> None:
        """Put one plane into the file.

        Parameters
        ----------
        index
            Number of the plane.
        plane
            ``(rows, columns)``.
        """
        self.write_part(index, 0, np.ascontiguousarray(plane, self.dtype))

    def write_part(self, index: int, row: int, rows: npt.NDArray[Any]) -> None:
        """Put some whole rows of a plane into the file, from ``row`` on.

        Parameters
        ----------
        index
            Number of the plane.
        rows
            ``(rows, columns)``, all columns.
        """
        self._stream.seek(index * self._size + row * self.shape[2] * self.dtype.itemsize)
        view = np.ascontiguousarray(rows, self.dtype).reshape(-1).view(np.uint8).data
        while view:
            view = view[self._stream.write(view) :]

    def read_region(self, first: Triple[int], end: Triple[int]) -> npt.NDArray[Any]:
        """The part from ``first`` to ``end`` (half open)."""
        return np.stack(
            [
                self.read(index)[first[1] : end[1], first[2] : end[2]]
                for index in range(first[0], end[0])
            ]
        )

    def write_region(self, first: Triple[int], part: npt.NDArray[Any]) -> None:
        """Put a part of the volume where it begins at ``first``.

        Parameters
        ----------
        part
            ``(planes, rows, columns)``.
        """
        for index, plane in enumerate(part, start=first[0]):
            whole = self.read(index)
            whole[first[1] : first[1] + plane.shape[0], first[2] : first[2] + plane.shape[1]] = (
                plane
            )
            self.write(index, whole)

    def turned(self, axis: int, path: Path) -> "PlaneFile":
        """The volume with ``axis`` first and the other two in their order, in another file.

        For ``axis`` 0 this is the volume itself.

        Parameters
        ----------
        path
            File to write.
        """
        if axis == 0:
            return self
        others = [a for a in range(3) if a != axis]
        shape = (self.shape[axis], self.shape[others[0]], self.shape[others[1]])
        made = PlaneFile(path, shape, self.dtype)
        step = max(1, AT_ONCE // self._size)
        for first in range(0, self.shape[0], step):
            slab = self.read_slab(first, min(first + step, self.shape[0]))
            for index in range(shape[0]):
                made.write_part(index, first, np.take(slab, index, axis))
        return made

    def remove(self) -> None:
        """Close and delete the file."""
        self._stream.close()
        self.path.unlink(missing_ok=True)
