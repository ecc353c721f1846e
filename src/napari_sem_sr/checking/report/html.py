"""How the templates of the report are filled in."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from napari_sem_sr.geometry import spoken_voxel


def environment() -> Environment:
    """Templates of this package; what stands in them is escaped, and nothing may be missing."""
    # autoescape: names of files and layers are other people's text
    made = Environment(
        loader=PackageLoader("napari_sem_sr.checking.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = _number
    made.filters["voxel"] = _voxel
    return made


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _voxel(voxel_nm: list[float | None]) -> str:
    said = spoken_voxel(voxel_nm)
    return said if said == "unknown" else f"{said} (z, y, x)"
