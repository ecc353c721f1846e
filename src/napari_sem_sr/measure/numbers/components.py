"""What of a phase hangs together, and what of it reaches from one face of the volume to the other.

Voxels that share a face are connected (the connectivity under which a finite-volume solver conducts). Planes are labelled one by one
and joined by what overlaps with the plane before, so that memory holds one plane and a few numbers per component
(Rosenfeld & Pfaltz 1966, J. ACM 13, 471, with planes in the place of rows).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Mask = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]


class Components:
    """Labels a phase plane by plane; `settled` is called after the last.

    Parameters
    ----------
    n_planes
        How many planes there will be.
    folder
        Where the numbers of the components of each plane are kept meanwhile.
    """

    def __init__(self, n_planes: int, folder: Path) -> None:
        self._n_planes = n_planes
        self._path = folder / "components"
        self._stream = self._path.open("w+b")
        self._starts: list[tuple[int, int]] = []
        self._born = 0
        self._joined: list[Ids] = []
        self._sides: list[tuple[int, Ids]] = []
        self._marks: list[Ids] = []
        self._before: tuple[npt.NDArray[np.int32], Ids] | None = None
        self._final: npt.NDArray[np.int32] | None = None

    def add(self, index: int, mask: Mask, marked: Mask | None = None) -> None:
        """Label plane ``index`` (in order); ``marked`` voxels mark the component they are in.

        Parameters
        ----------
        mask
            ``(y, x)``, where the phase is.
        """
        labels, n = label(mask)
        ids = np.full(n + 1, -1, np.int64)
        if self._before is not None:
            lower, lower_ids = self._before
            both = (labels > 0) & (lower > 0)
            # a pair of labels as one number, so that each is kept once
            pairs = np.unique(lower[both].astype(np.int64) * (n + 1) + labels[both])
            old, new = lower_ids[pairs // (n + 1)], pairs % (n + 1)
            ids[new] = old
            links = np.column_stack([ids[new], old])
            self._joined.append(links[links[:, 0] != links[:, 1]])
        fresh = np.flatnonzero(ids[1:] < 0) + 1
        ids[fresh] = self._born + np.arange(fresh.size)
        self._born += fresh.size
        self._note_sides(index, labels, ids)
        if marked is not None:
            self._marks.append(np.unique(ids[np.unique(labels[marked & mask])]))
        self._starts.append((self._stream.seek(0, 2), n + 1))
        self._stream.write(ids.tobytes())
        self._before = labels, ids

    def _note_sides(self, index: int, labels: npt.NDArray[np.int32], ids: Ids) -> None:
        ends = [(0, labels)] if index == 0 else []
        ends += [(1, labels)] if index == self._n_planes - 1 else []
        rows = [(2, labels[0]), (3, labels[-1]), (4, labels[:, 0]), (5, labels[:, -1])]
        for side, part in [*ends, *rows]:
            found = np.unique(part)
            self._sides.append((side, ids[found[found > 0]]))

    def settled(self) -> None:
        """Join what hangs together."""
        links = np.concatenate(self._joined) if self._joined else np.empty((0, 2), np.int64)
        graph = coo_array(
            (np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(self._born, self._born)
        )
        self.count: int = 0
        self.count, final = (
            connected_components(graph, directed=False)
            if self._born
            else (0, np.empty(0, np.int32))
        )
        self._final = final
        sides = np.zeros((6, self.count), bool)
        for side, ids in self._sides:
            sides[side, final[ids]] = True
        self._through = sides[0::2] & sides[1::2]
        self._marked = np.zeros(self.count, bool)
        for ids in self._marks:
            self._marked[final[ids[ids >= 0]]] = True
        self._joined, self._sides, self._marks, self._before = [], [], [], None

    def through(self, axis: int) -> Mask:
        """Which components reach from face to face along an axis.

        Parameters
        ----------
        axis
            0 (z), 1 (y) or 2 (x).
        """
        found: Mask = self._through[axis]
        return found

    @property
    def marked(self) -> Mask:
        """Which components hold a marked voxel."""
        return self._marked

    def plane(self, index: int, mask: Mask) -> Ids:
        """Component + 1 of each voxel of a plane that was added, 0 outside the phase; ``mask`` is the same as then.

        Parameters
        ----------
        index
            Of the plane.
        """
        assert self._final is not None, "settled() comes first"
        start, n = self._starts[index]
        self._stream.seek(start)
        ids = np.frombuffer(self._stream.read(8 * n), np.int64)
        numbers = np.zeros(n, np.int64)
        numbers[1:] = self._final[ids[1:]] + 1
        return np.asarray(numbers[label(mask)[0]])

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._stream.close()
        self._path.unlink(missing_ok=True)
