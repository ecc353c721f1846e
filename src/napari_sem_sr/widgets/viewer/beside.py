"""Where what is made of a file goes unless someone says otherwise."""

import os
from pathlib import Path

from napari.layers import Image

import napari_sem_sr
from napari_sem_sr.widgets.viewer import layers


def folder_beside(path: Path | None) -> Path:
    """Folder of a file; the home folder where that cannot be written to, or came with this package.

    Parameters
    ----------
    path
        None where there is no file.
    """
    if path is None:
        return Path.home()
    package = Path(napari_sem_sr.__file__).resolve().parent
    inside = package in path.resolve().parents
    return Path.home() if inside or not os.access(path.parent, os.W_OK) else path.parent


def report_beside(layer: Image, ending: str, unnamed: str) -> Path:
    """Folder of a report on a layer.

    Parameters
    ----------
    layer
        Whose file it lies beside.
    ending
        Of its name.
    unnamed
        Its name where that of the layer holds nothing that a file's name may hold.
    """
    path = layers.path_of(layer)
    letters = (c if c.isalnum() or c in "-_." else "_" for c in layer.name)
    name = path.stem if path is not None else "".join(letters).strip("_.") or unnamed
    return folder_beside(path) / f"{name}_{ending}"
