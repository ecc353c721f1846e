"""Check an SR stack against what was measured, slice by slice."""

import math
import shutil
from collections.abc import Collection, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import zarr

from napari_sem_sr.checking.evidence.against_hr import square_pixel_nm
from napari_sem_sr.checking.evidence.projection import iter_project
from napari_sem_sr.checking.evidence.reference import Reference, measure_teachers
from napari_sem_sr.checking.field import Field, iter_place
from napari_sem_sr.checking.pipeline import maps
from napari_sem_sr.checking.pipeline.log import Journal, different
from napari_sem_sr.checking.pipeline.slice_evaluator import Inspector, common_data_range
from napari_sem_sr.checking.pipeline.summary import summarise
from napari_sem_sr.checking.report.document import JSON, Report
from napari_sem_sr.checking.report.page import render_page
from napari_sem_sr.checking.review.judgements import read_judgements, summary
from napari_sem_sr.checking.suspects.missing import iter_set_apart
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.inference.background import in_background, watch
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.atomic_write import make_folder, told_plainly
from napari_sem_sr.io.lock import locked
from napari_sem_sr.io.zarr_layout import shortcoming
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher


def check(
    lr: SemStack,
    sr: SemStack,
    hr: SemStack | None = None,
    *,
    model: Model | None = None,
    reference: Sequence[Teacher] | None = None,
    out: str | Path,
    register: bool = False,
    project: bool = False,
    without: Collection[int] = (),
    resume: bool = False,
) -> Report:
    """Check an SR stack; see `iter_check`."""
    return drain(
        iter_check(
            lr,
            sr,
            hr,
            model=model,
            reference=reference,
            out=out,
            register=register,
            project=project,
            without=without,
            resume=resume,
        )
    )


def iter_check(
    lr: SemStack,
    sr: SemStack,
    hr: SemStack | None = None,
    *,
    model: Model | None = None,
    reference: Sequence[Teacher] | None = None,
    out: str | Path,
    register: bool = False,
    project: bool = False,
    without: Collection[int] = (),
    resume: bool = False,
) -> Generator[Event, None, Report]:
    """Check an SR stack slice by slice, in memory that does not grow with the stack.

    Parameters
    ----------
    lr
        The measured LR stack.
    sr
        Its SR stack, or that of a part of it.
    hr
        HR of the same field, if there is one.
    model
        The model that made SR; its twin is scored beside it.
    reference
        Teachers of the same material, of other places: their statistics are held beside the stack's.
    out
        Folder for ``report.json``, ``report.html``, ``regions.csv`` and ``maps.zarr``.
    register
        Lay HR over LR by what its pixels show, instead of where its file puts it.
    project
        Also write SR made consistent with LR (``projected.zarr``), and report what that changed.
    without
        Slices of LR that are not looked at: charged, damaged, out of focus. Their maps are NaN.
    resume
        Begin, or continue what is there if the inputs are the same; a finished report is left as it is.

    Yields
    ------
    `Progress`, at least every 200 ms.

    Raises
    ------
    InputError
        If the stacks do not fit together.
    OutputError
        If ``out`` holds a report already, is being written by another check, or cannot be written.
    """
    with locked(Path(out)):
        return (
            yield from _iter_locked(
                lr,
                sr,
                hr,
                model=model,
                reference=reference,
                out=Path(out),
                register=register,
                project=project,
                without=without,
                resume=resume,
            )
        )


def _iter_locked(
    lr: SemStack,
    sr: SemStack,
    hr: SemStack | None,
    *,
    model: Model | None,
    reference: Sequence[Teacher] | None,
    out: Path,
    register: bool,
    project: bool,
    without: Collection[int],
    resume: bool,
) -> Generator[Event, None, Report]:
    field, registration = yield from iter_place(lr, sr, hr, register=register)
    field = field.leaving_out(without)
    _check_fits(field, sr, model)
    journal = Journal(out)
    finished = (out / JSON).exists()
    if (finished or journal.exists) and not resume:
        raise OutputError(
            f"'{out}' holds a check already; give another folder, or --resume to go on with it."
        )
    identity: dict[str, Any] = {}
    for role, stack in (("lr", lr), ("sr", sr), ("hr", hr)):
        identity[role] = (yield from _iter_hash(stack, role)) if stack is not None else None
    identity["model"] = None if model is None else model.content_hash
    identity["without"] = sorted(set(without))
    identity["registered"] = field.registered
    identity["projected"] = project
    identity["reference"] = None if reference is None else [t.content_hash for t in reference]
    if finished:
        return _finished(out, identity)

    with told_plainly(out):
        make_folder(out.absolute())
    known = journal.begin({**identity, "version": version("napari-sem-sr")})
    field = yield from iter_set_apart(field)
    intensity = yield from _iter_intensity(field, sr)
    data_range = yield from _iter_data_range(field)
    sharpness = (sr.provenance or {}).get("sharpness")
    if model is not None:
        model = model.under(Conditions.from_json((sr.provenance or {}).get("conditions")))
    beside = None
    if reference is not None:
        beside = yield from in_background(
            lambda: Reference(measure_teachers(reference, square_pixel_nm(field)), field),
            "measuring the reference",
        )
    inspector = yield from in_background(
        lambda: Inspector(field, model, intensity, data_range, sharpness, beside),
        "measuring what is usual in this stack",
    )
    writers = _open_maps(out / maps.FOLDER, inspector, field, identity)
    done = frozenset.intersection(*(writer.done_slices() for writer in writers.values()))
    total = field.sr.shape[0]
    found: list[Mapping[str, Any]] = []
    with ThreadPoolExecutor(1) as pool:
        for index in range(total):
            progress = Progress("checking", index, total, "slices")
            yield progress
            if index not in field.kept:
                for writer in writers.values():
                    writer.write_slice(index, np.full(writer.shape[1:], np.nan, np.float32))
                continue
            if index not in known or index not in done:
                findings = yield from watch(pool.submit(inspector.look, index), progress)
                for name, image in findings.maps.items():
                    writers[name].write_slice(index, image)
                journal.note(index, findings.numbers)
                known[index] = dict(findings.numbers)
            found.append(known[index])
    yield Progress("checking", total, total, "slices")
    for writer in writers.values():
        writer.finish()

    report = summarise(inspector, sr, hr, model, identity, found, registration)
    if project:
        changed = yield from iter_project(field, out, identity, data_range, inspector.degradation)
        report = replace(report, consistency={**(report.consistency or {}), "projection": changed})
    if report.trust is not None:
        for name, mask in (("trust", report.trust), ("trust_error", report.trust["error"])):
            # a mask that is refused must not lie around
            if mask["refused"]:
                shutil.rmtree(out / maps.FOLDER / name, ignore_errors=True)
    said = read_judgements(out)
    if said:
        report = replace(report, judgements=summary(report.regions, said))
    page = yield from in_background(
        lambda: render_page(report, inspector, model, out / maps.FOLDER), "drawing the report"
    )
    report.write(out, page)
    journal.remove()
    return report


def _finished(out: Path, identity: Mapping[str, Any]) -> Report:
    """Return the report in ``out``, which has to be one on the same data."""
    report = Report.read(out)
    there: dict[str, Any] = {k: (getattr(report, k) or {}).get("hash") for k in ("lr", "sr", "hr")}
    there["model"] = report.model["hash"] if report.model and report.model["given"] else None
    there["without"] = report.sr["checked"].get("without", [])
    there["reference"] = (report.reference or {}).get("hashes")
    there["projected"] = "projection" in (report.consistency or {})
    there["registered"] = report.registered
    if there != identity:
        raise different(out, there, identity)
    return report


def _check_fits(field: Field, sr: SemStack, model: Model | None) -> None:
    for stack in (field.lr, sr, field.hr):
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


def _iter_hash(stack: SemStack, role: str) -> Generator[Event, None, str]:
    return (yield from in_background(lambda: stack.content_hash, f"recognising {role.upper()}"))


def _iter_intensity(field: Field, sr: SemStack) -> Generator[Event, None, IntensityRange]:
    """Range that the networks saw when SR was made; of LR where SR does not say."""
    recorded = (sr.provenance or {}).get("intensity_range")
    if recorded is not None:
        return IntensityRange(*(float(v) for v in recorded))
    return (
        yield from in_background(lambda: stack_range(field.lr), "measuring the intensity range")
    )


def _iter_data_range(field: Field) -> Generator[Event, None, float]:
    known = common_data_range(field)
    if known is not None:
        return known
    truth = field.hr or field.sr
    low, high = math.inf, -math.inf
    for index in range(truth.shape[0]):
        yield Progress("measuring the data range", index, truth.shape[0], "slices")
        plane = truth.slice(index)
        finite = plane[np.isfinite(plane)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return high - low if high > low else 1.0


def _open_maps(
    folder: Path, inspector: Inspector, field: Field, identity: Mapping[str, Any]
) -> dict[str, ZarrStackWriter]:
    if not (folder / "zarr.json").exists():
        described = {name: maps.MAPS[name][1] for name in inspector.maps}
        with told_plainly(folder):
            zarr.create_group(folder, attributes={"napari_sem_sr": {"maps": described}})
    likes = {"SR": field.sr, "LR": field.lr_part}
    writers = {}
    for name in inspector.maps:
        grid, meaning = maps.MAPS[name]
        path = folder / name
        if path.exists():
            writers[name] = ZarrStackWriter.reopen(path)
            continue
        like = likes[grid]
        data = da.zeros(like.shape, dtype=np.float32, chunks=(1, *like.shape[1:]))
        shaped = SemStack(
            data=data,
            name=name,
            voxel_nm=like.voxel_nm,
            origin_nm=like.origin_nm,
            pixel_step=like.pixel_step,
        )
        provenance = {
            "map": name,
            "meaning": meaning,
            "inputs": dict(identity),
            "software_version": version("napari-sem-sr"),
        }
        writers[name] = ZarrStackWriter.create(path, like=shaped, provenance=provenance)
    return writers
