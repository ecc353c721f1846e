"""Where things lie in an OME-Zarr that we wrote; for whoever writes, reads or only looks for them.

The layout itself is drawn in :mod:`napari_sem_sr.io.write.zarr`.
"""

import json
from pathlib import Path

KEY = "napari_sem_sr"
# Under the same key, but said of the output and not of how it was made.
TILT = "tilt_deg"
NOT_PROVENANCE = frozenset({"complete", TILT})
MARK = "zarr.json"
RESUMABLE = " and run again with --resume, finished slices are kept"


def is_output(path: Path) -> bool:
    """Whether a folder, or the zarr.json in it, is an OME-Zarr that we wrote."""
    folder = path.parent if path.name == MARK else path
    try:
        attributes = json.loads((folder / MARK).read_text()).get("attributes", {})
    except (OSError, ValueError):
        return False
    return KEY in attributes


def done_slices(path: Path, n_slices: int) -> frozenset[int]:
    """Slices of the output at ``path`` whose pixels are on disk."""
    return frozenset(z for z in range(n_slices) if slice_file(path, 0, z).is_file())


def slice_file(path: Path, level: int, index: int) -> Path:
    """File of one slice on one level, there if and only if the slice is done."""
    return path / str(level) / "c" / str(index) / "0" / "0"
