"""Isotropic volumes: learned along the lateral planes of a stack, applied along z, tested on slices left out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sem_sr.axial.run import isotropic, iter_isotropic
    from napari_sem_sr.axial.settings import IsotropicResult, IsotropicSettings

__all__ = ["IsotropicResult", "IsotropicSettings", "isotropic", "iter_isotropic"]

_HOMES = {
    "IsotropicResult": "settings",
    "IsotropicSettings": "settings",
    "isotropic": "run",
    "iter_isotropic": "run",
}


def __getattr__(name: str) -> Any:
    # on first use: the dock reads what a test found without loading networks
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
