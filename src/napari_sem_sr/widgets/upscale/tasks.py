"""What the Upscale dock asks of the core, as generators of events; torch is loaded in their thread."""

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import zarr
from safetensors.numpy import load

from napari_sem_sr.checking.evidence.expected_gain import ExpectedGain
from napari_sem_sr.errors import InputError, ModelError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.loading import preload_torch
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.inference.runs.recorded import RecordedRun, iter_recognised
from napari_sem_sr.inference.settings import UpscaleResult, UpscaleSettings
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.zarr_layout import KEY, done_slices
from napari_sem_sr.model.parts import CALIBRATION, read_parts
from napari_sem_sr.model.zoo import Entry, entry_of
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari_sem_sr.checking.outlook import Foreseen
    from napari_sem_sr.inference.live import LiveView
    from napari_sem_sr.model.bundle import Model

Events = Generator[Event, None, Any]


@dataclass
class Memory:
    """What is worth keeping between two previews."""

    model: "tuple[Path, Model] | None" = None
    ranges: "WeakKeyDictionary[SemStack, IntensityRange]" = field(default_factory=WeakKeyDictionary)


def iter_model(memory: Memory, path: Path) -> "Generator[Event, None, Model]":
    """Load a model unless it is the one loaded last."""
    yield Progress(tr("loading the model"), 0, 1, "step")
    if memory.model is None or memory.model[0] != path:
        preload_torch()
        from napari_sem_sr.model.zoo import load_model

        memory.model = (path, load_model(path))
    return memory.model[1]


def _iter_range(memory: Memory, stack: SemStack) -> "Generator[Event, None, IntensityRange]":
    """Measure the range of a stack unless that was done before."""
    if stack not in memory.ranges:
        yield Progress(tr("measuring the intensity range"), 0, 1, "step")
        memory.ranges[stack] = stack_range(stack)
    return memory.ranges[stack]


def iter_preview(
    memory: Memory, stack: SemStack, model_path: Path, settings: UpscaleSettings, index: int
) -> Generator[Event, None, tuple[SemStack, int]]:
    """Upscale one slice in memory; the same pixels as the full run. Returns the SR stack and the index."""
    model = yield from iter_model(memory, model_path)
    within = yield from _iter_range(memory, stack)
    from napari_sem_sr.inference.conditions import settle_conditions
    from napari_sem_sr.inference.engine.engine import Engine

    conditions = settle_conditions(stack, model, settings, within).conditions
    model = model.under(conditions)
    sharpness = model.default_sharpness if settings.sharpness is None else settings.sharpness
    engine = Engine(
        model.blended(sharpness),
        device=settings.device,
        precision=settings.precision,
        tile=settings.tile,
    )
    lr = stack.slice(index)
    result = yield from engine.iter_slice(lr, within, stack.dtype, settings.region, index)
    part = stack.cropped((index, index + 1), settings.region)
    sr = SemStack.from_array(result.image, name=f"{stack.name} SR").data
    provenance = {
        "synthetic": True,
        "model": model.card.name,
        "model_hash": model.content_hash,
        "conditions": conditions.to_json(),
        "sharpness": sharpness,
    }
    return part.upscaled(sr, model.card.factor, paths=(), provenance=provenance), index


def iter_expected(
    memory: Memory, stack: SemStack, entry: Entry, settings: UpscaleSettings
) -> "Generator[Event, None, Foreseen | None]":
    """Foresee the gain over bicubic; nothing is loaded of a model that was not calibrated for it."""
    if ExpectedGain.of(load(read_parts(entry.path)[CALIBRATION])) is None:
        return None
    model = yield from iter_model(memory, entry.path)
    within = yield from _iter_range(memory, stack)
    from napari_sem_sr.checking.foreseen import iter_foreseen

    return (yield from iter_foreseen(stack, model, settings, within))


class LiveSource:
    """What one stack looks like in SR, wherever someone looks; made in one thread and asked from another.

    Parameters
    ----------
    settings
        Sharpness, device and precision.
    """

    def __init__(
        self, memory: Memory, stack: SemStack, model_path: Path, settings: UpscaleSettings
    ) -> None:
        self._memory = memory
        self._stack = stack
        self._model_path = model_path
        self._settings = settings
        self._view: LiveView | None = None

    def drop(self) -> None:
        """End what is being computed at its next step."""
        if self._view is not None:
            self._view.cancel()

    def iter_tiles(
        self, index: int, region: Region, sharpness: float | None
    ) -> Generator[Event, None, None]:
        """Yield `LiveTile` for what is visible; see `LiveView.request`."""
        if self._view is None:
            model = yield from iter_model(self._memory, self._model_path)
            from napari_sem_sr.inference.live import LiveView

            self._view = LiveView(self._stack, model, self._settings)
        yield from self._view.request(index, region, sharpness)


def iter_run(
    memory: Memory,
    stack: SemStack,
    output: Path,
    model_path: Path,
    settings: UpscaleSettings,
    *,
    resume: bool,
    overwrite: bool,
    check: bool,
) -> Generator[Event, None, UpscaleResult]:
    """Upscale into a file, and with ``check`` check every slice as soon as it is there."""
    model = yield from iter_model(memory, model_path)
    if check:
        from napari_sem_sr.checking.alongside import iter_upscale_and_check

        result, _ = yield from iter_upscale_and_check(
            stack,
            output,
            model,
            settings,
            out=output.with_name(f"{output.stem}_check"),
            resume=not overwrite,
            overwrite=overwrite,
        )
        return result
    from napari_sem_sr.inference.runner import iter_upscale

    return (
        yield from iter_upscale(stack, output, model, settings, resume=resume, overwrite=overwrite)
    )


@dataclass(frozen=True)
class Existing:
    """What lies at an output's place: ``done`` of ``total`` slices, ``ours`` or something else."""

    ours: bool
    complete: bool
    done: int
    total: int
    recorded: RecordedRun | None = None
    """The run that made it, where it says."""


def look_at(output: Path, stack: SemStack) -> Existing | None:
    """Say what lies at the place of an output, without changing it; None where nothing does.

    Raises
    ------
    OutputError
        If nothing can be written there.
    """
    destination = Destination.of(output, stack)
    if not destination.found():
        return None
    try:
        if destination.work.exists():
            group: Any = zarr.open_group(destination.work, mode="r")
            mark: Any = group.attrs[KEY]
            total = int(group["0"].shape[0])
            done = len(done_slices(destination.work, total))
            whole = bool(mark["complete"]) and done == total
            return Existing(
                ours=True,
                complete=whole and not destination.is_tiff,
                done=done,
                total=total,
                recorded=RecordedRun.of(mark),
            )
        there = read_stack(destination.path)
    except (OSError, KeyError, TypeError, ValueError, InputError):
        return Existing(ours=False, complete=False, done=0, total=0)
    total = there.shape[0]
    known = RecordedRun.of(there.provenance)
    return Existing(
        there.provenance is not None, complete=True, done=total, total=total, recorded=known
    )


def iter_open(
    stack: SemStack, output: Path, recorded: RecordedRun
) -> Generator[Event, None, UpscaleSettings]:
    """Make sure that a result was made of a stack; returns which part of the stack it covers.

    Raises
    ------
    InputError
        If it was made of another one.
    """
    found = yield from iter_recognised(stack, recorded, output)
    return found.settings()


def model_of_run(recorded: RecordedRun) -> Entry:
    """The installed model that a run was begun with.

    Raises
    ------
    ModelError
        If it is not installed, or is another one by now.
    """
    entry = entry_of({"model": recorded.model, "model_hash": recorded.model_hash})
    if entry is None:
        raise ModelError(
            tr(
                "This was started with '{model}', which is not installed here, or has been retrained since: install it with +, or choose another place for the result.",
                model=recorded.model,
            )
        )
    return entry


def iter_import(file: Path) -> Generator[Event, None, Any]:
    """Install a model."""
    yield Progress(tr("installing the model"), 0, 1, "step")
    from napari_sem_sr.model.zoo import import_model

    return import_model(file)
