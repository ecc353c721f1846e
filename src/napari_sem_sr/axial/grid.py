"""Where the slices of an isotropic volume lie among the measured ones."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

LEAST_RATIO, LARGEST_RATIO = 1.5, 12.0
# A ratio this near to an integer, as a part of a voxel over the whole stack, is that integer.
_WHOLE = 0.25
_EXACT = 1e-6


@dataclass(frozen=True)
class AxialGrid:
    """Output slice j lies j / ratio slice spacings below the first measured slice.

    Measured slice k becomes output slice ``rint(k * ratio)``: exactly its place at an integer ratio, at most half a
    voxel beside it at others.

    Parameters
    ----------
    n_measured
        Number of measured slices.
    ratio
        Slice spacing over pixel size.
    """

    n_measured: int
    ratio: float

    @classmethod
    def of(cls, stack: SemStack) -> "AxialGrid":
        """Grid that makes ``stack`` isotropic.

        Raises
        ------
        InputError
            If the voxel size is unknown, isotropic already, or too elongated.
        """
        ratio = ratio_of(stack)
        nearest = round(ratio)
        if abs(ratio - nearest) * (stack.shape[0] - 1) < _WHOLE:
            ratio = float(nearest)
        return cls(stack.shape[0], ratio)

    @property
    def n_output(self) -> int:
        """Number of output slices; the last one is the last measured one."""
        return int(np.rint((self.n_measured - 1) * self.ratio)) + 1

    @property
    def phases(self) -> int:
        """Places that the network predicts per slice spacing."""
        return phases_for(self.ratio)

    def places(self) -> npt.NDArray[np.intp]:
        """Output slice of each measured slice, (n_measured,)."""
        places: npt.NDArray[np.intp] = np.rint(np.arange(self.n_measured) * self.ratio).astype(
            np.intp
        )
        return places

    def source(self, index: int) -> tuple[int, float]:
        """Measured slice above output slice ``index``, and how far below that it lies in slice spacings, 0 to 1."""
        place = min(index / self.ratio, float(self.n_measured - 1))
        above = min(int(place + _EXACT), self.n_measured - 1)
        fraction = place - above
        return above, fraction if fraction > _EXACT else 0.0


def phases_for(ratio: float) -> int:
    """Places per slice spacing for which a network is built: every voxel of the output is one of them if possible.

    A ratio of 4 takes 4, one of 2.5 takes 5, as every second place is then a voxel. Others take twice as many
    places as there are voxels, between which cubic interpolation loses nothing worth mentioning.

    Parameters
    ----------
    ratio
        Slice spacing over pixel size, more than 1.
    """
    least = ceil(ratio - _EXACT)
    for phases in range(least, 2 * least + 1):
        if abs(phases / ratio - round(phases / ratio)) < _EXACT:
            return phases
    return 2 * least


def ratio_of(stack: SemStack) -> float:
    """Slice spacing over pixel size of ``stack``.

    Raises
    ------
    InputError
        If an isotropic volume cannot be made of it, saying why.
    """
    z, y, x = stack.voxel_nm
    if stack.shape[0] == 1:
        raise InputError(
            f"'{stack.name}' is a single slice; an isotropic volume needs a stack of slices."
        )
    if z is None or y is None or x is None:
        unknown = " and ".join(
            name
            for name, size in (("slice spacing", z), ("pixel size", y if x is not None else None))
            if size is None
        )
        raise InputError(
            f"The {unknown} of '{stack.name}' is unknown, so its shape in depth is too; give the voxel size with "
            "--voxel Z,Y,X or in the metadata form."
        )
    if abs(y / x - 1) > 0.01:
        raise InputError(
            f"The pixels of '{stack.name}' are {y:g} nm high and {x:g} nm wide; give a stack with square pixels, "
            "tilt-corrected by the microscope."
        )
    ratio = z / x
    if ratio < LEAST_RATIO:
        raise InputError(
            f"The voxels of '{stack.name}' are {z:g} nm deep and {x:g} nm wide, a ratio of {ratio:.2f}: nothing is to "
            f"be filled in below {LEAST_RATIO:g}."
        )
    if ratio > LARGEST_RATIO:
        raise InputError(
            f"The slices of '{stack.name}' are {ratio:.1f} pixels apart; beyond {LARGEST_RATIO:g} what lies between "
            "cannot be learned from the slices: mill thinner slices, or bin the pixels."
        )
    return ratio
