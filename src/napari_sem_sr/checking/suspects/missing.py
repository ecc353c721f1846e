"""Where SR has no value although LR measured one, and slices of which nothing can be said at all.

A hole is no match and no contradiction: nobody can look there. It is listed as a place, counts against what the
verdict may claim, and takes no part in what is measured as usual in the stack.

What it can and cannot tell: it counts NaN and infinite pixels. A hole that was filled with zeros is a dark place like any
other, found by consistency with LR.
"""

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import dask.array as da
import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.protocol import Evidence, Found, SoFar
from napari_sem_sr.checking.suspects.regions import IN_REPORT, WHOLE_FIELD, Region, suspect_regions
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.stack import SemStack

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

NO_VALUE = "no value where LR measured one"
# No chance makes a hole, so it stands before whatever is only unlikely.
SCORE = 30.0
# Whole slices on the list of suspect regions: half of it is left to places.
WHOLE_SLICES = IN_REPORT // 2


def iter_set_apart(field: Field) -> Generator[Event, None, Field]:
    """Set apart the slices in which no pixel can be compared, and take infinite pixels for missing ones.

    If that is so of every slice, SR is held against LR as it is, and HR is left out of the comparison.

    Parameters
    ----------
    field
        LR, SR and HR.
    """
    field = replace(
        field,
        lr=_finite(field.lr),
        sr=_finite(field.sr),
        hr=None if field.hr is None else _finite(field.hr),
    )
    stacks = [stack for stack in (field.lr, field.sr, field.hr) if stack is not None]
    if all(stack.dtype.kind != "f" for stack in stacks):
        return field
    empty: dict[int, str] = {}
    for done, index in enumerate(field.kept):
        yield Progress("looking for slices without values", done, len(field.kept), "slices")
        missing = _missing(field, index)
        if missing is not None:
            empty[index] = missing
    if len(empty) < len(field.kept):
        return replace(field, empty=empty)
    note = "No pixel of SR could be compared, so nothing is said about it."
    return replace(field, hr=None, notes=(*field.notes, note))


def _missing(field: Field, index: int) -> str | None:
    """What has no value anywhere in a slice that could be compared; None if something can be."""
    lr, sr = np.isfinite(field.lr_part.slice(index)), np.isfinite(field.sr.slice(index))
    if not lr.any():
        return "LR"
    if not (lr & (area_average(sr.astype(np.float32), field.factor) == 1)).any():
        return "SR"
    if field.hr is not None and not (sr & np.isfinite(field.hr.slice(index))).any():
        return "HR"
    return None


def _finite(stack: SemStack) -> SemStack:
    if stack.dtype.kind != "f":
        return stack

    def finite(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.where(np.isfinite(block), block, block.dtype.type("nan"))

    data = da.map_blocks(
        finite, stack.data, dtype=stack.dtype, meta=np.empty((0, 0, 0), stack.dtype)
    )
    return replace(stack, data=data)


def holes(lr: npt.NDArray[Any], residual: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """``(y, x)`` of LR: measured there, and not compared.

    Parameters
    ----------
    lr
        ``(y, x)``; may hold NaN.
    residual
        ``(y, x)``; NaN where nothing was compared.
    """
    return np.asarray(np.isfinite(lr) & ~np.isfinite(residual))


@dataclass(frozen=True)
class HolesRecord:
    """LR pixels of a slice that were measured, and those of them where SR has no value.

    Parameters
    ----------
    measured
        LR pixels.
    missing
        LR pixels.
    """

    measured: int
    missing: int


def hole_regions(
    hole: npt.NDArray[np.bool_], factor: int, start: tuple[int, int, int]
) -> list[Region]:
    """Holes of one slice as places; parameters as for `suspect_regions`.

    Parameters
    ----------
    hole
        ``(y, x)`` of LR, true in a hole.
    factor
        SR pixels per LR pixel.
    start
        (z, y, x) of the slice in the SR stack.
    """
    return suspect_regions({NO_VALUE: np.where(hole, SCORE, 0.0)}, factor, start)


def empty_regions(field: Field) -> list[Region]:
    """Slices in which SR has no value at all, as whole fields.

    Parameters
    ----------
    field
        LR and SR.
    """
    z, y, x = field.sr_start
    _, height, width = field.sr.shape
    found = [index for index, what in field.empty.items() if what == "SR"]
    return [
        Region(z + index, y, x, height, width, SCORE, (WHOLE_FIELD, NO_VALUE))
        for index in found[:WHOLE_SLICES]
    ]


def compared(
    field: Field, found: Sequence[HolesRecord], limits: list[str]
) -> dict[str, float | None]:
    """Share of the field that could be compared, None where nothing was there; ``limits`` gets a sentence for the rest.

    The field is what LR measured, and slices of SR where LR measured nothing.

    Parameters
    ----------
    field
        LR and SR.
    found
        Records of all slices.
    """
    whole = sum(s.measured for s in found)
    missing = sum(s.missing for s in found)
    apart = {index: _valued(field, index, who) for index, who in field.empty.items()}
    missing += sum(pixels for index, pixels in apart.items() if field.empty[index] == "SR")
    measured = whole + sum(n for index, n in apart.items() if field.empty[index] != "LR")
    if missing:
        limits.append(
            f"SR has no value (NaN or infinite) at {_share(missing / measured)} of the pixels that LR measured; nothing is said there."
        )
    for who in ("SR", "LR", "HR"):
        slices = [field.slices[0] + i for i, what in field.empty.items() if what == who]
        if slices:
            limits.append(
                f"{who} has no value that could be compared in {_numbered(slices)}; nothing is said about {'it' if len(slices) == 1 else 'them'}."
            )
    judged = whole - sum(s.missing for s in found)
    whole += sum(apart.values())
    return {"compared_fraction": judged / whole if whole else None}


class HolesEvidence(Evidence[HolesRecord]):
    """Share of the field that could be compared."""

    name = "holes"
    section = "consistency"
    record = HolesRecord
    cannot = "A hole that was filled with zeros is a dark place like any other."

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Nothing has to be measured."""
        return cls()

    def look(self, seen: "Seen") -> Found[HolesRecord]:
        """Count the holes of one slice."""
        missing = int(holes(seen.lr, seen.residual).sum())
        return Found(HolesRecord(int(np.isfinite(seen.lr).sum()), missing))

    def combine(
        self, records: Sequence[HolesRecord], setup: "Setup", so_far: SoFar
    ) -> dict[str, float | None]:
        """The share, and sentences on what is missing."""
        return compared(setup.field, records, so_far.limits)


def _valued(field: Field, index: int, empty: str) -> int:
    """LR pixels of a slice set apart that hold something which was not compared."""
    if empty != "LR":
        return int(np.isfinite(field.lr_part.slice(index)).sum())
    sr = np.isfinite(field.sr.slice(index)).astype(np.float32)
    return int((area_average(sr, field.factor) == 1).sum())


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "less than 0.1 %"


def _numbered(slices: Collection[int]) -> str:
    if len(slices) == 1:
        return f"slice {next(iter(slices))}"
    return f"slices {', '.join(map(str, sorted(slices)))}"
