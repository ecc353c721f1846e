"""The same check on a Dask cluster: blocks of slices go to workers, maps and report are the same, byte for byte.

The client finds out what is usual in the stack and makes the report, workers read, compute and write maps. What is done is
what is in the journal, so a worker that dies costs the slices it had in hand.
"""

from collections.abc import Collection, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import dask.array as da
from dask.base import optimize

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.pipeline import block
from napari_sem_sr.checking.pipeline.finish import iter_finish
from napari_sem_sr.checking.pipeline.kinds import MAPS_FOLDER
from napari_sem_sr.checking.pipeline.open import iter_open
from napari_sem_sr.checking.pipeline.request import CheckRequest
from napari_sem_sr.checking.pipeline.session import Session
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.view.setup import Role
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.block import claim
from napari_sem_sr.inference.cluster import Share, iter_blocks
from napari_sem_sr.inference.plan import Choice
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.inference.workers import (
    at_absolute_paths,
    connected,
    iter_wait_for_workers,
    place_of,
    site,
    translate_cluster_errors,
)
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher

AUTO = Choice("auto", "auto", 0)


def iter_check_on(
    scheduler: str,
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
    every: int = 1,
    resume: bool = False,
) -> Generator[Event, None, Report]:
    """Check an SR stack with the workers of a Dask scheduler; else as `napari_sem_sr.checking.run.iter_check`.

    Parameters
    ----------
    scheduler
        Address, ``tcp://host:8786``. All stacks, ``out`` and the model have to lie on a disk that all workers share,
        under the same absolute paths, and the same version of this package has to be installed there.
    lr, sr, hr, model, reference, register, project, without, every, resume
        As for `napari_sem_sr.checking.run.iter_check`; workers have to find the files, too.

    Raises
    ------
    InputError
        If there is no scheduler, or its workers cannot do the work; else as `iter_check`.
    """
    out = Path(out).absolute()
    lr, sr = at_absolute_paths(lr), at_absolute_paths(sr)
    hr = None if hr is None else at_absolute_paths(hr)
    request = CheckRequest(lr, sr, hr, model, reference, register, project, without, every)
    with ExitStack() as open_:
        client = open_.enter_context(connected(scheduler))
        yield from iter_wait_for_workers(client, scheduler)
        open_.enter_context(locked(out))
        session = yield from iter_open(request, out, resume=resume)
        if isinstance(session, Report):
            return session
        open_.enter_context(closing(session.setup.shelf))
        with translate_cluster_errors(scheduler, out):
            yield from _iter_looked(client, session, request)
        return (yield from iter_finish(session, request))


def _iter_looked(
    client: Any, session: Session, request: CheckRequest
) -> Generator[Event, None, None]:
    """Give out what is still to be looked at, and note what came back."""
    setup, field = session.setup, session.setup.field
    choice = AUTO
    if request.model is not None:
        choice = site(client, request.model).choose(request.model, UpscaleSettings(), 0)
    job = block.CheckJob(
        run=uuid4().hex,
        out=session.out,
        field=_without_pixels(field),
        model=None if request.model is None else place_of(request.model),
        conditions=Conditions.from_json((request.sr.provenance or {}).get("conditions")),
        intensity=setup.intensity,
        data_range=setup.data_range,
        sharpness=setup.sharpness,
        sigma=setup.sigma,
        device=choice.device,
        precision=choice.precision,
        tile=choice.tile or None,
        evaluator=session.evaluator,
    )
    claim(session.out / MAPS_FOLDER, job.run)

    def submit(share: Share) -> Any:
        parts = _parts(field, share.slices)
        return client.submit(block.look_at_block, job, parts, share.slices, pure=False)

    def collected(looked: block.Looked) -> Generator[Event, None, None]:
        session.clock.add(looked.seconds)
        for index, records in looked.records.items():
            session.note(index, records)
            yield progress()

    def progress() -> Progress:
        total = len(session.wanted)
        return Progress("checking on the cluster", total - len(session.todo), total, "slices")

    yield from iter_blocks(client, session.todo, submit, collected, progress)


def _without_pixels(field: Field) -> Field:
    """Where stacks lie and what they are, for whoever reads their pixels another way."""

    def bare(stack: SemStack) -> SemStack:
        empty = da.zeros(stack.shape, dtype=stack.dtype, chunks=stack.shape)
        return replace(stack, data=empty, paths=stack.paths[:1], provenance=None)

    return replace(
        field,
        lr=bare(field.lr),
        sr=bare(field.sr),
        hr=None if field.hr is None else bare(field.hr),
    )


def _parts(field: Field, slices: Sequence[int]) -> dict[Role, block.Part]:
    """What a block reads, and no more: its slices and those beside them."""
    kept = field.kept
    before, after = kept[: kept.index(slices[0])][-1:], kept[kept.index(slices[-1]) + 1 :][:1]
    first = max(0, min((slices[0] - 1, *before)))
    last = max((slices[-1], *after))
    offset = field.slices[0]
    stacks: dict[Role, Any] = {
        "lr": field.lr.data[offset + first : offset + last + 1],
        "sr": field.sr.data[first : last + 1],
    }
    if field.hr is not None:
        stacks["hr"] = field.hr.data[first : last + 1]
    return {role: block.Part(first, *optimize(data)) for role, data in stacks.items()}
