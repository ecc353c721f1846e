"""An isotropic volume from a stack: learned from its own slices, tested on slices left out, resumable."""

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch

from napari_sem_sr.axial.bundle import AxialModel, Companion, load_axial_model, save_axial_model
from napari_sem_sr.axial.fill.volume import iter_volume
from napari_sem_sr.axial.learn.networks import iter_teach, model_of
from napari_sem_sr.axial.learn.session import Lesson
from napari_sem_sr.axial.left_out.comparison import LeftOut, iter_left_out
from napari_sem_sr.axial.left_out.files import write_left_out
from napari_sem_sr.axial.left_out.outcome import UNTESTED, spoken
from napari_sem_sr.axial.plan import IsotropicPlan, iter_plan_isotropic
from napari_sem_sr.axial.settings import IsotropicResult, IsotropicSettings
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, LeftOutScored, Notice, UpscaleStarted, drain
from napari_sem_sr.inference.output import Destination
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.lock import locked
from napari_sem_sr.io.write.volume import ZarrVolumeWriter
from napari_sem_sr.io.zarr_layout import spoken as named
from napari_sem_sr.stack import SemStack


def isotropic(
    stack: SemStack | str | Path,
    output: str | Path,
    *,
    model: AxialModel | str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    **settings: Any,
) -> IsotropicResult:
    """Make an isotropic volume of a stack; see :func:`iter_isotropic`.

    Parameters
    ----------
    stack
        The stack, or the path of its file or folder.
    output
        ``*.zarr``, ``*.tif`` or ``*.tiff``.
    model
        An axial model learned before, or its path, or that of a volume made with it; None to learn from the stack.
    resume, overwrite
        Go on with, or replace, what is there.
    **settings
        Those of :class:`~napari_sem_sr.axial.settings.IsotropicSettings`: ``minutes``, ``leave_out`` and so on.
    """
    if not isinstance(stack, SemStack):
        stack = read_stack(stack)
    if model is not None and not isinstance(model, AxialModel):
        model = load_axial_model(model)
    chosen = IsotropicSettings(**settings)
    return drain(
        iter_isotropic(stack, output, chosen, model=model, resume=resume, overwrite=overwrite)
    )


def iter_isotropic(
    stack: SemStack,
    output: str | Path,
    settings: IsotropicSettings | None = None,
    *,
    model: AxialModel | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Generator[Event, None, IsotropicResult]:
    """Fill in what lies between the slices of a stack, so that its voxels are cubes.

    A network learns how rows of the stack's own slices continue between every r-th of them, both ways, and fills in
    the xz and the yz planes, whose mean is the volume (isotropic reconstruction from lateral planes: Weigert et al.
    2017, MICCAI; Heinrich et al. 2017, MICCAI). Measured slices are kept as they are: slice k is output slice
    ``rint(k * ratio)``. Before that, a network that has seen every second slice only predicts the others; how it
    compares with interpolation is in the output's provenance.

    Closing the generator, a kill or a full disk leave a state that ``resume`` continues; once the networks have been
    learned, what the output then holds is the same, byte for byte, as if it had run through.

    Parameters
    ----------
    stack
        Slices (z, y, x) of known voxel size, 1.5 to 12 pixels apart.
    output
        ``*.zarr`` (OME-Zarr, levels halved in z, y and x), ``*.tif`` or ``*.tiff``. The model, the curve and the map
        of the test lie beside it in ``<output without suffix>.axial``.
    settings
        Budget and test.
    model
        Learned before; None to learn from the stack itself.
    resume, overwrite
        Go on with, or replace, what is there.

    Yields
    ------
    `Progress`, `Notice`, `StageStarted`, `StepDone`, `CheckpointSaved`, `LeftOutScored`, `UpscaleStarted`, `SliceDone`.

    Raises
    ------
    InputError
        If no isotropic volume can be made of the stack, saying why.
    ModelError
        If the axial model does not fit.
    OutputError
        If the output cannot be written there, or belongs to another run.
    """
    destination = Destination.of(output, stack)
    with locked(destination.path):
        return (
            yield from _iter_locked(
                stack,
                destination,
                settings or IsotropicSettings(),
                model,
                resume=resume,
                overwrite=overwrite,
            )
        )


def _iter_locked(
    stack: SemStack,
    destination: Destination,
    settings: IsotropicSettings,
    model: AxialModel | None,
    *,
    resume: bool,
    overwrite: bool,
) -> Generator[Event, None, IsotropicResult]:
    begun = time.perf_counter()
    plan = yield from iter_plan_isotropic(
        stack, destination, settings, model, resume=resume, overwrite=overwrite
    )
    made = 0
    if not plan.finished:
        learned = yield from _iter_learned(plan, model)
        made = yield from _iter_filled(plan, learned)
        yield from plan.destination.iter_assemble(plan.like.name)
        plan.companion.settle(Companion.of(destination.path))
    recorded = destination.there()[0]
    left_out = recorded["left_out"]
    return IsotropicResult(
        output=destination.path,
        total=plan.grid.n_output,
        computed=made,
        left_out=left_out,
        sentence=spoken(left_out) if left_out else UNTESTED,
        seconds=time.perf_counter() - begun,
        provenance=recorded,
    )


def _iter_learned(
    plan: IsotropicPlan, given: AxialModel | None
) -> Generator[Event, None, AxialModel]:
    """Both networks, and the test between them; from the output's own model where an earlier run came that far."""
    known = plan.recorded["model_hash"]
    if known is not None:
        kept = given or load_axial_model(plan.companion.model)
        if kept.content_hash != known:
            raise OutputError(
                f"The model in '{plan.companion.folder}' is not the one that '{plan.destination.path}' was started with; "
                "--overwrite the output or give another name."
            )
        return kept
    writer = ZarrVolumeWriter.reopen(plan.destination.work)
    lesson = Lesson.reopen(plan.companion.learning)
    if given is None:
        tested = bool(plan.settings.leave_out) and (yield from iter_teach(plan, "test", lesson))
        test = model_of(plan, lesson) if tested else None
    else:
        test = given if given.card.leave_out == plan.settings.leave_out else None
        if plan.settings.leave_out and (test is None or "test" not in given.weights):
            test = None
            yield Notice(
                "The axial model brings no network for this test, so the volume is not tested."
            )
    left_out = None
    if test is not None and "test" in test.weights and plan.settings.leave_out:
        found = yield from _iter_tested(plan, test)
        write_left_out(plan.companion.folder, found)
        left_out = found.summary()
        yield LeftOutScored(**left_out)
        yield Notice(spoken(left_out))
    if given is None:
        yield from iter_teach(plan, "volume", lesson)
        learned = model_of(plan, lesson)
    else:
        learned = given
    save_axial_model(plan.companion.model, learned)
    writer.amend({"left_out": left_out, "model_hash": learned.content_hash})
    lesson.remove()
    return learned


def _iter_tested(plan: IsotropicPlan, model: AxialModel) -> Generator[Event, None, LeftOut]:
    device = torch.device(plan.settings.device)
    return (
        yield from iter_left_out(
            plan.stack.slice,
            plan.stack.dtype,
            plan.intensity,
            plan.stack.shape[0],
            plan.settings.leave_out,
            model.network("test").to(device),
            device,
        )
    )


def _iter_filled(plan: IsotropicPlan, model: AxialModel) -> Generator[Event, None, int]:
    writer = ZarrVolumeWriter.reopen(plan.destination.work)
    if writer.complete and (lost := writer.lost_slices()):
        writer.forget(lost)
        yield Notice(f"What went missing or is cut off is made again: {named(lost)}.")
    done = writer.done_slices()
    device = torch.device(plan.settings.device)
    yield UpscaleStarted(plan.destination.work, len(done), plan.grid.n_output)
    made = yield from iter_volume(
        plan.stack.slice,
        plan.stack.dtype,
        (plan.stack.shape[1], plan.stack.shape[2]),
        plan.grid,
        plan.intensity,
        model.network("volume").to(device),
        device,
        done,
        writer.write_slice,
    )
    writer.finish()
    return made
