"""Everything before the first slice: what is there already, where stacks lie, and what is usual in them."""

import math
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.evidence.against_hr import square_pixel_nm
from napari_sem_sr.checking.evidence.consistency import lr_sigma
from napari_sem_sr.checking.evidence.reference import measure_teachers
from napari_sem_sr.checking.field import Field, iter_place
from napari_sem_sr.checking.pipeline.log import Journal, different
from napari_sem_sr.checking.pipeline.request import (
    CheckRequest,
    identity_in,
    made_by,
    stamped,
)
from napari_sem_sr.checking.pipeline.session import Session, make_maps
from napari_sem_sr.checking.pipeline.slice_evaluator import SliceEvaluator
from napari_sem_sr.checking.report.document import JSON, Report
from napari_sem_sr.checking.suspects.missing import iter_set_apart
from napari_sem_sr.checking.view.setup import Setup
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.pipeline import Stopwatch
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.io.atomic_write import make_folder, translate_os_errors
from napari_sem_sr.io.zarr_layout import shortcoming
from napari_sem_sr.metrics.psnr_ssim import data_range_of
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

SrSource = Callable[[int, Region], npt.NDArray[Any]]


def iter_open(
    request: CheckRequest, out: Path, *, resume: bool, source: SrSource | None = None
) -> Generator[Event, None, Session | Report]:
    """Begin a check, or go on with one.

    Parameters
    ----------
    request
        What is asked for.
    resume
        Whether to go on with what is there.
    source
        Gives SR (slice of the field, region of it in LR pixels) while it is made: it is then known by how it is made, not
        by its files.

    Returns
    -------
    The check under way; the report where it is finished already.

    Raises
    ------
    InputError
        If the stacks do not fit together.
    OutputError
        If ``out`` holds a report already, or cannot be written.
    """
    if request.every < 1:
        raise InputError(f"Every {request.every}. slice makes no sense; give 1 or more.")
    clock = Stopwatch()
    making = source is not None
    sr, model = request.sr, request.model
    if model is not None:
        model = model.under(Conditions.from_json((sr.provenance or {}).get("conditions")))
    field, registration = yield from iter_place(
        request.lr, sr, request.hr, register=request.register
    )
    field = field.leaving_out(request.without)
    _check_fits(field, sr, model, making=making)
    journal = Journal(out)
    finished = (out / JSON).exists()
    refuse_existing(out, resume=resume)
    # a check that was begun while SR was made goes on with what SR has become
    made = made_by(sr.provenance or {})
    known_as = made if making or (not finished and journal.identity.get("sr") == made) else None
    identity = yield from request.iter_identity(field.registered, known_as)
    if finished and not making:
        report = Report.read(out)
        if identity_in(report) != identity:
            raise different(out, identity_in(report), identity)
        seen = {z - field.slices[0] for z in report.looked_at}
        if seen >= set(field.kept[:: request.every]):
            return report
        identity["sr"] = journal.identity.get("sr", identity["sr"])
    with translate_os_errors(out):
        make_folder(out.absolute())
    known = journal.begin(stamped(identity))
    if not making:
        field = yield from iter_set_apart(field)
    intensity = yield from _iter_intensity(field, sr)
    data_range = yield from _iter_data_range(field)
    reference = None
    if request.reference is not None:
        teachers = request.reference
        reference = yield from in_background(
            lambda: measure_teachers(teachers, square_pixel_nm(field)), "measuring the reference"
        )
    setup = Setup(
        field=field,
        model=model,
        intensity=intensity,
        data_range=data_range,
        sigma=lr_sigma(field.lr_part, field.factor),
        sharpness=(sr.provenance or {}).get("sharpness"),
        reference=reference,
        registration=registration,
        clock=clock,
        sr_source=source,
    )
    evaluator = yield from in_background(
        lambda: SliceEvaluator.prepare(setup), "measuring what is usual in this stack"
    )
    maps = make_maps(out, evaluator.maps, field, identity)
    maps.leave_out(sorted((field.without | field.empty.keys()) - maps.done()))
    done = maps.done()
    clock.add({"prepare": clock.wall})
    return Session(
        out=out,
        setup=setup,
        evaluator=evaluator,
        identity=identity,
        journal=journal,
        maps=maps,
        known={z: records for z, records in known.items() if z in done},
        every=request.every,
        clock=clock,
    )


def refuse_existing(out: Path, *, resume: bool) -> None:
    """Make sure that nothing is there, or that it is to be gone on with.

    Parameters
    ----------
    resume
        Whether to go on with what is there.

    Raises
    ------
    OutputError
        If ``out`` holds a check, finished or not.
    """
    if not resume and ((out / JSON).exists() or Journal(out).exists):
        raise OutputError(
            f"'{out}' holds a check already; give another folder, or --resume to continue it."
        )


def _check_fits(field: Field, sr: SemStack, model: Model | None, *, making: bool) -> None:
    for stack in (field.lr, None if making else sr, field.hr):
        for path in () if stack is None else stack.paths:
            if lacking := shortcoming(path):
                raise InputError(
                    f"'{path}' {lacking}; run the command that made it again with --resume, then check it."
                )
    if model is not None and model.card.factor != field.factor:
        raise InputError(
            f"Model '{model.card.name}' has factor {model.card.factor}, but '{sr.name}' is {field.factor} times finer than "
            "LR; give the model that made it."
        )
    if field.hr is None:
        return
    a, b = field.sr.dtype, field.hr.dtype
    if a.kind in "ui" and b.kind in "ui" and a != b:
        raise InputError(
            f"'{field.sr.name}' holds {a} and '{field.hr.name}' {b} grey values, which are not on one scale; "
            "convert one of them first."
        )


def _iter_intensity(field: Field, sr: SemStack) -> Generator[Event, None, IntensityRange]:
    """Range that the networks saw when SR was made; of LR where SR does not say."""
    recorded = (sr.provenance or {}).get("intensity_range")
    if recorded is not None:
        return IntensityRange(*(float(v) for v in recorded))
    return (
        yield from in_background(lambda: stack_range(field.lr), "measuring the intensity range")
    )


def _iter_data_range(field: Field) -> Generator[Event, None, float]:
    """Peak for PSNR and SSIM: of the dtype of HR; of float HR that of its pixels."""
    truth = field.hr or field.sr
    known = data_range_of(truth.dtype)
    if known is not None:
        return known
    if field.hr is None:
        # nothing is compared with it
        return 1.0
    low, high = math.inf, -math.inf
    for index in range(truth.shape[0]):
        yield Progress("measuring the data range", index, truth.shape[0], "slices")
        plane = truth.slice(index)
        finite = plane[np.isfinite(plane)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return high - low if high > low else 1.0
