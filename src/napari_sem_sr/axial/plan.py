"""What is to be done, settled before anything is learned."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import dask.array as da

from napari_sem_sr.axial.bundle import AxialModel, Companion
from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.patch_sampler import rows_of_patches
from napari_sem_sr.axial.premise import compare_directions
from napari_sem_sr.axial.settings import IsotropicSettings
from napari_sem_sr.axial.steady import iter_steady
from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.inference.engine.devices import available_devices, pick_device
from napari_sem_sr.inference.output import Destination, check_same
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.io.write.volume import ZarrVolumeWriter
from napari_sem_sr.stack import SemStack

# Fewer slices leave nothing to learn whether the result is any good.
FEWEST_SLICES = 5
# What is found out on the way, and not asked for.
FOUND = ("left_out", "model_hash")


@dataclass(frozen=True, eq=False)
class IsotropicPlan:
    """An output that exists, and what it is to hold.

    Parameters
    ----------
    stack
        The measured slices, laid over each other.
    like
        Shape, place and name of the volume; no pixels.
    grid
        Where the slices of the volume lie.
    settings
        What was asked for.
    intensity
        Range of the stack.
    destination
        Where the volume lies, and where it is worked on.
    companion
        Folder beside it.
    recorded
        Provenance of the output as it is now.
    finished
        The output was finished before; nothing is left to do.
    """

    stack: SemStack
    like: SemStack
    grid: AxialGrid
    settings: IsotropicSettings
    intensity: IntensityRange
    destination: Destination
    companion: Companion
    recorded: Mapping[str, Any]
    finished: bool


def isotropic_stack(stack: SemStack, grid: AxialGrid) -> SemStack:
    """Empty volume with isotropic voxels from the first measured slice to the last.

    Parameters
    ----------
    stack
        The slices.
    grid
        Where the slices of the volume lie.
    """
    _, y, x = stack.voxel_nm
    shape = (grid.n_output, *stack.shape[1:])
    data = da.zeros(shape, dtype=stack.dtype, chunks=(1, *shape[1:]))
    thickness = stack.voxel_nm[0]
    assert thickness is not None
    return replace(
        stack,
        data=data,
        name=f"{stack.name} isotropic",
        voxel_nm=(thickness / grid.ratio, y, x),
        paths=(),
    )


def iter_plan_isotropic(
    stack: SemStack,
    destination: Destination,
    settings: IsotropicSettings,
    model: AxialModel | None,
    *,
    resume: bool,
    overwrite: bool,
) -> Generator[Event, None, IsotropicPlan]:
    """Check everything that can be checked, then make or reopen the output, which is locked; see `iter_isotropic`.

    Parameters
    ----------
    stack
        The slices.
    destination
        Where the volume goes.
    settings
        What is asked for.
    model
        Learned before; None to learn one.
    resume
        Whether to go on with what is there.
    overwrite
        Whether to replace what is there.
    """
    grid = AxialGrid.of(stack)
    if stack.shape[0] < FEWEST_SLICES:
        raise InputError(
            f"'{stack.name}' has {stack.shape[0]} slices; an isotropic volume needs at least {FEWEST_SLICES}."
        )
    if model is not None:
        model.check_fits(grid)
    destination.recover()
    recorded, finished = _existing(destination, resume=resume, overwrite=overwrite)
    if overwrite:
        destination = destination.beside()
    companion = Companion.of(destination.work)
    device = _device(settings.device, recorded)
    source_hash = yield from in_background(lambda: stack.content_hash, "recognising the input")
    steadied = yield from iter_steady(stack)
    part = steadied.stack
    if model is None:
        rows_of_patches(min(part.shape[1:]), grid.ratio, settings.section)
    intensity = yield from in_background(lambda: stack_range(part), "measuring the intensity range")
    premise = yield from in_background(
        lambda: compare_directions(part.slice, part.shape[0], grid.ratio),
        "comparing depth with the slices",
    )
    if premise is not None and premise.warning:
        yield Notice(premise.warning)
    wanted = {
        "synthetic": True,
        "synthetic_axis": "z",
        "kind": "isotropic",
        "ratio": grid.ratio,
        "measured_slices": f"slice k is output slice rint(k * {grid.ratio:g}), as measured",
        "section": settings.section,
        "source_name": stack.name,
        "source_hash": source_hash,
        "source_voxel_nm": list(stack.voxel_nm),
        "source_synthetic": bool((stack.provenance or {}).get("synthetic")),
        "undone": steadied.undone,
        "intensity_range": [intensity.low, intensity.high],
        "minutes": None if settings.steps or model else settings.minutes,
        "steps": None if model else settings.steps,
        "leave_out": settings.leave_out,
        "seed": settings.seed,
        "given_model": None if model is None else model.content_hash,
        "premise": None if premise is None else premise.numbers(),
        "device": device,
        "software_version": version("napari-sem-sr"),
    }
    like = isotropic_stack(part, grid)
    if recorded is None:
        if overwrite:
            destination.remove_work()
        companion.make()
        recorded = {**wanted, **dict.fromkeys(FOUND)}
        ZarrVolumeWriter.create(destination.work, like=like, provenance=recorded)
    else:
        check_same({k: v for k, v in recorded.items() if k not in FOUND}, wanted, destination.path)
    return IsotropicPlan(
        part,
        like,
        grid,
        replace(settings, device=device),
        intensity,
        destination,
        companion,
        recorded,
        finished,
    )


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
        recorded, finished = destination.there()
        if recorded.get("kind") != "isotropic":
            raise OutputError(
                f"'{destination.path}' is not an isotropic volume; choose another name for the output."
            )
        return recorded, finished
    raise OutputError(
        f"'{destination.path}' exists already, finished or not; --resume it, --overwrite it, "
        "or give another name."
    )


def _device(asked: str, recorded: Mapping[str, Any] | None) -> str:
    """Kind of device: the one asked for, or that of an earlier run where it is here."""
    if asked == "auto" and recorded is not None and recorded["device"] in available_devices():
        return str(recorded["device"])
    return pick_device(asked).type
