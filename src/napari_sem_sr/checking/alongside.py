"""Upscale and check in one pass: LR is read once, and SR is looked at while it is in memory.

What comes out is what `iter_upscale` and then `iter_check` write. Only what is usual in the stack has to be known before
its first slice: the pieces on which it is measured are upscaled beforehand.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from napari_sem_sr.checking.field import align
from napari_sem_sr.checking.pipeline.finish import iter_finish
from napari_sem_sr.checking.pipeline.looking import Looking
from napari_sem_sr.checking.pipeline.open import iter_open, refuse_existing
from napari_sem_sr.checking.pipeline.request import CheckRequest
from napari_sem_sr.checking.pipeline.session import Session
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.run import iter_check
from napari_sem_sr.events import Event, SliceDone
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.pipeline import Stopwatch, Tally
from napari_sem_sr.inference.plan import Plan, iter_plan, sr_stack
from napari_sem_sr.inference.runner import (
    DEFAULTS,
    UpscaleResult,
    UpscaleSettings,
    engine_of,
    iter_compute,
)
from napari_sem_sr.inference.runner import iter_finish as iter_finish_upscaling
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher

Image = npt.NDArray[Any]


def iter_upscale_and_check(
    stack: SemStack,
    output: str | Path,
    model: Model,
    settings: UpscaleSettings = DEFAULTS,
    *,
    out: str | Path,
    reference: Sequence[Teacher] | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Generator[Event, None, tuple[UpscaleResult, Report]]:
    """Upscale a stack into a file and check every slice as soon as it and its neighbours are there.

    Parameters
    ----------
    stack, output, model, settings, overwrite
        As of `napari_sem_sr.inference.runner.iter_upscale`.
    out, reference
        As of `napari_sem_sr.checking.run.iter_check`.
    resume
        Of both.

    Yields
    ------
    What both yield.

    Raises
    ------
    InputError, OutputError, ModelError
        As both do.
    """
    out = Path(out)
    refuse_existing(out, resume=resume)
    destination = Destination.of(output, stack)
    with locked(destination.path):
        clock = Stopwatch()
        plan = yield from iter_plan(
            stack, destination, model, settings, resume=resume, overwrite=overwrite
        )
        if not plan.finished:
            with locked(out):
                return (yield from _iter_pass(plan, settings, out, reference, clock))
        tally = Tally(done=plan.total, total=plan.total)
        result = yield from iter_finish_upscaling(plan, tally, clock, None)
    made = read_stack(result.output)
    report = yield from iter_check(
        stack, made, model=model, reference=reference, out=out, resume=True
    )
    return result, report


def _iter_pass(
    plan: Plan,
    settings: UpscaleSettings,
    out: Path,
    reference: Sequence[Teacher] | None,
    clock: Stopwatch,
) -> Generator[Event, None, tuple[UpscaleResult, Report]]:
    tally = Tally(done=plan.total - len(plan.todo), total=plan.total)
    stack, model = plan.stack, plan.model
    making = _Making(plan, engine_of(plan, settings))
    sr = replace(sr_stack(stack, model.card.factor, settings), provenance=dict(plan.provenance))
    request = CheckRequest(stack, sr, model=model, reference=reference)
    session = yield from iter_open(request, out, resume=True, source=making.part)
    assert isinstance(session, Session), "nothing is finished whose SR is not"
    with closing(session.setup.shelf):
        deviation = yield from _iter_both(plan, making, session, tally, clock)
        result = yield from iter_finish_upscaling(plan, tally, clock, deviation)
        made = read_stack(result.output)
        field = replace(session.setup.field, **_placed(stack, made))
        session.setup = replace(session.setup, field=field, sr_source=None)
    with closing(session.setup.shelf):
        report = yield from iter_finish(session, replace(request, sr=made))
    return result, report


def _placed(stack: SemStack, made: SemStack) -> dict[str, Any]:
    placed = align(stack, made)
    return {"sr": placed.sr, "sr_start": placed.sr_start, "notes": placed.notes}


class _Making:
    """SR while it is made: on disk as far as it is done, from the network otherwise.

    Parameters
    ----------
    plan
        Of the upscaling.
    engine
        That makes it.
    """

    def __init__(self, plan: Plan, engine: Engine) -> None:
        self.plan = plan
        self.engine = engine
        self._writer = ZarrStackWriter.reopen(plan.destination.work, shared=True)

    def is_done(self, index: int) -> bool:
        """Whether slice ``index`` of the output is on disk."""
        return not self._writer.lost_slices([index])

    def part(self, index: int, region: Region) -> Image:
        """A region, in LR pixels of the output, of slice ``index``."""
        factor = self.engine.factor
        (y0, y1), (x0, x1) = region
        if self.is_done(index):
            level = zarr.open_array(self.plan.destination.work / "0", mode="r")
            return np.asarray(level[index, factor * y0 : factor * y1, factor * x0 : factor * x1])
        (top, _), (left, _) = self.plan.region
        where = ((top + y0, top + y1), (left + x0, left + x1))
        z = self.plan.first + index
        lr = self.plan.stack.slice(z)
        return self.engine.upscale_slice(lr, self.plan.intensity, lr.dtype, where, z).image


def _iter_both(
    plan: Plan, making: _Making, session: Session, tally: Tally, clock: Stopwatch
) -> Generator[Event, None, float | None]:
    """Upscale what is missing, and look at slices as soon as they and the next are there."""
    shelf = session.setup.shelf
    there = {z - plan.first for z in range(plan.first, plan.first + plan.total)}
    there -= {z - plan.first for z in plan.todo}
    todo = list(session.todo)

    def made(z: int, lr: Image, rows: Iterable[Image]) -> Iterator[Image]:
        seen = []
        for band in rows:
            seen.append(band)
            yield band
        shelf.put("lr", z - plan.first, lr)
        shelf.put("sr", z - plan.first, np.concatenate(seen) if len(seen) > 1 else seen[0])

    def is_ready(index: int) -> bool:
        kept = session.setup.field.kept
        after = kept[kept.index(index) + 1 :][:1]
        return index in there and all(z in there for z in after)

    with (
        Looking(session) as looking,
        closing(iter_compute(plan, making.engine, tally, clock, made)) as work,
    ):
        deviation: float | None = None
        ended = False
        while not ended:
            # a slice whose neighbour could not be made stays for another time, as that does
            while todo and is_ready(todo[0]):
                index = todo.pop(0)
                yield from looking.iter_look(index)
                shelf.forget(before=index)
            try:
                event = next(work)
            except StopIteration as stop:
                deviation, ended = stop.value, True
                continue
            if isinstance(event, SliceDone):
                there.add(event.slice - plan.first)
            yield event
        yield from looking.iter_settle()
    return deviation
