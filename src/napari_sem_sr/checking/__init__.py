"""Answer checking: one module per kind of evidence, suspect regions, the report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sem_sr.checking.report.document import Report
    from napari_sem_sr.checking.run import check, iter_check

__all__ = ["Report", "check", "iter_check"]


_HOMES = {"check": "run", "iter_check": "run", "Report": "report.document"}


def __getattr__(name: str) -> Any:
    # on first use: who only compares two images needs neither networks nor pages
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
