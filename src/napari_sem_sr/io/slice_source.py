"""What a lazy stack reads its slices from, whatever the format."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.base import tokenize

from napari_sem_sr.errors import ElsewhereError, InputError, MemoryShortError
from napari_sem_sr.instrument import Instrument, Sources
from napari_sem_sr.stack import Triple

# Rec. 601, the luminance that ImageJ ("weighted") and Pillow use too.
LUMINANCE = (0.299, 0.587, 0.114)


class SliceSource(ABC):
    """Slices of one size that are decoded one at a time; picklable, so that any process can read them.

    Subclasses are frozen dataclasses of paths and numbers; no file stays open between two slices.

    Parameters
    ----------
    shape
        (z, y, x).
    dtype
        In memory, in the machine's byte order.
    grey
        Consent to converting colours.
    """

    shape: Triple[int]
    dtype: np.dtype[Any]
    grey: bool

    @property
    def ndim(self) -> int:
        """Always 3: z, y, x."""
        return 3

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """Everything that is read, in order."""

    @abstractmethod
    def decode(self, index: int) -> npt.NDArray[Any]:
        """Read slice ``index``: (y, x), or (y, x, samples)."""

    @abstractmethod
    def where(self, index: int) -> str:
        """Name slice ``index`` for a person."""

    def plane(self, index: int) -> npt.NDArray[Any]:
        """Read slice ``index`` as grey, (y, x) in ``dtype``.

        Raises
        ------
        InputError
            If it cannot be decoded, is in colour without consent, or does not fit the stack.
        """
        return self._checked(index, lambda: self.decode(index), self.shape[1])

    def rows(self, index: int, first: int, end: int) -> npt.NDArray[Any]:
        """Read rows ``first`` to ``end`` of slice ``index``; formats in which they lie apart read no others."""
        return self.plane(index)[first:end]

    def _checked(
        self, index: int, decode: Callable[[], npt.NDArray[Any]], height: int
    ) -> npt.NDArray[Any]:
        """What ``decode`` reads of a slice, grey and ``height`` rows high; see `plane`."""
        try:
            image = decode()
        except InputError:
            raise
        except MemoryError as error:
            raise MemoryShortError(
                f"{self.where(index)} needs more memory than there is ({first_line(error)}); close other programs, or "
                "use a machine with more."
            ) from error
        except Exception as error:  # decoders raise whatever they like on damaged files
            raise InputError(
                f"{self.where(index)} cannot be read ({first_line(error)}); the file is cut off or "
                "damaged: copy it again from the microscope, or leave it out."
            ) from error
        if image.ndim not in (2, 3) or image.size == 0:
            raise InputError(
                f"{self.where(index)} holds no image (its shape is {image.shape}); the file is damaged: "
                "copy it again from the microscope, or leave it out."
            )
        image = to_grey(image, consent=self.grey, where=self.where(index))
        wanted = (height, self.shape[2])
        if image.shape != wanted or np.dtype(image.dtype).newbyteorder("=") != self.dtype:
            raise InputError(
                f"{self.where(index)} is {_described(image.shape, image.dtype)}, but the stack is "
                f"{_described(wanted, self.dtype)}; give slices of one size and type."
            )
        return image.astype(self.dtype, copy=False)

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        first, *rest = key if isinstance(key, tuple) else (key,)
        within: Any = tuple(rest)
        if not isinstance(first, slice):
            return self._part(range(self.shape[0])[int(first)], within)
        planes = [self._part(z, within) for z in range(self.shape[0])[first]]
        if not planes:
            return np.empty((0, *self.shape[1:]), self.dtype)
        return planes[0][np.newaxis] if len(planes) == 1 else np.stack(planes)

    def _part(self, index: int, within: tuple[Any, ...]) -> npt.NDArray[Any]:
        if within and isinstance(within[0], slice):
            first, end, step = within[0].indices(self.shape[1])
            if step == 1 and first < end:
                part: npt.NDArray[Any] = self.rows(index, first, end)[:, *within[1:]]
                return part
        return np.asarray(self.plane(index)[within])

    def lazy(self) -> da.Array:
        """Make the dask array, one chunk per slice."""
        stamps = [(str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in self.files]
        array: da.Array = da.from_array(
            self,
            chunks=(1, *self.shape[1:]),
            name=f"sem-{tokenize(repr(self), stamps)}",
            meta=np.empty((0, 0, 0), self.dtype),
        )
        return array


@dataclass(frozen=True)
class Contents:
    """What a file or folder turned out to hold; unknown is None.

    Parameters
    ----------
    planes
        Reads the slices.
    voxel_nm
        (z, y, x) in nm.
    origin_nm
        As of `SemStack`.
    pixel_step
        As of `SemStack`.
    tilt_deg
        Between the beam and the normal of the imaged face.
    sources
        Where voxel size and tilt come from.
    instrument
        What is said about the microscope.
    part
        Which part of the file this is, where it holds several.
    databar_row
        First row that the vendor says is no image.
    question
        What to ask as long as nobody has typed the tilt or y.
    lost
        Why slices are not there or do not fit, by number; a person may leave them out.
    provenance
        How an output of ours was made; None for what was measured.
    notices
        Sentences that a person should read.
    """

    planes: SliceSource
    voxel_nm: Triple[float | None] = (None, None, None)
    origin_nm: Triple[float] = (0.0, 0.0, 0.0)
    pixel_step: Triple[float] = (1.0, 1.0, 1.0)
    tilt_deg: float | None = None
    sources: Sources = field(default_factory=Sources)
    instrument: Instrument = field(default_factory=Instrument)
    part: str = ""
    # first row that the vendor says is no image
    databar_row: int | None = None
    # what to ask as long as nobody has typed the tilt or y
    question: str | None = None
    # slices that are not there or do not fit, and why: a person may leave them out
    lost: Mapping[int, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()


def to_grey(image: npt.NDArray[Any], *, consent: bool, where: str) -> npt.NDArray[Any]:
    """Reduce (y, x) or (y, x, samples) to (y, x) in the same dtype; 1-bit becomes 0 and 255.

    Three identical channels are grey; an alpha channel is left out.

    Parameters
    ----------
    image
        ``(y, x)`` or ``(y, x, samples)``.
    where
        The image, as a person would name it.

    Raises
    ------
    InputError
        If the channels differ and there is no ``consent`` to convert them.
    """
    if image.dtype == np.bool_:
        image = image.astype(np.uint8) * np.uint8(255)
    if image.ndim == 2:
        return image
    if image.shape[-1] < 3:
        return image[..., 0]
    red, green, blue = (image[..., c] for c in range(3))
    exact = image.dtype.kind == "f"
    if np.array_equal(red, green, equal_nan=exact) and np.array_equal(red, blue, equal_nan=exact):
        return red
    if not consent:
        raise InputError(
            f"{where} is a colour photograph; give the grey original, or convert it knowingly with "
            "--grey (grey=True)."
        )
    luminance = np.zeros(red.shape, np.float64)
    for weight, channel in zip(LUMINANCE, (red, green, blue), strict=True):
        luminance += weight * channel
    return (luminance if exact else np.rint(luminance)).astype(image.dtype)


def _described(shape: tuple[int, ...], dtype: Any) -> str:
    height, width = shape[:2]
    return f"{width} x {height} pixels of {np.dtype(dtype).newbyteorder('=')}"


def check_beside(path: Path, others: Iterable[Path], *, elsewhere: bool) -> None:
    """Make sure that a file does not name pixels outside of its own folder, unless that was asked for.

    Parameters
    ----------
    path
        Of the file.
    others
        Files that it names.
    elsewhere
        Whether that was asked for.

    Raises
    ------
    ElsewhereError
        Naming what lies elsewhere.
    """
    # a link to the file, made by a person, may lie anywhere
    own = Path(os.path.normpath(path.parent.absolute()))
    folders = {own, own.resolve(), path.resolve().parent}
    for other in others:
        beside = Path(os.path.normpath(other.absolute()))
        if elsewhere or any(beside.is_relative_to(folder) for folder in folders):
            continue
        raise ElsewhereError(
            f"'{path}' keeps pixels in '{other}', outside of its own folder; where you trust it, read them knowingly "
            "with --elsewhere (elsewhere=True)."
        )


def slice_name(path: Path, index: int, count: int) -> str:
    """Name a slice of a file for a person.

    Parameters
    ----------
    path
        Of the file.
    index
        Number of the slice.
    count
        Slices in the file.
    """
    return f"Slice {index} of '{path}'" if count > 1 else f"'{path}'"


def spoken(slices: Sequence[int]) -> str:
    """Name slices in runs: ``slices 0 to 3, 7``.

    Parameters
    ----------
    slices
        Ascending numbers.
    """
    runs: list[list[int]] = []
    for z in slices:
        if runs and z == runs[-1][1] + 1:
            runs[-1][1] = z
        else:
            runs.append([z, z])
    said = ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)
    return f"{'slice' if len(slices) == 1 else 'slices'} {said}"


def first_line(error: Exception) -> str:
    """What a library says is wrong, for the brackets of our sentence.

    Parameters
    ----------
    error
        As it was raised.
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
