"""npe2 reader for our own OME-Zarr outputs, and for volumes of electron microscopes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_sem_sr.io.zarr_layout import MARK, is_output

VOLUMES = frozenset({".dm3", ".dm4", ".mrc", ".rec", ".nrrd", ".nhdr"})


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return a reader if every path is an output of ours (or its zarr.json) or a volume, else None.

    Parameters
    ----------
    path
        As napari gives it.
    """
    paths = [Path(p) for p in (path if isinstance(path, list) else [path])]
    return read if all(p.suffix.lower() in VOLUMES or is_output(p) for p in paths) else None


def _folder(path: Path) -> Path:
    return path.parent if path.name == MARK else path


def read(path: str | list[str]) -> list[Any]:
    """Layers in nm: of our outputs all levels, with provenance.

    Parameters
    ----------
    path
        As napari gives it.
    """
    from napari_sem_sr.io import read_stack
    from napari_sem_sr.io.metadata.typed import with_kept
    from napari_sem_sr.widgets.viewer.layers import image_data

    layers = []
    for one in path if isinstance(path, list) else [path]:
        stack = with_kept(read_stack(_folder(Path(one))))
        synthetic = (stack.provenance or {}).get("synthetic")
        layers.append(image_data(stack, stack.name, "SR" if synthetic else None))
    return layers
