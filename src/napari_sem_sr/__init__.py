"""Super-resolution of FIB-SEM stacks, with evidence of what is true and what the network made up.

``read_stack``, ``load_model``, ``upscale``, ``train``, ``check`` and ``measure`` mirror the commands of ``sem-sr``.
They are loaded on first use, since napari imports this package whenever it starts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sem_sr.checking import check
    from napari_sem_sr.inference.runner import upscale
    from napari_sem_sr.io import read_stack
    from napari_sem_sr.measure.run import measure
    from napari_sem_sr.model.zoo import load_model
    from napari_sem_sr.training.trainer import train

__all__ = ["check", "load_model", "measure", "read_stack", "train", "upscale"]

_HOMES = {
    "check": "napari_sem_sr.checking",
    "load_model": "napari_sem_sr.model.zoo",
    "measure": "napari_sem_sr.measure.run",
    "read_stack": "napari_sem_sr.io",
    "train": "napari_sem_sr.training.trainer",
    "upscale": "napari_sem_sr.inference.runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
