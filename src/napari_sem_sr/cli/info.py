"""``sem-sr info``: what a file or folder says about itself."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from napari_sem_sr.cli.options import (
    ElsewhereFlag,
    GreyFlag,
    JsonFlag,
    TiltOption,
    VoxelOption,
    WithoutOption,
    read,
)
from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack
from napari_sem_sr.terminal import follow, print_json, say, stdout, tell

if TYPE_CHECKING:
    from napari_sem_sr.degradation.measure_conditions import MeasuredConditions
    from napari_sem_sr.slices import Finding

# What a person calls the instrument's numbers, and their units.
_LABELS = {
    "kv": ("voltage", "kV"),
    "wd_mm": ("working distance", "mm"),
    "beam_current_na": ("beam current", "nA"),
    "dwell_us": ("dwell time", "µs"),
    "stage_tilt_deg": ("stage tilt", "°"),
    "stage_mm": ("stage x, y, z", "mm"),
    "stage_rotation_deg": ("stage rotation", "°"),
    "scan_rotation_deg": ("scan rotation", "°"),
    "tilt_corrected": ("tilt correction", ""),
    "tilt_correction_deg": ("its angle", "°"),
    "time": ("taken", ""),
}


def info(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="An image, a stack, or a folder.")],
    as_json: JsonFlag = False,
    voxel: VoxelOption = None,
    tilt: TiltOption = None,
    without: WithoutOption = None,
    grey: GreyFlag = False,
    elsewhere: ElsewhereFlag = False,
    examine: Annotated[
        bool,
        typer.Option("--examine", help="Read every slice and name those that are odd."),
    ] = False,
) -> None:
    """Say what a file or folder holds: shape, voxel size and where it comes from, geometry, instrument."""
    stack = read(path, voxel, tilt, without, grey=grey, elsewhere=elsewhere)
    findings = _examined(stack) if examine else None
    measured = _measured(stack)
    if as_json:
        found: dict[str, Any] = (
            {} if findings is None else {"findings": [asdict(f) for f in findings]}
        )
        if measured is not None:
            found["conditions"] = measured.to_json()
        print_json({**stack.describe(), "notices": list(stack.notices), **found})
        return
    table = Table(show_header=False, box=None)
    for row in _rows(stack):
        table.add_row(*row)
    if measured is not None:
        table.add_row("noise and blur", measured.sentence(), "(measured)")
        for notice in measured.notices:
            tell(notice)
    stdout.print(table)
    if findings is not None:
        say("\n".join(f.sentence for f in findings) or "Nothing is odd about its slices.")


def _examined(stack: SemStack) -> tuple["Finding", ...]:
    from napari_sem_sr.slices import iter_examine

    return follow(iter_examine(stack)).findings


def _measured(stack: SemStack) -> "MeasuredConditions | None":
    """Noise and blur; None for what is made up, or holds no picture to measure them in."""
    from napari_sem_sr.degradation.measure_conditions import measure_conditions

    if stack.describe()["synthetic"]:
        return None
    try:
        return measure_conditions(stack)
    except InputError as error:
        tell(str(error))
        return None


def _rows(stack: SemStack) -> list[tuple[str, str, str]]:
    said = stack.describe()
    z, y, x = stack.shape
    rows = [
        ("name", stack.name, ""),
        ("size", f"{z} {'slice' if z == 1 else 'slices'}, {x} × {y} px, {stack.dtype}", ""),
    ]
    for axis, size, source in zip("zyx", said["voxel_nm"], said["voxel_source"], strict=True):
        name = "slice thickness (z)" if axis == "z" else f"pixel size ({axis})"
        rows.append((name, *_with_unit(size, "nm", source)))
    rows.append(("tilt of the face", *_with_unit(said["tilt_deg"], "°", said["tilt_source"])))
    for key, value in said["instrument"].items():
        if value is not None:
            label, unit = _LABELS.get(key, (key, ""))
            rows.append((label, f"{_shown(value)} {unit}".strip(), ""))
    if said["synthetic"]:
        rows.append(("pixels", "super-resolved (synthetic)", ""))
    return rows


def _with_unit(value: float | None, unit: str, source: str) -> tuple[str, str]:
    return ("unknown", "") if value is None else (f"{value:.6g} {unit}", f"({source})")


def _shown(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:.6g}"
        case tuple():
            return ", ".join("?" if v is None else _shown(v) for v in value)
        case _:
            return str(value)
