"""The layers that a comparison adds: pictures of the roles, computed pictures, volumes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.experimental import link_layers, unlink_layers
from napari.layers import Image
from napari.utils import Colormap

from napari_sem_sr.measure.volume import DARKEST
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layers

if TYPE_CHECKING:
    from napari.components import ViewerModel

# 12 px on a usual screen
FONT_PT = 9
LINKED = ("contrast_limits", "gamma")
SOLID = Colormap(
    [[0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]], controls=[0, DARKEST / 2, 1], name="opaque grey"
)


@dataclass(frozen=True, eq=False)
class Computed:
    """A pane of something computed, with a colour bar.

    Parameters
    ----------
    stack
        Where it lies in the world of the comparison.
    title
        What it shows, with the unit of its values.
    limits
        Values at both ends of the colour bar, the same for all slices.
    colormap
        As napari calls it.
    """

    stack: SemStack
    title: str
    limits: tuple[float, float]
    colormap: str


def picture(
    viewer: "ViewerModel",
    role: str,
    source: Image,
    seat: SemStack,
    units: tuple[Any, ...],
    name: str,
) -> Image:
    """Show the pixels of a layer in a role, where ``seat`` lies.

    Parameters
    ----------
    viewer
        napari's viewer.
    role
        LR, SR, HR or twin.
    source
        The user's layer.
    units
        Of the world.
    name
        Of the pane.
    """
    size = layers.describe_pixel(source)
    pane = viewer.add_image(
        layers.three_axes(source),
        multiscale=source.multiscale,
        name=f"{name} {size}".strip() + layers.PANE_SIGN,
        scale=seat.world.scale,
        translate=seat.world.translate,
        units=units,
        axis_labels=layers.AXES,
        contrast_limits=source.contrast_limits,
        colormap=source.colormap,
        interpolation2d="nearest",
        metadata={layers.KEY: _mark(source, role)},
        cache=False,
    )
    return _named(pane)


def computed(viewer: "ViewerModel", role: str, what: Computed, source: Image) -> Image:
    """Show something computed with its colour bar; ``source`` is the pane that it is about.

    Parameters
    ----------
    viewer
        napari's viewer.
    role
        LR, SR, HR or twin.
    what
        Pixels, colours and limits.
    """
    world = what.stack.world
    pane = viewer.add_image(
        what.stack.data,
        name=what.title + layers.PANE_SIGN,
        scale=world.scale,
        translate=world.translate,
        units=source.units,
        axis_labels=layers.AXES,
        colormap=what.colormap,
        contrast_limits=what.limits,
        interpolation2d="nearest",
        metadata={layers.KEY: _mark(source, role)},
        cache=False,
    )
    pane.colorbar.visible = True
    pane.colorbar.position = "middle_left"
    pane.colorbar.font_size = FONT_PT
    pane.colorbar.size = (14, 120)
    return _named(pane)


def volume(viewer: "ViewerModel", old: Image, stack: SemStack, *, solid: bool) -> Image:
    """Show a volume as the pane ``old`` showed slices; a solid one is opaque except where it is black.

    Parameters
    ----------
    viewer
        napari's viewer.
    stack
        The volume, in memory.
    solid
        Whether it is opaque except where it is black.
    """
    pane = viewer.add_image(
        stack.data.compute(),
        name=old.name,
        scale=stack.world.scale,
        translate=stack.world.translate,
        units=old.units,
        axis_labels=layers.AXES,
        contrast_limits=old.contrast_limits,
        colormap=SOLID if solid else "gray",
        rendering="translucent" if solid else "attenuated_mip",
        metadata={layers.KEY: dict(layers.mark_of(old))},
    )
    return _named(pane)


def refill(pane: Image, stack: SemStack, *, solid: bool) -> None:
    """Show another volume of the same field in its place.

    Parameters
    ----------
    pane
        Which shows a volume.
    stack
        The volume, in memory.
    solid
        Whether it is opaque except where it is black.
    """
    pane.data = stack.data.compute()
    pane.colormap = SOLID if solid else "gray"
    pane.rendering = "translucent" if solid else "attenuated_mip"


def share_contrast(pictures: list[Image], together: list[Image]) -> None:
    """Let some of the pictures share brightness and gamma, those of the first; the others keep their own.

    Parameters
    ----------
    pictures
        All panes of roles.
    together
        Those that share.
    """
    unlink_layers(pictures, LINKED)
    for pane in together[1:]:
        pane.contrast_limits = together[0].contrast_limits
        pane.gamma = together[0].gamma
    if len(together) > 1:
        link_layers(together, LINKED)


def _named(pane: Image) -> Image:
    pane.name_overlay.visible = True
    pane.name_overlay.font_size = FONT_PT
    return pane


def _mark(source: Image, role: str) -> dict[str, Any]:
    """What a pane carries: what is known of its source, and that it belongs to a comparison."""
    return {
        **layers.mark_of(source),
        "role": role,
        "added_by_dock": True,
        "group": layers.COMPARISON,
    }
