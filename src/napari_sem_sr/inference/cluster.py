"""The same run on a Dask cluster: blocks of slices go to workers, the output is the same, byte for byte.

The client plans and finishes, workers read, compute and write. What is done is what is on disk, so a worker
that dies costs the slices it had in hand, and a client that dies is started again with ``resume``.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from dask.base import optimize

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone
from napari_sem_sr.inference import block
from napari_sem_sr.inference.background import BEAT
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.pipeline import Stopwatch, Tally
from napari_sem_sr.inference.plan import Plan, iter_plan
from napari_sem_sr.inference.runner import DEFAULTS, iter_finish
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.inference.workers import (
    at_absolute_paths,
    connected,
    iter_wait_for_workers,
    place_of,
    site,
    translate_cluster_errors,
    workers,
)
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

# Slices of a task: few, as a worker that dies begins its block anew.
BLOCK = 4
# Tasks given out per worker: one in hand and one waiting.
AHEAD = 2
# Times that a block is given out; each time Dask itself tries several workers.
PATIENCE = 2


def iter_upscale_on(
    scheduler: str,
    stack: SemStack,
    output: str | Path,
    model: Model,
    settings: UpscaleSettings = DEFAULTS,
    *,
    resume: bool = False,
    overwrite: bool = False,
) -> Generator[Event, None, UpscaleResult]:
    """Upscale a stack into a file with the workers of a Dask scheduler; else as `iter_upscale`.

    Parameters
    ----------
    scheduler
        Address, ``tcp://host:8786``. Input, output and model have to lie on a disk that all workers share,
        under the same absolute paths, and the same version of this package has to be installed there.
    stack
        LR; its files have to be there for workers, too.
    output
        On a disk that all workers share.
    model
        The model that upscales.
    settings
        As for `iter_upscale`.
    resume
        As for `iter_upscale`.
    overwrite
        As for `iter_upscale`.

    Raises
    ------
    InputError
        If there is no scheduler, or its workers cannot do the work; else as `iter_upscale`.
    """
    clock = Stopwatch()
    stack = at_absolute_paths(stack)
    destination = Destination.of(Path(output).absolute(), stack)
    with connected(scheduler) as client:
        yield from iter_wait_for_workers(client, scheduler)
        with locked(destination.path):
            with translate_cluster_errors(scheduler, output):
                plan = yield from iter_plan(
                    stack,
                    destination,
                    model,
                    settings,
                    resume=resume,
                    overwrite=overwrite,
                    site=site(client, model),
                )
                tally = Tally(done=plan.total - len(plan.todo), total=plan.total)
                deviation = yield from _iter_blocks(client, plan, tally, clock)
            return (yield from iter_finish(plan, tally, clock, deviation))


@dataclass
class Share:
    """Slices that one task does, and how often it has been given out.

    Parameters
    ----------
    slices
        Neighbours, ascending.
    given
        How often; a slice that kills every worker is given up.
    """

    slices: tuple[int, ...]
    given: int = 0


def _iter_blocks(
    client: Any, plan: Plan, tally: Tally, clock: Stopwatch
) -> Generator[Event, None, float | None]:
    """Give out what is missing and collect what became of it; returns the deviation from fp32."""
    if not plan.todo:
        return None
    job = block.UpscaleJob(
        run=uuid4().hex,
        work=plan.destination.work,
        first=plan.first,
        model=place_of(plan.model),
        conditions=plan.conditions,
        sharpness=plan.sharpness,
        device=plan.provenance["device"],
        precision=plan.provenance["precision"],
        tile=plan.provenance["tile"],
        intensity=plan.intensity,
        region=plan.region,
    )
    block.claim(job.work, job.run)
    deviation = 0.0

    def collected(result: block.BlockResult) -> Generator[Event, None, None]:
        nonlocal deviation
        deviation = max(deviation, result.deviation)
        yield from _iter_collected(result, tally, clock)

    yield from iter_blocks(
        client,
        plan.todo,
        lambda share: _submit(client, job, plan.stack, share),
        collected,
        lambda: Progress("upscaling on the cluster", tally.done, tally.total, "slices"),
    )
    return deviation


def iter_blocks(
    client: Any,
    todo: tuple[int, ...],
    submit: Callable[["Share"], Any],
    collected: Callable[[Any], Generator[Event, None, None]],
    progress: Callable[[], Progress],
) -> Generator[Event, None, None]:
    """Give out slices in blocks, again where a worker dies, until all of them came back.

    Parameters
    ----------
    client
        As `connected` gives it.
    todo
        Numbers of the slices, ascending.
    submit
        Gives a block to the cluster; returns Dask's future.
    collected
        Takes what a block came to.
    progress
        What is said while nothing comes back.
    """
    from distributed import KilledWorker

    waiting = deque(shares(todo, workers(client)))
    pending: dict[Any, Share] = {}
    ended: SimpleQueue[Any] = SimpleQueue()
    try:
        while waiting or pending:
            while waiting and len(pending) < AHEAD * max(1, workers(client)):
                share = waiting.popleft()
                share.given += 1
                future = submit(share)
                pending[future] = share
                future.add_done_callback(ended.put)
            try:
                future = ended.get(timeout=BEAT)
            except Empty:
                yield progress()
                continue
            share = pending.pop(future)
            try:
                result = future.result()
            except KilledWorker as error:
                if share.given >= PATIENCE:
                    raise OutputError(
                        f"Workers die repeatedly on {_spoken(share)}; look at their logs (memory, "
                        "perhaps: try --tile), and run again with --resume."
                    ) from error
                yield Notice(f"Workers died; {_spoken(share)} will be done again.")
                waiting.appendleft(share)
                continue
            yield from collected(result)
    finally:
        client.cancel(list(pending))


def shares(todo: tuple[int, ...], n_workers: int) -> list[Share]:
    """Blocks of neighbouring slices, small enough that every worker gets some.

    Parameters
    ----------
    todo
        Numbers of the slices, ascending.
    n_workers
        How many there are.
    """
    size = max(1, min(BLOCK, len(todo) // (AHEAD * max(1, n_workers))))
    found: list[Share] = []
    for z in todo:
        last = found[-1].slices if found else ()
        if last and len(last) < size and z == last[-1] + 1:
            found[-1].slices = (*last, z)
        else:
            found.append(Share((z,)))
    return found


def _submit(client: Any, job: block.UpscaleJob, stack: SemStack, share: Share) -> Any:
    first, end = share.slices[0], share.slices[-1] + 1
    # only what the block reads: the graph of a whole stack would weigh more than the work
    (data,) = optimize(stack.data[first:end])
    part = replace(stack, data=data, paths=stack.paths[:1], provenance=None)
    return client.submit(block.upscale_block, job, part, share.slices, pure=False)


def _iter_collected(
    result: block.BlockResult, tally: Tally, clock: Stopwatch
) -> Generator[Event, None, None]:
    clock.add({stage.name: stage.seconds for stage in result.stages})
    tally.outside += result.outside
    for z, seconds in result.seconds.items():
        tally.done += 1
        tally.computed += 1
        yield SliceDone(z, tally.done, tally.total, seconds)
    for z, reason in result.unusable.items():
        tally.unusable[z] = reason
        yield Notice(f"Slice {z} {reason}; going on with the others.")


def _spoken(share: Share) -> str:
    first, last = share.slices[0], share.slices[-1]
    return f"slice {first}" if first == last else f"slices {first} to {last}"
