"""Who plays which role in a comparison, and where its pixels lie."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.viewer import layer_stack, layers
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

ROLES: tuple[Role, ...] = ("LR", "SR", "SR 2", "HR", "twin")
# what a model made
SYNTHETIC: tuple[Role, ...] = ("SR", "SR 2", "twin")
# where a role is called otherwise in another language
NAMES: dict[Role, str] = {"twin": tr("twin")}
MEANING: dict[Role, str] = {
    "LR": tr("What was measured."),
    "SR": tr("What the model made of it."),
    "SR 2": tr("What another model, or another sharpness, made of it."),
    "HR": tr("The measured truth, where there is one."),
    "twin": tr(
        "The same by the model's twin (sharpness 0): what was there before the adversarial stage."
    ),
}


def guess_roles(viewer: "ViewerModel") -> dict[Role, Image]:
    """Roles by what layers say about themselves, then by their names, then by elimination; newest first.

    Parameters
    ----------
    viewer
        napari's viewer.
    """
    images = [
        layer
        for layer in reversed(viewer.layers)
        if isinstance(layer, Image) and not layer.rgb and not layers.belongs_to_comparison(layer)
    ]
    found: dict[Role, Image] = {}
    for role in (role for role in ROLES if role not in found):
        said = [i for i in images if layers.role_of(i) == role]
        named = [
            i for i in images if layers.role_of(i) is None and role.lower() in layers.words(i.name)
        ]
        for image in (*said, *named)[:1]:
            found[role] = image
        if role == "SR":
            # of two results, that of sharpness 0 is the twin
            twins = [i for i in said if layers.mark_of(i).get("sharpness") == 0]
            others = [i for i in said if i not in twins]
            if twins and others:
                found["SR"], found["twin"] = others[0], twins[0]
            unlike = [i for i in others if _made_by(i) not in (None, _made_by(found.get("SR")))]
            if unlike:
                found["SR 2"] = unlike[0]
    rest = [i for i in images if layers.role_of(i) is None and i not in found.values()]
    if "LR" not in found and rest:
        found["LR"] = min(rest, key=lambda i: int(np.prod(layers.full_shape(i)[-2:])))
    return found


def _made_by(layer: Image | None) -> tuple[Any, ...] | None:
    """Model and sharpness of a result on disk; None for a preview, or where they are not known."""
    if layer is None or layers.path_of(layer) is None:
        return None
    mark = layers.mark_of(layer)
    return (mark["model_hash"], mark.get("sharpness")) if "model_hash" in mark else None


def named_pane(role: Role, roles: Mapping[Role, Image]) -> str:
    """Role as its pane is called; of two results with what made them, ``SR 2 sem-x4 0.50``.

    Parameters
    ----------
    role
        LR, SR, HR or twin.
    roles
        Layers by role.
    """
    mark = layers.mark_of(roles[role])
    if "SR 2" not in roles or "model" not in mark:
        return role
    sharpness = mark.get("sharpness")
    return f"{role} {mark['model']}" + ("" if sharpness is None else f" {sharpness:.2f}")


def seats_of(roles: Mapping[Role, Image]) -> tuple[dict[Role, SemStack], tuple[Any, ...]]:
    """Where each role's pixels lie in one common world, and its units.

    Layers that napari shows in the same units stay where they are on screen. Where units differ (a TIFF that
    napari's reader shows in pixels beside a result in nm), the files say where they lie.

    Parameters
    ----------
    roles
        Layers by role.
    """
    shown = {role: layers.three_units(layer) for role, layer in roles.items()}
    if len(set(shown.values())) == 1:
        return {role: layers.on_screen(layer) for role, layer in roles.items()}, next(
            iter(shown.values())
        )
    stacks = {role: layer_stack.stack_of(layer) for role, layer in roles.items()}
    units = {stack.world.units for stack in stacks.values()}
    if len(units) > 1:
        raise InputError(
            tr(
                "The voxel size of one stack is unknown and that of another is not; set the scale and units of the layers so that they agree."
            )
        )
    return stacks, next(iter(units))
