"""What a person may choose for an isotropic volume, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_sem_sr.errors import InputError

DEFAULT_MINUTES = 10.0
# What a slice shows: a layer no thicker than a pixel, or the mean over the whole spacing.
Section = Literal["thin", "thick"]


@dataclass(frozen=True)
class Recipe:
    """Size of the network and how it learns; values that work on two cores.

    Parameters
    ----------
    channels
        Features of the blocks.
    blocks
        Residual blocks.
    batch
        Patches per step.
    learning_rate
        Highest rate.
    """

    channels: int = 48
    blocks: int = 8
    batch: int = 4
    learning_rate: float = 8e-4


@dataclass(frozen=True)
class IsotropicSettings:
    """How an isotropic volume is made.

    Parameters
    ----------
    minutes
        For learning, the test on left-out slices and, where it takes less than half of them, the volume.
    steps
        Learning steps of the volume's network instead of minutes: the same steps give the same bytes. The test's
        network takes as many.
    leave_out
        Of this many slices one is kept for the test; 0 for no test.
    section
        "thin" where a slice shows a layer no thicker than a pixel, "thick" where it shows the mean over the spacing.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    seed
        Of weights and patches.
    recipe
        Size of the network.
    """

    minutes: float = DEFAULT_MINUTES
    steps: int | None = None
    leave_out: int = 2
    section: Section = "thin"
    device: str = "auto"
    seed: int = 0
    recipe: Recipe = Recipe()

    def __post_init__(self) -> None:
        if self.steps is None and not 0 < self.minutes < float("inf"):
            raise InputError(f"{self.minutes:g} minutes is not possible; give a positive number.")
        if self.steps is not None and self.steps < 1:
            raise InputError(f"{self.steps} steps is not possible; give a positive number.")
        if self.leave_out < 0 or self.leave_out == 1:
            raise InputError(
                f"Leaving out {self.leave_out} is not possible; give 2 to keep every second slice for the test, 3 for every "
                "third, or 0 for no test."
            )


@dataclass(frozen=True)
class IsotropicResult:
    """A finished isotropic volume.

    Parameters
    ----------
    output
        The OME-Zarr folder or TIFF file.
    total, computed
        Slices in the output, and how many of them this run made.
    left_out
        ``psnr``, ``linear_psnr``, ``cubic_psnr``, ``n_slices`` of the test; None without one.
    sentence
        What the test says, for a person.
    seconds
        Wall time of this run.
    provenance
        What is written into the output.
    """

    output: Path
    total: int
    computed: int
    left_out: Mapping[str, Any] | None
    sentence: str
    seconds: float
    provenance: Mapping[str, Any]
