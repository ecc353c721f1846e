"""The commands of ``sem-sr`` as functions.

They take names and paths as well as objects, and keywords as the commands have options. What a person should read
goes to the logger ``napari_sem_sr``. To follow long work, cancel it or show it, use the generators of events behind
them: ``iter_upscale``, ``iter_train``, ``iter_check``. PyTorch is loaded by the first function that needs it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import LOG, drain
from napari_sem_sr.io import read_stack as open_stack
from napari_sem_sr.stack import SemStack, Triple
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.teachers.teacher import read_teachers as find_teachers

if TYPE_CHECKING:
    from napari_sem_sr.checking.report.document import Report
    from napari_sem_sr.inference.engine.tiling import Interval, Region
    from napari_sem_sr.inference.in_memory import LoadedModel
    from napari_sem_sr.inference.settings import UpscaleResult
    from napari_sem_sr.model.bundle import Model

Source = str | Path
Stack = Source | SemStack | npt.NDArray[Any]


def read_stack(
    source: Source | Sequence[Source],
    *,
    voxel_nm: Triple[float | None] | None = None,
    tilt_deg: float | None = None,
    without: Collection[int] = (),
    grey: bool = False,
    elsewhere: bool = False,
) -> SemStack:
    """Open an image or a stack of slices of any format; pixels stay in the files until they are asked for.

    Parameters
    ----------
    source
        A file, a folder of slices, a list of files, or an OME-Zarr.
    voxel_nm, tilt_deg
        Voxel size (z, y, x) in nm, None where the files' is right; angle between the beam and the face's normal.
    without
        Slices to leave out, counted from 0.
    grey
        Consent to converting colour photographs.
    elsewhere
        Also read pixels that a file keeps outside of its own folder; only where you trust it.

    Returns
    -------
    The stack, (z, y, x) in the file's dtype; ``numpy.asarray(stack)`` reads all of it.

    Raises
    ------
    InputError
        If it cannot be read as one grey stack.
    """
    stack = open_stack(
        source,
        voxel_nm=voxel_nm,
        tilt_deg=tilt_deg,
        without=without,
        grey=grey,
        elsewhere=elsewhere,
    )
    for notice in stack.notices:
        LOG.warning(notice)
    return stack


def read_teachers(
    sources: Source | Sequence[Source], *, grey: bool = False, keep_databar: bool = False
) -> list[Teacher]:
    """Read teacher images from files and folders; sizes may differ.

    Parameters
    ----------
    sources
        Image files (a multi-page file is a stack: one specimen) and folders of images.
    grey
        Consent to converting colour photographs.
    keep_databar
        Learn from what looks like a databar, too.

    Raises
    ------
    InputError
        If nothing readable is there.
    """
    several = [sources] if isinstance(sources, str | Path) else sources
    teachers, notices = find_teachers(several, grey=grey)
    for notice in notices:
        LOG.warning(notice)
    return [replace(t, databar=None) for t in teachers] if keep_databar else teachers


def load_model(model: "Source | Model") -> "LoadedModel":
    """Load a model by its name (``sem-sr models list``) or from a bundle.

    Its ``upscale`` takes an array and gives an array; its ``network`` is a plain torch module.

    Parameters
    ----------
    model
        Name of a bundled or installed model, path of a bundle, or a `Model`, which is given back as it is.

    Raises
    ------
    ModelError
        If there is no such model, or its bundle cannot be used.
    """
    from napari_sem_sr.inference.in_memory import LoadedModel
    from napari_sem_sr.model.bundle import Model
    from napari_sem_sr.model.zoo import load_model as find_model

    return LoadedModel.of(model if isinstance(model, Model) else find_model(model))


def upscale(
    lr: Stack,
    output: Source,
    model: "Source | Model",
    *,
    sharpness: float | None = None,
    slices: "Interval | None" = None,
    region: "Region | None" = None,
    device: str = "auto",
    precision: str = "auto",
    tile: int | None = None,
    noise: "float | Literal['auto', 'none']" = "auto",
    blur: "float | Literal['auto']" = "auto",
    scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> "UpscaleResult":
    """Upscale a stack into a file, slice by slice, in memory that does not grow with it.

    Parameters
    ----------
    lr
        The LR stack, (z, y, x) or (y, x).
    output
        ``*.zarr`` (OME-Zarr) or ``*.tif`` (OME-TIFF).
    model
        Name, bundle, or model.
    sharpness
        Between the twin (0) and the SRGAN (1); the card's default where None.
    slices
        (first, end) of the slices to upscale.
    region
        ((y0, y1), (x0, x1)) in LR pixels.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    precision
        ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    tile
        Width of a tile in LR pixels; None for one that suits the device.
    noise
        Standard deviation of LR's noise in its grey values at mid range, where it is not to be measured.
    blur
        Blur of LR in LR pixels beyond the averaging over a pixel, where it is not to be measured.
    scheduler
        Address of a Dask scheduler whose workers are to do it.
    resume
        Continue an interrupted run; a finished output is left as it is.
    overwrite
        Replace an existing output.

    Raises
    ------
    InputError, OutputError, ModelError
    """
    from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale

    settings = UpscaleSettings(
        sharpness=sharpness,
        device=device,
        precision=precision,
        tile=tile,
        slices=slices,
        region=region,
        noise=noise,
        blur=blur,
    )
    stack, loaded = _stack(lr), load_model(model)
    if scheduler is None:
        work = iter_upscale(stack, output, loaded, settings, resume=resume, overwrite=overwrite)
    else:
        from napari_sem_sr.inference.cluster import iter_upscale_on

        work = iter_upscale_on(
            scheduler, stack, output, loaded, settings, resume=resume, overwrite=overwrite
        )
    return drain(work)


def check(
    lr: Stack,
    sr: Stack,
    hr: Stack | None = None,
    *,
    out: Source,
    model: "Source | Model | None" = None,
    reference: Sequence[Source | Teacher] = (),
    register: bool = False,
    project: bool = False,
    without: Collection[int] = (),
    every: int = 1,
    scheduler: str | None = None,
    resume: bool = False,
) -> "Report":
    """Check what in an SR stack is supported by the measurement, and by HR where there is one.

    Parameters
    ----------
    lr
        The measured LR stack.
    sr
        Its SR stack, or that of a part of it.
    hr
        HR of the same field.
    out
        Folder for ``report.html``, ``report.json``, ``regions.csv`` and ``maps.zarr``.
    model
        The model that made SR; known from SR where it is installed.
    reference
        Teacher images of the same material, of other places.
    register
        Lay HR over LR by what its pixels show, instead of where its file puts it.
    project
        Also write SR made consistent with LR (``projected.zarr``).
    without
        Slices of LR that are not looked at.
    every
        A quick look at every so many slices; ``resume`` with a smaller number looks at the rest.
    scheduler
        Address of a Dask scheduler whose workers look at slices.
    resume
        Continue an interrupted check; a finished report is left as it is.

    Raises
    ------
    InputError, OutputError, ModelError
    """
    from napari_sem_sr.checking import iter_check
    from napari_sem_sr.checking.cluster import iter_check_on
    from napari_sem_sr.model.zoo import model_of

    made = _stack(sr)
    begin = iter_check if scheduler is None else partial(iter_check_on, scheduler)
    return drain(
        begin(
            _stack(lr),
            made,
            None if hr is None else _stack(hr),
            model=model_of(made.provenance) if model is None else load_model(model),
            reference=_teachers(reference) or None,
            out=out,
            register=register,
            project=project,
            without=without,
            every=every,
            resume=resume,
        )
    )


def train(
    teachers: Source | Sequence[Source | Teacher] = (),
    out: Source = "model",
    *,
    lr: Stack | None = None,
    pairs: Sequence[Source] = (),
    minutes: float | None = None,
    epochs: int | None = None,
    pixel_nm: float | None = None,
    start: "Source | Model | None" = "bundled",
    resume: bool = False,
    **recipe: Any,
) -> "LoadedModel":
    """Train a model from high-resolution teacher images alone.

    Databars are left out, teachers brought to scale and, where there is a stack, degraded to look like it; images of
    one specimen, and fields that overlap, are on one side of the split.

    Parameters
    ----------
    teachers
        Images, folders of images, or teachers.
    out
        Model to write: a folder, or a ``.semsr`` file.
    lr
        Stack that the model is for.
    pairs
        Folders of pairs made by ``sem-sr register``.
    minutes, epochs
        The budget; 30 minutes by default.
    pixel_nm
        Pixel size of the teachers, where files do not say it or are wrong.
    start
        Model to start from, which also gives factor and architecture; by default the bundled one of the factor where
        it fits; None to start from chance.
    resume
        Continue an interrupted training.
    **recipe
        Other fields of :class:`~napari_sem_sr.training.settings.TrainSettings`: ``factor``, ``seed``, ``device``, ...

    Raises
    ------
    InputError, OutputError, TrainingError
    """
    from napari_sem_sr.teachers.measured_pairs import read_pairs
    from napari_sem_sr.training.settings import TrainSettings
    from napari_sem_sr.training.trainer import iter_train

    given = [teachers] if isinstance(teachers, str | Path) else teachers
    whole = 30.0 if minutes is None and epochs is None else minutes
    work = iter_train(
        [*_teachers(given), *read_pairs([Path(p) for p in pairs])],
        TrainSettings(minutes=whole, epochs=epochs, **recipe),
        Path(out),
        lr=None if lr is None else _stack(lr),
        pixel_nm=pixel_nm,
        start=None if start is None else "bundled" if start == "bundled" else load_model(start),
        resume=resume,
    )
    return load_model(drain(work))


def _stack(given: Stack) -> SemStack:
    if isinstance(given, SemStack):
        return given
    if isinstance(given, str | Path):
        return read_stack(given)
    return SemStack.from_array(np.asarray(given), "array")


def _teachers(given: Sequence[Source | Teacher]) -> list[Teacher]:
    files = [g for g in given if not isinstance(g, Teacher)]
    # read together, as names of specimens depend on whether there are several folders
    return [*(g for g in given if isinstance(g, Teacher)), *(read_teachers(files) if files else ())]
