"""What a person may choose for an upscaling, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_sem_sr.inference.engine.tiling import Interval, Region


@dataclass(frozen=True)
class UpscaleSettings:
    """How a stack is upscaled.

    Parameters
    ----------
    sharpness
        Between the twin (0) and the GAN (1); None for the default on the model's card.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    precision
        ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    tile
        Width of a tile in LR pixels without its halo; None for one that suits the device.
    slices
        (first, end) of the slices to upscale; None for all.
    region
        ((y0, y1), (x0, x1)) in LR pixels; None for all of each slice.
    noise
        Standard deviation of LR's noise in its grey values at mid range; ``auto`` measures it, ``none`` is 0.
    blur
        Standard deviation in LR pixels of a Gaussian beam beyond the averaging over a pixel; ``auto`` measures it
        where the evidence is strong.
    """

    sharpness: float | None = None
    device: str = "auto"
    precision: str = "auto"
    tile: int | None = None
    slices: Interval | None = None
    region: Region | None = None
    noise: float | Literal["auto", "none"] = "auto"
    blur: float | Literal["auto"] = "auto"


@dataclass(frozen=True)
class Stage:
    """Seconds of work in one stage; stages and writers overlap, so shares of the wall time may sum to more than 1.

    Parameters
    ----------
    name
        For a person.
    seconds
        Of work.
    share
        Of the wall time.
    """

    name: str
    seconds: float
    share: float


@dataclass(frozen=True)
class UpscaleResult:
    """A finished upscaling.

    Parameters
    ----------
    output
        The OME-Zarr folder or TIFF file.
    total
        Slices in the output.
    computed
        Those of them computed by this run; 0 when it was finished already.
    outside
        SR pixels of this run that the dtype cannot hold; they were set to its limits.
    seconds
        Wall time of this run.
    stages
        Time spent reading, computing and writing.
    deviation
        Largest difference from fp32 on a test tile, as a part of the intensity range; None if nothing was computed.
    provenance
        What is written into the output.
    """

    output: Path
    total: int
    computed: int
    outside: int
    seconds: float
    stages: tuple[Stage, ...]
    deviation: float | None
    provenance: Mapping[str, Any]
