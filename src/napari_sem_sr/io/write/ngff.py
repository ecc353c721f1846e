"""What OME-Zarr says about a stack: axes, units, scale and place of every level."""

from typing import Any

from napari_sem_sr.io.pyramid import Halved, level_shapes, level_world
from napari_sem_sr.stack import SemStack, World


def multiscales(like: SemStack, halved: Halved) -> dict[str, Any]:
    """Build the OME-Zarr 0.5 attribute "ome" (https://ngff.openmicroscopy.org/0.5); ``halved`` are the axes that levels halve.

    Parameters
    ----------
    like
        Stack of which axes, scale and place are taken.
    """
    world = like.world
    axes: list[dict[str, str]] = []
    for name, unit in zip("zyx", world.units, strict=True):
        axes.append({"name": name, "type": "space"})
        if unit != "pixel":
            axes[-1]["unit"] = unit
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": like.name,
                "type": "mean",
                "axes": axes,
                "datasets": [
                    {
                        "path": str(level),
                        "coordinateTransformations": _transformations(
                            level_world(world, level, halved)
                        ),
                    }
                    for level in range(len(level_shapes(like.shape, halved)))
                ],
            }
        ],
    }


def _transformations(world: World) -> list[dict[str, Any]]:
    return [
        {"type": "scale", "scale": [float(v) for v in world.scale]},
        {"type": "translation", "translation": [float(v) for v in world.translate]},
    ]
