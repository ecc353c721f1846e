"""Options that several commands share, and how their text is understood."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from napari_sem_sr.stack import SemStack
from napari_sem_sr.terminal import tell

if TYPE_CHECKING:
    from napari_sem_sr.teachers.teacher import Teacher

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
VoxelOption = Annotated[
    str | None,
    typer.Option(
        metavar="Z,Y,X", help="Voxel size in nm where the file does not say it or is wrong."
    ),
]
TiltOption = Annotated[
    float | None,
    typer.Option(
        metavar="DEG",
        help="Angle between the beam and the normal of the imaged face, where the file does not say it or is wrong.",
    ),
]
WithoutOption = Annotated[
    str | None,
    typer.Option(metavar="A,B,...", help="Slices to leave out, as damaged or doubled ones."),
]
GreyFlag = Annotated[
    bool, typer.Option("--grey", help="Consent to converting a colour photograph.")
]
NoiseOption = Annotated[
    str,
    typer.Option(
        metavar="auto|none|SD",
        help="Noise of LR: standard deviation in its grey values at mid range; measured by default.",
    ),
]
BlurOption = Annotated[
    str,
    typer.Option(
        metavar="auto|SIGMA",
        help="Blur of LR beyond the averaging over a pixel, in LR pixels; by default what is surely there.",
    ),
]
ElsewhereFlag = Annotated[
    bool,
    typer.Option(
        "--elsewhere", help="Also read pixels that a file keeps outside of its own folder."
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
FactorOption = Annotated[
    int | None,
    typer.Option(help="Upscale factor: 2, 3, 4 or 8; from pixel sizes by default, else 4."),
]
PixelOption = Annotated[
    float | None,
    typer.Option(
        "--pixel-nm", min=1e-3, help="Pixel size of the teachers, where files do not say it."
    ),
]
KeepDatabarFlag = Annotated[
    bool, typer.Option("--keep-databar", help="Learn from what looks like a databar, too.")
]


def _numbers(text: str, option: str, form: str, count: int) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.replace(",", ":").split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise typer.BadParameter(f"'{text}' is not of the form {form}", param_hint=option)
    return numbers


def check_factor(factor: int | None) -> None:
    """Refuse a factor that no network has.

    Parameters
    ----------
    factor
        SR pixels per LR pixel; None where it was not given.
    """
    from napari_sem_sr.teachers.scale import FACTORS

    if factor is not None and factor not in FACTORS:
        raise typer.BadParameter(f"{factor} is not one of 2, 3, 4, 8", param_hint="--factor")


def parse_slices(text: str | None) -> tuple[int, int] | None:
    """Slices ``A:B`` as (first, end).

    Parameters
    ----------
    text
        As a person types it; None where it was not given.
    """
    if text is None:
        return None
    first, end = _numbers(text, "--slices", "A:B", 2)
    return first, end


def parse_region(text: str | None) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Region ``Y0:Y1,X0:X1`` in LR pixels as ((y0, y1), (x0, x1)).

    Parameters
    ----------
    text
        As a person types it; None where it was not given.
    """
    if text is None:
        return None
    y0, y1, x0, x1 = _numbers(text, "--region", "Y0:Y1,X0:X1", 4)
    return (y0, y1), (x0, x1)


def parse_range(text: str | None) -> tuple[float, float] | None:
    """Grey values ``LOW:HIGH`` of black and white.

    Parameters
    ----------
    text
        As a person types it; None where nothing was typed.

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = float("nan")
    if not (float("-inf") < low < high < float("inf")):
        raise typer.BadParameter(
            f"'{text}' is not of the form LOW:HIGH, LOW the smaller", param_hint="--range"
        )
    return low, high


def parse_noise(text: str) -> float | Literal["auto", "none"]:
    """Noise ``auto``, ``none`` or a standard deviation in grey values.

    Parameters
    ----------
    text
        As a person types it.
    """
    if text in ("auto", "none"):
        return text  # type: ignore[return-value]
    return _at_least_zero(text, "--noise", "auto, none or a standard deviation in grey values")


def parse_blur(text: str) -> float | Literal["auto"]:
    """Blur ``auto`` or a standard deviation in LR pixels.

    Parameters
    ----------
    text
        As a person types it.
    """
    return (
        "auto"
        if text == "auto"
        else _at_least_zero(text, "--blur", "auto or a standard deviation in LR pixels")
    )


def _at_least_zero(text: str, option: str, form: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise typer.BadParameter(f"'{text}' is not {form}", param_hint=option)
    return number


def parse_voxel(text: str | None) -> tuple[float | None, float | None, float | None] | None:
    """Voxel size ``Z,Y,X`` in nm.

    Parameters
    ----------
    text
        As a person types it; None where it was not given.
    """
    if text is None:
        return None
    try:
        z, y, x = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not of the form Z,Y,X", param_hint="--voxel"
        ) from None
    return z, y, x


def parse_without(text: str | None) -> tuple[int, ...]:
    """Slices ``A,B,C`` to leave out.

    Parameters
    ----------
    text
        As a person types it; None where it was not given.
    """
    if text is None:
        return ()
    return _numbers(text, "--without", "A,B,...", text.replace(",", ":").count(":") + 1)


def read_teacher_files(
    paths: Sequence[Path], *, grey: bool, keep_databar: bool, elsewhere: bool
) -> "list[Teacher]":
    """Read teachers and tell what a person should know about them.

    Parameters
    ----------
    paths
        Files and folders.
    grey
        Consent to converting colour photographs.
    keep_databar
        Whether databars are learned from.
    elsewhere
        Whether pixels outside of a file's own folder are read.
    """
    from napari_sem_sr.teachers.teacher import read_teachers

    teachers, notices = read_teachers(paths, grey=grey, elsewhere=elsewhere)
    for notice in notices:
        tell(notice)
    return [replace(t, databar=None) for t in teachers] if keep_databar else teachers


def read(
    path: Path,
    voxel: str | None = None,
    tilt: float | None = None,
    without: str | None = None,
    *,
    grey: bool = False,
    elsewhere: bool = False,
) -> SemStack:
    """Read a stack and tell what a person should know about how it was understood.

    Parameters
    ----------
    path
        File or folder.
    voxel
        As a person types it; None where it was not given.
    tilt
        In degrees; None where it was not given.
    without
        As a person types it; None where it was not given.
    grey
        Consent to converting colour photographs.
    elsewhere
        Whether pixels may lie outside of the file's folder.
    """
    from napari_sem_sr.io import read_stack

    stack = read_stack(
        path,
        voxel_nm=parse_voxel(voxel),
        tilt_deg=tilt,
        without=parse_without(without),
        grey=grey,
        elsewhere=elsewhere,
    )
    for notice in stack.notices:
        tell(notice)
    return stack
