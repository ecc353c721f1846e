"""The same run on a Dask cluster: blocks of slices go to workers, the output is the same, byte for byte.

The client plans and finishes, workers read, compute and write. What is done is what is on disk, so a worker
that dies costs the slices it had in hand, and a client that dies is started again with ``resume``.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from dask.base import optimize

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Notice, Progress, SliceDone
from napari_sem_sr.inference import block
from napari_sem_sr.inference.background import BEAT
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.pipeline import Stopwatch, Tally
from napari_sem_sr.inference.plan import Choice, Plan, Site, iter_plan
from napari_sem_sr.inference.runner import DEFAULTS, iter_finish
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

# Slices of a task: few, as a worker that dies begins its block anew.
BLOCK = 4
# Tasks given out per worker: one in hand and one waiting.
AHEAD = 2
# Times that a block is given out; each time Dask itself tries several workers.
PATIENCE = 2
CONNECT_SECONDS = 20


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


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of a scheduler.

    Raises
    ------
    InputError
        If none answers, or Dask's scheduler is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "Running on a cluster needs Dask's scheduler; install napari-sem-sr[cluster]."
        ) from error
    # a client that was made without them waits for long, and leaves a traceback behind
    certificates = distributed.Security().get_connection_args("client")["ssl_context"]
    if scheduler.startswith("tls://") and certificates is None:
        raise InputError(
            f"The scheduler at '{scheduler}' wants certificates; name them in Dask's configuration "
            "(distributed.comm.tls)."
        )
    try:
        # not the default client: what this process reads itself must not go to the cluster
        client: Any = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # addresses are refused in many ways
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"No Dask scheduler answers at '{scheduler}' ({said.rstrip('.')}); start one with 'dask scheduler' and "
            "give the address it prints."
        ) from error
    try:
        yield client
    finally:
        client.close()


def iter_wait_for_workers(client: Any, scheduler: str) -> Generator[Event, None, None]:
    """Wait until there is a worker, and say so once."""
    told = False
    while not workers(client):
        if not told:
            yield Notice(f"Waiting for workers of '{scheduler}'.")
            told = True
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=BEAT)
        yield Progress("waiting for workers", 0, 1, "step")


def workers(client: Any) -> int:
    """How many workers there are at this moment."""
    return len(client.scheduler_info(n_workers=-1)["workers"])


def site(client: Any, model: Model) -> Site:
    """Let a worker settle what is automatic, as this machine may have no GPU at all."""

    def choose(model: Model, settings: UpscaleSettings, pixels: int) -> Choice:
        device, precision, tile, installed = client.submit(
            block.choose,
            place_of(model),
            settings.device,
            settings.precision,
            settings.tile,
            pixels,
            pure=False,
        ).result()
        if installed != version("napari-sem-sr"):
            raise InputError(
                f"The workers have napari-sem-sr {installed}, this machine has {version('napari-sem-sr')}; "
                "install the same version everywhere."
            )
        return Choice(device, precision, tile)

    def devices() -> tuple[str, ...]:
        there: tuple[str, ...] = client.submit(block.devices, pure=False).result()
        return there

    return Site(choose, devices)


def place_of(model: Model) -> block.ModelPlace:
    """Where workers find a model."""
    return block.ModelPlace(model.path.absolute(), model.content_hash)


def at_absolute_paths(stack: SemStack) -> SemStack:
    """A stack that is the same whatever folder a worker runs in."""
    return replace(stack, paths=tuple(path.absolute() for path in stack.paths))


@contextlib.contextmanager
def translate_cluster_errors(scheduler: str, output: str | Path) -> Iterator[None]:
    """Say in one sentence what a cluster does not get done."""
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (FutureCancelledError, CommClosedError) as error:
        raise OutputError(
            f"The Dask scheduler at '{scheduler}' went away; finished slices of '{output}' are kept, "
            "run again with --resume."
        ) from error
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "deserializ" not in str(error):
            raise
        raise InputError(
            f"The workers of '{scheduler}' cannot run napari-sem-sr ({error}); install the same version there."
        ) from error


@dataclass
class Share:
    """Slices that one task does, and how often it has been given out."""

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
                        f"Workers die again and again over {_spoken(share)}; look into their logs (memory, "
                        "perhaps: try --tile), and run again with --resume."
                    ) from error
                yield Notice(f"Workers died; {_spoken(share)} will be done again.")
                waiting.appendleft(share)
                continue
            yield from collected(result)
    finally:
        client.cancel(list(pending))


def shares(todo: tuple[int, ...], n_workers: int) -> list[Share]:
    """Blocks of neighbouring slices, small enough that every worker gets some."""
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
