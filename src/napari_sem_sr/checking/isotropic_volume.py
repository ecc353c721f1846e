"""Checking an isotropic volume: what was measured is still there, and what lies between says how well it was tested.

Such a volume has no detail finer than LR's pixels in its slices: what was made up is whole slices. So none of the
evidence on detail applies. Two things can be judged: that every measured slice is in the volume as it was measured,
and, from the test that was made with the volume, how well slices left out were predicted.

What it can and cannot tell: the test on left-out slices bridges a wider gap than the volume does, so it is a lower
bound for the same material; nothing of it says that a single place between two slices is true.
"""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.left_out.outcome import UNTESTED, spoken
from napari_sem_sr.checking.report.document import JSON, Report
from napari_sem_sr.checking.report.html import report_environment
from napari_sem_sr.checking.report.images import grey_uri
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.intensity import stack_range, to_dtype
from napari_sem_sr.io.atomic_write import make_folder, translate_os_errors
from napari_sem_sr.metrics.psnr_ssim import StackScores, data_range_of
from napari_sem_sr.stack import SemStack

TEMPLATE = "isotropic.html.j2"
SHOWN_ROWS = 3
LIMITS = (
    "Slices between the measured ones are synthetic: they were made by a network that learned from this stack only.",
    "Evidence on detail (invention, stability, trust, persistence, domain) is about detail within a slice and does not apply.",
)


def is_isotropic(stack: SemStack) -> bool:
    """Whether ``stack`` was made by sem-sr isotropic."""
    return (stack.provenance or {}).get("kind") == "isotropic"


def iter_check_isotropic(
    lr: SemStack, sr: SemStack, hr: SemStack | None, out: Path, *, resume: bool
) -> Generator[Event, None, Report]:
    """Check an isotropic volume against the slices it was made of, and against a true volume where there is one.

    Parameters
    ----------
    lr
        Slices that the volume was made of.
    sr
        The volume.
    hr
        A true volume; None without one.
    resume
        Whether to go on with what is there.

    Raises
    ------
    InputError
        If the volume was not made of these slices, or the true volume is of another shape.
    OutputError
        If ``out`` holds a report already, or cannot be written.
    """
    hashes: dict[str, str | None] = {"hr": None}
    for role, stack in (("lr", lr), ("sr", sr), ("hr", hr)):
        if stack is not None:
            hashes[role] = yield from in_background(
                lambda stack=stack: stack.content_hash,  # type: ignore[misc]
                f"recognising {role.upper()}",
            )
    if (out / JSON).exists():
        if not resume:
            raise OutputError(
                f"'{out}' holds a check already; give another folder, or --resume to continue it."
            )
        there = Report.read(out)
        if {k: (getattr(there, k) or {}).get("hash") for k in hashes} != hashes:
            raise OutputError(f"'{out}' holds the check of other stacks; give another folder.")
        return there
    provenance = sr.provenance or {}
    grid = AxialGrid(lr.shape[0], float(provenance["ratio"]))
    whole = sr.shape[1:] == lr.shape[1:]
    if sr.shape[0] != grid.n_output or (whole is False and provenance["undone"] == "nothing"):
        raise InputError(
            f"'{sr.name}' was not made of '{lr.name}': {lr.shape[0]} slices at a ratio of {grid.ratio:g} make "
            f"{grid.n_output} and it has {sr.shape[0]}; give the slices that it was made of."
        )
    if hr is not None and hr.shape != sr.shape:
        raise InputError(
            f"The true volume has the shape {hr.shape} and '{sr.name}' {sr.shape}; give one of the same voxels."
        )
    kept = (yield from _iter_kept(lr, sr, grid)) if whole else None
    scores = None if hr is None else (yield from _iter_scores(lr, sr, hr, grid))
    left_out = provenance.get("left_out")
    limits = list(LIMITS)
    if kept is None:
        limits.append(
            f"The slices' {provenance['undone']} was undone, so that they cannot be compared pixel by pixel."
        )
    if left_out is None:
        limits.append(UNTESTED)
    if hr is None:
        limits.append("Without a true volume nothing is compared between the measured slices.")
    report = Report(
        lr={**lr.describe(), "hash": hashes["lr"]},
        sr={**sr.describe(), "hash": hashes["sr"], "checked": {"slices": [0, lr.shape[0]]}},
        hr=None if hr is None else {**hr.describe(), "hash": hashes["hr"]},
        model={"kind": "axial", "hash": provenance.get("model_hash"), "given": False},
        scores=scores,
        consistency=None if kept is None else {
            "rse": None, "rsp": None, "chi2": None, "fraction_beyond_3_sigma": None,
            "measured_slices": lr.shape[0], "as_measured": kept,
        },
        invention=None,
        domain=None,
        persistence=None,
        trust=None,
        regions=[],
        verdict=_verdict(lr, sr, kept, left_out),
        limits=limits,
        isotropic={
            "synthetic_axis": "z",
            "ratio": grid.ratio,
            "synthetic_slices": grid.n_output - lr.shape[0],
            "left_out": left_out,
            "premise": provenance.get("premise"),
        },
    )  # fmt: skip
    with translate_os_errors(out):
        make_folder(out.absolute())
    page = yield from in_background(lambda: _page(report, lr, sr, hr), "drawing the report")
    report.write(out, page)
    return report


def _iter_kept(lr: SemStack, sr: SemStack, grid: AxialGrid) -> Generator[Event, None, int]:
    """Count the measured slices that are in the volume, pixel by pixel."""
    same = 0
    for k, place in enumerate(grid.places()):
        yield Progress("comparing measured slices", k, grid.n_measured, "slices")
        same += np.array_equal(lr.slice(k), sr.slice(int(place)), equal_nan=lr.dtype.kind == "f")
    return same


def _iter_scores(
    lr: SemStack, sr: SemStack, hr: SemStack, grid: AxialGrid
) -> Generator[Event, None, dict[str, Any]]:
    """Score the slices between the measured ones against the true ones; those of linear interpolation beside them."""
    span = data_range_of(hr.dtype) or float(np.ptp(hr.slice(0)))
    made, linear = StackScores(span), StackScores(span)
    places = set(grid.places().tolist())
    for j in range(grid.n_output):
        yield Progress("comparing with the true volume", j, grid.n_output, "slices")
        if j in places:
            continue
        truth = hr.slice(j)
        made.add(sr.slice(j), truth)
        if lr.shape[1:] == sr.shape[1:]:
            above, part = grid.source(j)
            pair = np.stack([lr.slice(above), lr.slice(above + 1)]).astype(np.float32)
            between = interpolated(pair, np.array([part]), "linear")[0]
            linear.add(to_dtype(between, hr.dtype)[0], truth)
    known = bool(linear.pixels)
    return {
        "psnr": made.psnr,
        "ssim": made.ssim,
        "linear_psnr": linear.psnr if known else None,
        "linear_ssim": linear.ssim if known else None,
        "twin_psnr": None,
        "twin_ssim": None,
        "bicubic_psnr": None,
        "bicubic_ssim": None,
        "frc_nm": None,
    }


def _verdict(
    lr: SemStack, sr: SemStack, kept: int | None, left_out: Mapping[str, Any] | None
) -> str:
    if kept is not None and kept < lr.shape[0]:
        return (
            f"'{sr.name}' does not hold {lr.shape[0] - kept} of the {lr.shape[0]} measured slices as they were "
            "measured, so look for a fault before using it."
        )
    said = UNTESTED if left_out is None else spoken(left_out)
    between = sr.shape[0] - lr.shape[0]
    return f"{between} of the {sr.shape[0]} slices of '{sr.name}' were not measured but filled in along z. {said}"


def _page(report: Report, lr: SemStack, sr: SemStack, hr: SemStack | None) -> str:
    shown = stack_range(lr)
    rows = np.linspace(0, sr.shape[1] - 1, SHOWN_ROWS + 2).round().astype(int)[1:-1]
    stacks = {"volume": sr} if hr is None else {"volume": sr, "true volume": hr}
    planes: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in stacks}
    for name, stack in stacks.items():
        read = [stack.slice(z)[rows] for z in range(stack.shape[0])]
        planes[name] = [np.stack([plane[i] for plane in read]) for i in range(len(rows))]
    pictures = [
        {"title": f"xz at row {row}, {name}", "uri": grey_uri(planes[name][i], shown)}
        for i, row in enumerate(rows)
        for name in stacks
    ]
    template = report_environment().get_template(TEMPLATE)
    return template.render(report=report, pictures=pictures)
