"""Slices of several files as one stack, and slices that are lost."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.slice_source import SliceSource
from napari_sem_sr.stack import Triple


@dataclass(frozen=True)
class JoinedSource(SliceSource):
    """Stacks or images of one size after each other.

    Parameters
    ----------
    parts
        In their order.
    places
        Of each slice: number of the part, and of the slice in it.
    """

    parts: tuple[SliceSource, ...]
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    # (part, index in it) for each slice
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, parts: tuple[SliceSource, ...], like: SliceSource) -> "JoinedSource":
        """Join ``parts``; those that are not of the size and type of ``like`` cannot be decoded."""
        places = tuple((p, z) for p, part in enumerate(parts) for z in range(part.shape[0]))
        return cls(parts, (len(places), *like.shape[1:]), like.dtype, like.grey, places)

    @classmethod
    def without(cls, planes: SliceSource, left_out: Collection[int]) -> "JoinedSource":
        """Leave slices out.

        Parameters
        ----------
        planes
            All slices.
        left_out
            Numbers of those to leave out.
        """
        kept = [z for z in range(planes.shape[0]) if z not in left_out]
        parts = planes.parts if isinstance(planes, cls) else (planes,)
        places = tuple(planes.places[z] if isinstance(planes, cls) else (0, z) for z in kept)
        return cls(parts, (len(kept), *planes.shape[1:]), planes.dtype, planes.grey, places)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the slices that are there, each once."""
        used = sorted({part for part, _ in self.places})
        return tuple(dict.fromkeys(f for part in used for f in self.parts[part].files))

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read a slice from the part it lies in."""
        part, z = self.places[index]
        return self.parts[part].plane(z)

    def where(self, index: int) -> str:
        """Name the slice by its file."""
        part, z = self.places[index]
        return self.parts[part].where(z)


@dataclass(frozen=True)
class LostSource(SliceSource):
    """One slice of a file that cannot be read, and why.

    Parameters
    ----------
    path
        Of the file.
    why
        One sentence.
    """

    path: Path
    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool
    why: str

    @classmethod
    def of(cls, path: Path, like: SliceSource, why: str) -> "LostSource":
        """Stand for a slice of the size and type of ``like``.

        Parameters
        ----------
        path
            Of the file.
        why
            One sentence.
        """
        return cls(path, (1, *like.shape[1:]), like.dtype, like.grey, why)

    @property
    def files(self) -> tuple[Path, ...]:
        """The file that is damaged; none where it is a link that leads nowhere."""
        return (self.path,) if self.path.exists() else ()

    def decode(self, index: int) -> npt.NDArray[Any]:
        """Say why there are no pixels."""
        raise InputError(f"{self.why}.")

    def where(self, index: int) -> str:
        """Name the file."""
        return f"'{self.path}'"
