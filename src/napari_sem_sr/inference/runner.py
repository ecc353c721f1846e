"""Upscale a stack of any length, slice by slice, so that nothing done is ever done twice."""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, Remark, drain
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.inputs import iter_check_unchanged
from napari_sem_sr.inference.ledger import UNREADABLE, Ledger, slice_hash
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.pipeline import LACKS_MEMORY, Stopwatch, Tally, iter_slices
from napari_sem_sr.inference.plan import Plan, iter_plan
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.lock import locked
from napari_sem_sr.io.zarr_layout import spoken
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

__all__ = ["UpscaleResult", "UpscaleSettings", "iter_upscale", "upscale"]

DEFAULTS = UpscaleSettings()
Rows = Iterable[npt.NDArray[Any]]
Made = Callable[[int, npt.NDArray[Any], Rows], Rows]


def upscale(
    stack: SemStack,
    output: str | Path,
    model: Model,
    settings: UpscaleSettings = DEFAULTS,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> UpscaleResult:
    """Upscale a stack into a file; see `iter_upscale`.

    Parameters
    ----------
    stack
        LR.
    output
        A folder ``*.zarr`` or a file ``*.tif``.
    model
        The model that upscales.
    settings
        As for `iter_upscale`.
    resume
        As for `iter_upscale`.
    overwrite
        As for `iter_upscale`.
    """
    return drain(iter_upscale(stack, output, model, settings, resume=resume, overwrite=overwrite))


def iter_upscale(
    stack: SemStack,
    output: str | Path,
    model: Model,
    settings: UpscaleSettings = DEFAULTS,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> Generator[Event, None, UpscaleResult]:
    """Upscale a stack into a file, reporting every tile and slice.

    Closing the generator, a kill or a full disk leave an output that ``resume`` continues; what it then
    holds is the same, byte for byte, as if it had run through.

    Parameters
    ----------
    stack
        The LR stack.
    output
        ``*.zarr`` (OME-Zarr), ``*.tif`` or ``*.tiff`` (OME-TIFF, assembled at the end from
        ``<output>.partial.zarr``, which is then removed).
    model
        The trained model.
    settings
        What part of the stack, and how.
    resume
        Begin, or continue what is there if input, model and settings are the same. What an earlier run chose
        for ``auto`` is kept. A finished output is left as it is.
    overwrite
        Make the output beside one of ours that is there, and put it in its place when it is whole.

    Yields
    ------
    `UpscaleStarted`, `TileDone`, `SliceDone`, `Progress`, `Notice`; at least one per tile or 200 ms.

    Raises
    ------
    InputError
        If the stack or a setting cannot be used; or, after all other slices are done, if some could not be
        read, are all NaN or changed meanwhile (named in the message).
    OutputError
        If the output cannot be written there, belongs to another run or is being written by one, or was measured.
    ModelError
        If the model does not work.
    """
    destination = Destination.of(output, stack)
    with locked(destination.path):
        return (
            yield from _iter_locked(
                stack, destination, model, settings, resume=resume, overwrite=overwrite
            )
        )


def _iter_locked(
    stack: SemStack,
    destination: Destination,
    model: Model,
    settings: UpscaleSettings,
    *,
    resume: bool,
    overwrite: bool,
) -> Generator[Event, None, UpscaleResult]:
    clock = Stopwatch()
    plan = yield from iter_plan(
        stack, destination, model, settings, resume=resume, overwrite=overwrite
    )
    tally = Tally(done=plan.total - len(plan.todo), total=plan.total)
    deviation = None
    if plan.todo:
        engine = engine_of(plan, settings)
        deviation = yield from iter_compute(plan, engine, tally, clock)
    return (yield from iter_finish(plan, tally, clock, deviation))


def engine_of(plan: Plan, settings: UpscaleSettings) -> Engine:
    """The engine that a plan settled on.

    Parameters
    ----------
    plan
        What was settled.
    settings
        Device, precision and tile.
    """
    return Engine(
        plan.model.blended(plan.sharpness),
        device=settings.device if ":" in settings.device else plan.provenance["device"],
        precision=plan.settings.precision,
        tile=plan.settings.tile,
    )


def iter_compute(
    plan: Plan,
    engine: Engine,
    tally: Tally,
    clock: Stopwatch,
    made: Made = lambda z, lr, rows: rows,
) -> Generator[Event, None, float]:
    """Compute and write what is missing; returns the deviation from fp32.

    Parameters
    ----------
    plan
        What is missing.
    engine
        Computes.
    tally
        Is kept up to date.
    clock
        Seconds by stage are added to it.
    made
        Called in another thread with every slice (its index in the LR stack, LR, and SR from the top down in bands of
        rows); passes the rows on to the disk. It has been given all of them before `SliceDone` says that the slice is there.
    """
    if engine.deviation:
        yield Remark(
            f"Computing in {engine.precision}: at most {engine.deviation:.2g} of the intensity range from "
            "fp32 on a test tile."
        )
    writer = ZarrStackWriter.reopen(plan.destination.work)
    ledger = Ledger(plan.destination.work)

    def write(z: int, lr: npt.NDArray[Any], rows: Rows) -> None:
        ledger.note(z, slice_hash(lr))
        writer.write_rows(z - plan.first, made(z, lr, rows))

    yield from iter_slices(
        plan.stack.slice,
        plan.stack.dtype,
        plan.todo,
        plan.total,
        engine,
        plan.intensity,
        plan.region,
        write,
        tally,
        clock,
    )
    return engine.deviation


def iter_finish(
    plan: Plan, tally: Tally, clock: Stopwatch, deviation: float | None
) -> Generator[Event, None, UpscaleResult]:
    """Finish an output whose slices have been tried, or say which of them are missing and why.

    Parameters
    ----------
    plan
        What was to be done.
    tally
        What was done.
    clock
        Seconds by stage.
    deviation
        Largest difference from fp32; None where nothing was computed.
    """
    destination = plan.destination
    if tally.unusable:
        ledger = Ledger(destination.work)
        for z in tally.unusable:
            ledger.note(z, UNREADABLE)
        raise _unusable(plan.stack, tally)
    if tally.outside:
        yield Notice(
            f"{tally.outside} SR pixels lay outside of what {plan.stack.dtype} can hold and were set "
            "to its limits."
        )
    if not plan.finished:
        slices = range(plan.first, plan.first + plan.total)
        yield from iter_check_unchanged(
            plan.stack, destination.work, slices, plan.provenance["source_hash"], plan.stamps
        )
        writer = ZarrStackWriter.reopen(destination.work)
        writer.finish()
        Ledger(destination.work).remove()
        yield from destination.iter_assemble(plan.name)
    elif destination.is_tiff:
        destination.remove_work()
    else:
        # a kill in the middle of the last two steps
        Ledger(destination.work).remove()
    return UpscaleResult(
        output=destination.path,
        total=plan.total,
        computed=tally.computed,
        outside=tally.outside,
        seconds=clock.wall,
        stages=clock.table(),
        deviation=deviation,
        provenance=plan.provenance,
    )


def _unusable(stack: SemStack, tally: Tally) -> InputError:
    short = sorted(z for z, why in tally.unusable.items() if why == LACKS_MEMORY)
    slices = sorted(set(tally.unusable) - set(short))
    said: list[str] = []
    if slices:
        reason = tally.unusable[slices[0]]
        what = reason if len(slices) == 1 else f"cannot be used (the first {reason})"
        said.append(f"{spoken(slices)} of '{stack.name}' {what}")
    if short:
        need = "needs" if len(short) == 1 else "need"
        said.append(f"{spoken(short)} of '{stack.name}' {need} more memory than there is")
    cure = ["repair the input"] if slices else []
    cure += ["close other programs or choose a region"] if short else []
    sentence = "; ".join(said)
    return InputError(
        f"{sentence[0].upper()}{sentence[1:]}; {tally.done} of {tally.total} are done, so {' and '.join(cure)} and run "
        "again with --resume."
    )
