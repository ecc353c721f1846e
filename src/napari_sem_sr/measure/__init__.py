"""What a volume is made of: fractions, surfaces, sizes, chords, connectivity, tortuosity, each with its interval.

The room has the name of what it does, and of the function that ``from napari_sem_sr import measure`` promises; so it can be called.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sem_sr.measure.run import iter_measure, measure

__all__ = ["iter_measure", "measure"]


def __getattr__(name: str) -> Any:
    # matplotlib and scikit-image are not needed by those who import one module of this room
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from napari_sem_sr.measure import run

    return getattr(run, name)


class _Room(ModuleType):
    """A module that measures when it is called."""

    def __call__(self, *volumes: Any, **settings: Any) -> Any:
        return self.measure(*volumes, **settings)


sys.modules[__name__].__class__ = _Room
