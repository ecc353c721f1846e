"""What long work reports while it runs.

Long work is a generator of these events whose return value is the result: ``iter_upscale`` and its
kin. :func:`drain` runs such a generator to its end for callers who want only the result. Closing
the generator cancels the work and leaves a state that can be resumed.
"""

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Result = TypeVar("Result")

LOG = logging.getLogger("napari_sem_sr")


@dataclass(frozen=True)
class Event:
    """Something that happened during long work."""


@dataclass(frozen=True)
class Notice(Event):
    """One sentence a person should read; the work goes on.

    Parameters
    ----------
    message
        A whole sentence, for a person.
    """

    message: str


@dataclass(frozen=True)
class Remark(Notice):
    """A sentence that is worth knowing and warns of nothing."""


@dataclass(frozen=True)
class Progress(Event):
    """``done`` of ``total`` ``unit`` of the step called ``what``."""

    what: str
    done: int
    total: int
    unit: str


@dataclass(frozen=True)
class TileDone(Event):
    """A tile of slice ``slice`` has been computed (not yet written).

    Parameters
    ----------
    done
        Tiles of this slice that are computed.
    total
        Tiles of this slice.
    """

    slice: int
    done: int
    total: int


@dataclass(frozen=True)
class UpscaleStarted(Event):
    """The output exists and can be opened; ``already_done`` of ``total`` slices were found in it.

    Parameters
    ----------
    output
        Folder or file that the slices go to.
    """

    output: Path
    already_done: int
    total: int


@dataclass(frozen=True)
class SliceDone(Event):
    """Slice ``slice`` (index in the input stack) is on disk; ``done`` of ``total`` are.

    ``seconds`` is its share of the time from reading its batch to having it on disk.
    """

    slice: int
    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class StageStarted(Event):
    """Training enters ``stage`` ("twin" or "gan"), planned for ``epochs`` epochs of ``steps_per_epoch``.

    Where the budget is in minutes, ``epochs`` is 0. ``part`` names the part of the training where there are
    several, as when each specimen is left out once.
    """

    stage: str
    epochs: int
    steps_per_epoch: int
    part: str = ""


@dataclass(frozen=True)
class StepDone(Event):
    """One optimiser step: ``done`` (0 to 1) of the stage's budget, ``pixels`` HR pixels shown so far.

    ``epochs`` is how many the stage has, estimated where the budget is in minutes; ``seconds`` is what the whole
    training took so far, ``left_s`` about what it still takes: with a budget in minutes its scores at the end too, with
    one in epochs the learning alone. ``epochs`` and ``left_s`` are None before they are known.

    Parameters
    ----------
    stage
        ``"twin"`` or ``"gan"``.
    epoch
        Of the stage, from 1 on.
    step
        Of the stage, from 1 on.
    losses
        By name, as they were in this step.
    """

    stage: str
    epoch: int
    step: int
    done: float
    seconds: float
    pixels: int
    losses: Mapping[str, float] = field(default_factory=dict)
    epochs: int | None = None
    left_s: float | None = None


@dataclass(frozen=True)
class Evaluated(Event):
    """Scores on images never trained on, by name (``psnr``, ``ssim``, ``bicubic_psnr``, ...).

    Parameters
    ----------
    stage
        ``"twin"`` or ``"gan"``.
    epoch
        Of the stage, from 1 on.
    step
        Of the stage, from 1 on.
    scores
        Means over the images, by name; PSNR in dB.
    """

    stage: str
    epoch: int
    step: int
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Judged(Event):
    """What the curves say so far, in one sentence; ``overfitted_since`` is the epoch where it began.

    ``sound`` is None while it is too early to say.

    Parameters
    ----------
    sentence
        For a person.
    """

    sentence: str
    sound: bool | None
    overfitted_since: int | None = None


@dataclass(frozen=True, eq=False)
class PatchSeen(Event):
    """How one patch looks by now: ``lr``, ``hr`` and what network ``stage`` makes of it, (y, x) each.

    All three in the teacher's dtype; ``held_out`` says whether the network never learned from it.

    Parameters
    ----------
    step
        Of the stage, from 1 on.
    name
        Of the teacher that the patch is cut from.
    sr
        What the network makes of ``lr``, (f y, f x).
    pixel_nm
        Side of an HR pixel in nm; None where unknown.
    """

    stage: str
    step: int
    name: str
    held_out: bool
    lr: npt.NDArray[np.generic]
    sr: npt.NDArray[np.generic]
    hr: npt.NDArray[np.generic]
    pixel_nm: float | None = None


@dataclass(frozen=True)
class LeftOutScored(Event):
    """PSNR in dB on ``n_slices`` slices that were left out and predicted, beside two interpolations of the same.

    Parameters
    ----------
    psnr
        Of the network.
    linear_psnr
        Of linear interpolation.
    cubic_psnr
        Of cubic interpolation.
    """

    psnr: float
    linear_psnr: float
    cubic_psnr: float
    n_slices: int


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """Training can be resumed from ``path`` at ``step``."""

    path: Path
    step: int


@dataclass(frozen=True)
class Timed(Event):
    """Seconds of work that each stage of ``what`` took; stages overlap, ``wall`` is what passed on the clock.

    Parameters
    ----------
    seconds
        By stage.
    """

    what: str
    seconds: Mapping[str, float]
    wall: float


def drain(work: Generator[Event, None, Result]) -> Result:
    """Run ``work`` to its end and return its result; notices go to the logger ``napari_sem_sr`` as warnings.

    Parameters
    ----------
    work
        A generator of events, as made by the ``iter_...`` functions.

    Returns
    -------
    The return value of the generator.
    """
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if isinstance(event, Notice):
            LOG.warning(event.message)
