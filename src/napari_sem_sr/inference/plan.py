"""What is to be done, settled before any pixel is computed: the same for one machine and a cluster."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import dask.array as da

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Notice, Remark, UpscaleStarted
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.inference.conditions import check_typed, settle_conditions
from napari_sem_sr.inference.engine.devices import available_devices
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tile_calibration import REPAID_PIXELS, settled_tile
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.inputs import Stamp, hash_of, iter_mended, stamps_of
from napari_sem_sr.inference.output import Destination, check_same
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import IntensityRange, measure_range
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.zarr_layout import spoken
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack


@dataclass(frozen=True)
class Choice:
    """What ``auto`` came to on the machine that computes; ``device`` is a kind, without a number.

    Parameters
    ----------
    precision
        Of the arithmetic.
    tile
        Side in LR pixels.
    """

    device: str
    precision: str
    tile: int


Chooser = Callable[[Model, UpscaleSettings, int], Choice]


@dataclass(frozen=True, eq=False)
class Plan:
    """An output that exists and what is missing in it.

    Parameters
    ----------
    model
        As it is under ``conditions``.
    destination
        Where the output lies, and where it is worked on.
    name
        Name of the SR stack.
    settings
        As asked for, with every ``auto`` settled.
    conditions
        Noise and blur of the stack, measured or typed.
    sharpness
        0 twin to 1 SRGAN.
    intensity
        Range of the stack.
    region
        ((y0, y1), (x0, x1)) in LR pixels, half open.
    provenance
        What the output says of its run.
    first
        Index in ``stack`` of the output's first slice.
    total
        Slices of the output.
    todo
        Indices in ``stack`` of the slices that are not done.
    finished
        The output was finished before; nothing is left to do.
    stamps
        State of the input's files before anything was read from them.
    """

    stack: SemStack
    model: Model
    destination: Destination
    name: str
    settings: UpscaleSettings
    conditions: Conditions
    sharpness: float
    intensity: IntensityRange
    region: Region
    provenance: Mapping[str, Any]
    first: int
    total: int
    todo: tuple[int, ...]
    finished: bool
    stamps: tuple[Stamp | None, ...]


def sr_stack(stack: SemStack, factor: int, settings: UpscaleSettings) -> SemStack:
    """Empty SR stack that covers what ``settings`` choose of ``stack``.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.

    Raises
    ------
    InputError
        If slices or region lie outside the stack.
    """
    part = stack.cropped(settings.slices, settings.region)
    z, y, x = part.shape
    shape = (z, factor * y, factor * x)
    data = da.zeros(shape, dtype=stack.dtype, chunks=(1, *shape[1:]))
    return part.upscaled(data, factor, name=f"{stack.name} SR", paths=())


def choose_here(model: Model, settings: UpscaleSettings, pixels: int) -> Choice:
    """Settle every ``auto`` on this machine, for a run over ``pixels`` LR pixels.

    Parameters
    ----------
    model
        The model that upscales.
    settings
        What is asked for.
    """
    engine = Engine(
        model.network("twin"),
        device=settings.device,
        precision=settings.precision,
        tile=settings.tile,
    )
    worth_measuring = settings.tile is None and pixels >= REPAID_PIXELS
    tile = settled_tile(engine) if worth_measuring else engine.tile
    return Choice(engine.device.type, engine.precision, tile)


@dataclass(frozen=True)
class Site:
    """Where the pixels are computed: who settles every ``auto`` there, and which devices there are.

    Parameters
    ----------
    choose
        Settles what is automatic for a run.
    devices
        Gives the names of the devices there.
    """

    choose: Chooser = choose_here
    devices: Callable[[], tuple[str, ...]] = available_devices


HERE = Site()


def iter_plan(
    stack: SemStack,
    destination: Destination,
    model: Model,
    settings: UpscaleSettings,
    *,
    resume: bool,
    overwrite: bool,
    site: Site = HERE,
) -> Generator[Event, None, Plan]:
    """Check everything that can be checked, then make or reopen the output, which is locked; see `iter_upscale`.

    Parameters
    ----------
    stack
        LR.
    destination
        Where the output goes.
    model
        The model that upscales.
    settings
        What is asked for.
    resume
        Whether to go on with what is there.
    overwrite
        Whether to replace what is there.
    site
        Where the pixels are computed.
    """
    # what makes no sense is refused before anything is touched
    model.blended(settings.sharpness or 0.0)
    check_typed(model, settings)
    factor = model.card.factor
    like = sr_stack(stack, factor, settings)
    destination.recover()
    recorded, finished = _existing(destination, resume=resume, overwrite=overwrite)
    stamps = stamps_of(stack)
    source_hash = yield from in_background(lambda: hash_of(stack), "recognising the input")
    if recorded is None:
        z, y, x = like.shape
        choice = yield from in_background(
            lambda: site.choose(model, settings, z * y * x // factor**2),
            "choosing precision and tile size for this machine",
        )
        measured = yield from in_background(
            lambda: measure_range(stack, settings.region), "measuring the intensity range"
        )
        intensity = measured.intensity
        if said := measured.sentence(stack.name):
            yield Notice(said)
    else:
        choice = _kept(settings, recorded, site, finished=finished)
        intensity = IntensityRange(*recorded["intensity_range"])
    conditions = yield from _iter_conditions(stack, model, settings, intensity, recorded)
    adapted = model.under(conditions)
    sharpness = adapted.default_sharpness if settings.sharpness is None else settings.sharpness
    first, end = settings.slices or (0, stack.shape[0])
    region = settings.region or ((0, stack.shape[1]), (0, stack.shape[2]))
    provenance = {
        "synthetic": True,
        "model": model.card.name,
        "model_hash": model.content_hash,
        "factor": factor,
        "source_name": stack.name,
        "source_hash": source_hash,
        "source_voxel_nm": list(stack.voxel_nm),
        "source_tilt_deg": stack.tilt_deg,
        "intensity_range": [intensity.low, intensity.high],
        "conditions": conditions.to_json() if model.is_conditioned else None,
        "sharpness": float(sharpness),
        "precision": choice.precision,
        "device": choice.device,
        "tile": choice.tile,
        "slices": [first, end],
        "region": [list(bounds) for bounds in region],
        "software_version": version("napari-sem-sr"),
    }
    if recorded is not None:
        recorded = yield from iter_mended(stack, destination.work, recorded, source_hash, first)
        check_same(recorded, provenance, destination.path)
    todo: tuple[int, ...] = ()
    if not finished:
        if overwrite:
            destination = destination.beside()
            destination.remove_work()
        writer = (
            ZarrStackWriter.create(destination.work, like=like, provenance=provenance)
            if recorded is None
            else ZarrStackWriter.reopen(destination.work)
        )
        done = writer.done_slices()
        todo = tuple(z for z in range(first, end) if z - first not in done)
        if writer.complete and todo:
            writer.forget(())
            gone = spoken([z - first for z in todo])
            yield Notice(f"Of '{destination.path}', {gone} went missing or cut off: made again.")
        yield UpscaleStarted(destination.work, len(done), end - first)
        if (stack.provenance or {}).get("synthetic"):
            yield Notice(
                f"'{stack.name}' is itself super-resolved: the model builds on detail that was made up."
            )
    return Plan(
        stack=stack,
        model=adapted,
        destination=destination,
        name=like.name,
        settings=replace(settings, precision=choice.precision, tile=choice.tile),
        conditions=conditions,
        sharpness=sharpness,
        intensity=intensity,
        region=region,
        provenance=provenance,
        first=first,
        total=end - first,
        todo=todo,
        finished=finished,
        stamps=stamps,
    )


def _iter_conditions(
    stack: SemStack,
    model: Model,
    settings: UpscaleSettings,
    intensity: IntensityRange,
    recorded: Mapping[str, Any] | None,
) -> Generator[Event, None, Conditions]:
    """Settle the conditions where the model asks for them, or keep those that an earlier run measured."""
    if not model.is_conditioned:
        return CLEAN
    if recorded is not None and settings.noise == "auto" and settings.blur == "auto":
        return Conditions.from_json(recorded.get("conditions"))
    found = yield from in_background(
        lambda: settle_conditions(stack, model, settings, intensity), "measuring noise and blur"
    )
    for notice in found.notices:
        yield Notice(notice)
    if recorded is None:
        yield Remark(f"Noise and blur of '{stack.name}': {found.sentence()}.")
    return found.conditions


def _existing(
    destination: Destination, *, resume: bool, overwrite: bool
) -> tuple[Mapping[str, Any] | None, bool]:
    """Provenance of what is to be continued (None: begin), and whether it is finished."""
    if resume and overwrite:
        raise OutputError("Give either resume or overwrite, not both.")
    if not destination.found():
        return None, False
    if overwrite:
        destination.check_replaceable()
        return None, False
    if resume:
        return destination.recorded()
    raise OutputError(
        f"'{destination.path}' exists already, finished or not; --resume it, --overwrite it, "
        "or give another name."
    )


def _kept(
    settings: UpscaleSettings, recorded: Mapping[str, Any], site: Site, *, finished: bool
) -> Choice:
    """Keep what an earlier run chose where this one leaves the choice."""
    device = settings.device.partition(":")[0]
    if device == "auto":
        there = () if finished else site.devices()
        device = recorded["device"] if finished or recorded["device"] in there else there[0]
    return Choice(
        device,
        recorded["precision"] if settings.precision == "auto" else settings.precision,
        settings.tile or recorded["tile"],
    )
