"""Volume formats, each opened lazily: MRC, Digital Micrograph, HDF5, NRRD.

Their libraries are imported when a file of the format is opened, not before.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from napari_sem_sr.io.slice_source import Contents

__all__ = ["HEAD_BYTES", "SLICE_SUFFIXES", "opener"]

# So much of a file is enough to know its format.
HEAD_BYTES = 256
# Instruments write one such file per slice, too.
SLICE_SUFFIXES = frozenset({".dm3", ".dm4", ".mrc"})

_DM_VERSIONS = (b"\0\0\0\3", b"\0\0\0\4")


def opener(head: bytes, path: Path) -> Callable[..., Contents] | None:
    """Return what opens a volume whose file begins with ``head``, None where it is none.

    Parameters
    ----------
    path
        For formats that are known by their suffix only.
    """
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        name = "hdf5"
    elif head.startswith(b"NRRD"):
        name = "nrrd"
    elif head[208:211] == b"MAP":
        name = "mrc"
    elif head.startswith(_DM_VERSIONS) and path.suffix.lower() in (".dm3", ".dm4"):
        # its mark is a small number, which other files may begin with
        name = "digital_micrograph"
    else:
        return None
    opened: Callable[..., Contents] = import_module(f"{__name__}.{name}").open_volume
    return opened
