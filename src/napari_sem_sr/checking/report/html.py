"""How the templates of the report are filled in."""

from jinja2 import Environment

from napari_sem_sr.geometry import spoken_voxel
from napari_sem_sr.templates import environment


def report_environment() -> Environment:
    """Templates of this package, with what writes numbers and voxel sizes."""
    made = environment("napari_sem_sr.checking.report")
    made.filters["number"] = _number
    made.filters["voxel"] = _voxel
    return made


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _voxel(voxel_nm: list[float | None]) -> str:
    said = spoken_voxel(voxel_nm)
    return said if said == "unknown" else f"{said} (z, y, x)"
