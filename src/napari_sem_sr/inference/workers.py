"""Workers of a Dask cluster: how one gets to them, and what is settled over there."""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.inference import block
from napari_sem_sr.inference.background import BEAT
from napari_sem_sr.inference.plan import Choice, Site
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

CONNECT_SECONDS = 20


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of a scheduler.

    Parameters
    ----------
    scheduler
        Its address, as ``tcp://host:8786``.

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
            f"The scheduler at '{scheduler}' requires certificates; name them in Dask's configuration "
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
    """Wait until there is a worker, and say so once.

    Parameters
    ----------
    client
        As `connected` gives it.
    scheduler
        Its address, to name it.
    """
    told = False
    while not workers(client):
        if not told:
            yield Notice(f"Waiting for workers of '{scheduler}'.")
            told = True
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=BEAT)
        yield Progress("waiting for workers", 0, 1, "step")


def workers(client: Any) -> int:
    """How many workers there are at this moment.

    Parameters
    ----------
    client
        As `connected` gives it.
    """
    return len(client.scheduler_info(n_workers=-1)["workers"])


def site(client: Any, model: Model) -> Site:
    """Let a worker settle what is automatic, as this machine may have no GPU at all.

    Parameters
    ----------
    client
        As `connected` gives it.
    model
        The model that upscales.
    """

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
    """Where workers find a model.

    Parameters
    ----------
    model
        One that lies on a disk.
    """
    return block.ModelPlace(model.path.absolute(), model.content_hash)


def at_absolute_paths(stack: SemStack) -> SemStack:
    """A stack that is the same whatever folder a worker runs in.

    Parameters
    ----------
    stack
        Read from files.
    """
    return replace(stack, paths=tuple(path.absolute() for path in stack.paths))


@contextlib.contextmanager
def translate_cluster_errors(scheduler: str, output: str | Path) -> Iterator[None]:
    """Say in one sentence what a cluster does not get done.

    Parameters
    ----------
    scheduler
        Its address, to name it.
    output
        Path of the output, to name it.
    """
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        yield
    except (FutureCancelledError, CommClosedError) as error:
        raise OutputError(
            f"The Dask scheduler at '{scheduler}' was lost; finished slices of '{output}' are kept, "
            "run again with --resume."
        ) from error
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "deserializ" not in str(error):
            raise
        raise InputError(
            f"The workers of '{scheduler}' cannot run napari-sem-sr ({error}); install the same version there."
        ) from error
