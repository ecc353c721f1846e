"""Super-resolution of FIB-SEM stacks, with evidence of what is true and what the network made up.

``read_stack``, ``read_teachers``, ``load_model``, ``upscale``, ``train``, ``check``, ``isotropic`` and ``measure`` mirror the
commands of ``sem-sr``. They are loaded on first use, since napari imports this package whenever it starts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sem_sr.api import check, load_model, read_stack, read_teachers, train, upscale
    from napari_sem_sr.axial import isotropic
    from napari_sem_sr.measure.run import measure

    __version__: str

__all__ = [
    "__version__",
    "check",
    "isotropic",
    "load_model",
    "measure",
    "read_stack",
    "read_teachers",
    "train",
    "upscale",
]

# Rooms whose functions take names and paths themselves.
_HOMES = {"isotropic": "napari_sem_sr.axial", "measure": "napari_sem_sr.measure.run"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("napari-sem-sr")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "napari_sem_sr.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
