"""A block of slices as one worker of a cluster does it: everything here runs over there."""

import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask
import numpy.typing as npt
import torch

from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import InputError, ModelError, OutputError
from napari_sem_sr.events import SliceDone
from napari_sem_sr.inference.engine.devices import available_devices
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tile_calibration import REPAID_PIXELS, settled_tile
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.ledger import Ledger, slice_hash
from napari_sem_sr.inference.pipeline import Stopwatch, Tally, iter_slices
from napari_sem_sr.inference.settings import Stage
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.atomic_write import PARTIAL, translate_os_errors
from napari_sem_sr.io.zarr_layout import RESUMABLE
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.stack import SemStack

# Threads of one worker process share its device: a block at a time keeps one network and few slices in memory.
ONE_AT_A_TIME = threading.Lock()
_RUN = f".run{PARTIAL}"


@dataclass(frozen=True)
class ModelPlace:
    """A model as workers find it: on a disk that they share.

    Parameters
    ----------
    path
        Of the bundle.
    content_hash
        By which a worker knows that it has the same model.
    """

    path: Path
    content_hash: str


@dataclass(frozen=True, eq=False)
class UpscaleJob:
    """What all blocks of a run have in common; small, as it travels with each.

    Parameters
    ----------
    run
        Name of the run that may write at this time; see `claim`.
    work
        Folder of the output.
    first
        Index in the LR stack of the output's first slice.
    model
        Where workers find it.
    conditions
        Noise and blur of the stack.
    sharpness
        0 twin to 1 SRGAN.
    device
        Kind of device, settled for all workers.
    precision
        Settled for all workers.
    tile
        Side of a tile in LR pixels, settled for all workers.
    intensity
        Range of the stack.
    region
        ((y0, y1), (x0, x1)) in LR pixels, half open.
    """

    run: str
    work: Path
    first: int
    model: ModelPlace
    conditions: Conditions
    sharpness: float
    device: str
    precision: str
    tile: int
    intensity: IntensityRange
    region: Region


@dataclass(frozen=True, eq=False)
class BlockResult:
    """What became of the slices of a block; ``unusable`` gives reasons by index in the LR stack.

    Parameters
    ----------
    seconds
        From reading to disk, by index in the LR stack.
    outside
        Pixels beyond what the dtype can hold.
    stages
        Seconds by stage.
    deviation
        Largest difference from fp32, in parts of the intensity range.
    """

    seconds: Mapping[int, float]
    unusable: Mapping[int, str]
    outside: int
    stages: tuple[Stage, ...]
    deviation: float


def claim(work: Path, run: str) -> None:
    """Make ``run`` the only one whose workers may write to ``work``.

    A worker that was cut off from its scheduler goes on for a while and must not touch an output that
    someone has resumed since. Reopening the output alone, as a run without a cluster does, ends the claim.
    """
    with translate_os_errors(work, RESUMABLE):
        (work / _RUN).write_text(run)


def end_claim(work: Path) -> None:
    """Let no worker write to ``work`` any more."""
    (work / _RUN).unlink(missing_ok=True)


def holds_claim(work: Path, run: str) -> bool:
    """Whether ``run`` may still write to ``work``."""
    try:
        return (work / _RUN).read_text() == run
    except OSError:
        return False


def _check_claim(job: UpscaleJob) -> None:
    if not holds_claim(job.work, job.run):
        raise OutputError(f"'{job.work}' has been taken over by another run.")


def upscale_block(job: UpscaleJob, stack: SemStack, slices: Sequence[int]) -> BlockResult:
    """Upscale and write ``slices`` of the LR stack; those that are on disk already are left alone.

    Parameters
    ----------
    job
        What all blocks have in common.
    stack
        A part of the LR stack, from ``slices[0]`` on.
    """
    with ONE_AT_A_TIME, dask.config.set(scheduler="synchronous"):
        _check_sight(job, stack)
        torch.set_num_threads(threads())
        engine = _engine(
            job.model, job.conditions, job.sharpness, job.device, job.precision, job.tile
        )
        writer = ZarrStackWriter.reopen(job.work, shared=True)
        ledger = Ledger(job.work, f".{socket.gethostname()}-{os.getpid()}")
        lost = writer.lost_slices([z - job.first for z in slices])

        def claimed(rows: Iterable[npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
            for band in rows:
                _check_claim(job)
                yield band
            _check_claim(job)

        def write(z: int, lr: npt.NDArray[Any], rows: Iterable[npt.NDArray[Any]]) -> None:
            _check_claim(job)
            ledger.note(z, slice_hash(lr))
            writer.write_rows(z - job.first, claimed(rows))

        todo = [z for z in slices if z - job.first in lost]
        clock, tally = Stopwatch(), Tally(done=0, total=len(todo))
        events = iter_slices(
            lambda z: stack.slice(z - slices[0]),
            stack.dtype,
            todo,
            writer.n_slices,
            engine,
            job.intensity,
            job.region,
            write,
            tally,
            clock,
        )
        seconds = {e.slice: e.seconds for e in events if isinstance(e, SliceDone)}
    return BlockResult(
        seconds={z: seconds.get(z, 0.0) for z in slices if z not in tally.unusable},
        unusable=tally.unusable,
        outside=tally.outside,
        stages=clock.table(),
        deviation=engine.deviation,
    )


def choose(
    model: ModelPlace, device: str, precision: str, tile: int | None, pixels: int
) -> tuple[str, str, int, str]:
    """Settle every ``auto`` on a worker: device, precision, tile, and the version installed there.

    Parameters
    ----------
    model
        Where workers find it.
    device
        As for `upscale`.
    precision
        As for `upscale`.
    tile
        Side of a tile in LR pixels; None is automatic.
    pixels
        LR pixels of the whole run.
    """
    with ONE_AT_A_TIME:
        torch.set_num_threads(threads())
        engine = Engine(
            model_at(model).network("twin"), device=device, precision=precision, tile=tile
        )
        settled = engine.tile
        if tile is None and pixels >= REPAID_PIXELS:
            settled = settled_tile(engine)
    return engine.device.type, engine.precision, settled, version("napari-sem-sr")


def devices() -> tuple[str, ...]:
    """Kinds of device that a worker has."""
    return available_devices()


def threads() -> int:
    """Threads that this worker may use."""
    from distributed import get_worker

    return max(1, int(get_worker().state.nthreads))


def _check_sight(job: UpscaleJob, stack: SemStack) -> None:
    for path in (job.work, *stack.paths[:1]):
        if not path.exists():
            raise InputError(
                f"The worker on '{socket.gethostname()}' does not see '{path}'; input, output and model have "
                "to lie on a disk that all workers share."
            )


def model_at(place: ModelPlace) -> Model:
    """Load a model.

    Parameters
    ----------
    place
        Path, and the hash that it must have.

    Raises
    ------
    ModelError
        If it is not there, or another one is.
    """
    if not place.path.exists():
        raise ModelError(
            f"The worker on '{socket.gethostname()}' does not see the model '{place.path}'; put it on a disk "
            "that all workers share."
        )
    model = load_bundle(place.path)
    if model.content_hash != place.content_hash:
        raise ModelError(
            f"The worker on '{socket.gethostname()}' finds another model at '{place.path}'; give one that all "
            "workers share."
        )
    return model


@lru_cache(maxsize=1)
def _engine(
    place: ModelPlace,
    conditions: Conditions,
    sharpness: float,
    device: str,
    precision: str,
    tile: int,
) -> Engine:
    """Keep the engine of the last run, so that a worker loads its model once."""
    network = model_at(place).blended(sharpness, conditions)
    return Engine(network, device=device, precision=precision, tile=tile)
