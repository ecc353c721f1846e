"""The objects of a measurement as a Labels layer coloured by size."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap

from napari_sem_sr.errors import InputError
from napari_sem_sr.measure.labels_zarr import read_objects
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

COLOURS = "viridis"


def add_objects(
    viewer: "ViewerModel", folder: Path, volume: str, label: int, like: "Image"
) -> "Labels":
    """Add the objects of a phase of a volume, small ones dark and large ones bright.

    Parameters
    ----------
    viewer
        napari's viewer.
    folder
        Of the measurement.
    volume
        Its name.
    label
        Of the phase.
    like
        Layer of the volume, where the objects are laid.

    Raises
    ------
    InputError
        If the phase has none.
    """
    found = read_objects(folder, volume, label)
    if found is None:
        raise InputError(
            tr(
                "Phase {label} of '{volume}' has no objects: it is the ground, or sizes were not asked for.",
                label=label,
                volume=volume,
            )
        )
    known = np.log(found.diameter[1:][found.diameter[1:] > 0])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    share = (np.log(np.maximum(found.diameter, 1e-9)) - low) / max(high - low, 1e-9)
    colours = ensure_colormap(COLOURS).map(np.clip(share, 0, 1))
    table: dict[int | None, np.ndarray] = dict(enumerate(colours))
    table[0] = table[None] = np.zeros(4)
    return viewer.add_labels(
        found.data,
        name=tr("objects {label} of {volume}", label=label, volume=volume),
        scale=found.scale,
        translate=found.translate,
        units=layers.three_units(like),
        colormap=DirectLabelColormap(color_dict=table),
        metadata={layers.KEY: {"added_by_dock": True}},
    )
