"""SemStack: the one value that flows through everything."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.delayed import Delayed

from napari_sem_sr.errors import InputError
from napari_sem_sr.instrument import Instrument, Sources

T = TypeVar("T")
Triple = tuple[T, T, T]

HASH_CHUNK = 1 << 22


@dataclass(frozen=True)
class World:
    """Where pixels lie: centre of pixel i along an axis = ``translate + i * scale``.

    Parameters
    ----------
    scale, translate
        In ``units``, for z, y, x.
    units
        ``"nanometer"``, or ``"pixel"`` along an axis whose voxel size is unknown.
    """

    scale: Triple[float]
    translate: Triple[float]
    units: Triple[str]


@dataclass(frozen=True, eq=False)
class SemStack:
    """A lazy grey stack of SEM images with what is known about it.

    Parameters
    ----------
    data
        ``(z, y, x)`` dask array in the file's own dtype, one z-plane per chunk; a single image has z = 1.
    name
        What a person calls it; the file's stem.
    voxel_nm
        Voxel size (z, y, x) in nm; None per axis where unknown, never a made-up 1.0.
    origin_nm
        Centre of the first voxel (z, y, x) in nm; in LR pixels along axes of unknown voxel size.
    pixel_step
        Size of a voxel in LR pixels, used only along axes of unknown voxel size: 1 for anything measured,
        1/f in y and x for an SR stack.
    tilt_deg
        Angle between the electron beam and the normal of the imaged face, in degrees.
    sources
        Where voxel size and tilt come from.
    instrument
        Maker, detector, kV and so on.
    paths
        The files (or the one folder) the data come from; empty for an array made in memory.
    folder
        The folder that was given, whose files are the slices.
    image_rows
        Rows (first, end) beside a databar that was found in the images; None where there is none.
    part
        Which part of its one file a stack is (an HDF5 dataset, a typed header); empty for a whole file.
    provenance
        What was written into one of our own outputs (``synthetic``, model, factor, ...); None for measured data.
    notices
        Sentences that a person should read about how the files were understood.
    """

    data: da.Array
    name: str
    voxel_nm: Triple[float | None] = (None, None, None)
    origin_nm: Triple[float] = (0.0, 0.0, 0.0)
    pixel_step: Triple[float] = (1.0, 1.0, 1.0)
    tilt_deg: float | None = None
    sources: Sources = field(default_factory=Sources)
    instrument: Instrument = field(default_factory=Instrument)
    paths: tuple[Path, ...] = ()
    folder: Path | None = None
    image_rows: tuple[int, int] | None = None
    part: str = ""
    provenance: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.data.ndim != 3:
            raise InputError(
                f"'{self.name}' has shape {self.data.shape}, but a stack needs the three axes z, y, x; "
                "give one channel of one stack."
            )
        if min(self.data.shape) == 0:
            raise InputError(
                f"'{self.name}' is empty (shape {self.data.shape}); give at least one image."
            )
        if self.data.dtype.kind not in "uif":
            raise InputError(
                f"'{self.name}' holds {self.data.dtype} values; give a grey image of integers or floats."
            )
        if any(v is not None and not (np.isfinite(v) and v > 0) for v in self.voxel_nm):
            raise InputError(
                f"'{self.name}' has the voxel size {self.voxel_nm} nm; give positive numbers or leave it unknown."
            )

    @classmethod
    def from_array(cls, array: npt.ArrayLike, name: str, **known: Any) -> "SemStack":
        """Make a stack of an array (y, x) or (z, y, x), NumPy or dask, one chunk per slice.

        Parameters
        ----------
        array
            ``(y, x)`` or ``(z, y, x)``, any real dtype.
        name
            For a person.
        known
            Other fields of the stack, by name.
        """
        data: Any = array if isinstance(array, da.Array) else np.asarray(array)
        if data.ndim == 2:
            data = data[np.newaxis]
        if data.ndim == 3:
            data = (
                data.rechunk((1, -1, -1))
                if isinstance(data, da.Array)
                else da.from_array(data, chunks=(1, *data.shape[1:]))
            )
        return cls(data=data, name=name, **known)

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        """Read all slices into memory, (z, y, x)."""
        if copy is False:
            raise ValueError("a stack lies in files, so reading it makes a copy")
        return np.asarray(self.data.compute(), dtype)

    @property
    def shape(self) -> Triple[int]:
        """Number of voxels (z, y, x)."""
        z, y, x = self.data.shape
        return int(z), int(y), int(x)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the pixels, that of the file."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    def slice(self, index: int) -> npt.NDArray[Any]:
        """Read one z-plane, (y, x), into memory.

        Parameters
        ----------
        index
            Number of the slice, from 0 on.
        """
        if self.data.numblocks != (self.shape[0], 1, 1) or not 0 <= index < self.shape[0]:
            return np.asarray(self.data[index].compute())
        # slicing the array costs time in proportion to all its slices, its one chunk does not
        key = (self.data.name, index, 0, 0)
        graph = self.data.dask.cull({key}).to_dict()
        plane: npt.NDArray[Any] = np.asarray(Delayed(key, graph).compute())[0]
        return plane

    def describe(self) -> dict[str, Any]:
        """What is known, as plain values for people and programs; unknown is None."""
        instrument = {k: v for k, v in vars(self.instrument).items() if k != "raw"}
        known = (*self.voxel_nm, self.tilt_deg)
        sources = [
            "unknown" if value is None else source or "given"
            for value, source in zip(known, vars(self.sources).values(), strict=True)
        ]
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": str(self.dtype),
            "voxel_nm": list(self.voxel_nm),
            "voxel_source": sources[:3],
            "origin_nm": list(self.origin_nm),
            "tilt_deg": self.tilt_deg,
            "tilt_source": sources[3],
            "instrument": instrument,
            "synthetic": bool(self.provenance and self.provenance.get("synthetic")),
        }

    @property
    def world(self) -> World:
        """Scale, translation and unit per axis, as napari and OME-Zarr want them."""
        known = [v is not None for v in self.voxel_nm]
        scale = tuple(
            step if v is None else v for v, step in zip(self.voxel_nm, self.pixel_step, strict=True)
        )
        units = tuple("nanometer" if k else "pixel" for k in known)
        return World(
            scale=(scale[0], scale[1], scale[2]),
            translate=self.origin_nm,
            units=(units[0], units[1], units[2]),
        )

    def upscaled(self, data: da.Array, factor: int, **changes: Any) -> "SemStack":
        """Return the stack of SR ``data`` that covers the same extent as this one.

        Parameters
        ----------
        data
            ``(z, factor * y, factor * x)``.
        factor
            Upscale factor f: one LR pixel covers f × f SR pixels, so the first SR pixel's centre lies
            (f - 1)/2 SR pixels before the centre of the first LR pixel.
        changes
            Fields that differ beside those that follow from ``factor``.
        """
        return replace(self, data=data, **self._refined(float(factor)), **changes)

    def averaged(self, data: da.Array, factor: int, **changes: Any) -> "SemStack":
        """Return the stack of LR ``data`` whose pixels each cover factor × factor pixels of this one.

        Parameters
        ----------
        factor
            Pixels of this stack per pixel of the result, along y and along x.
        changes
            Fields that differ beside those that follow from ``factor``.
        """
        return replace(self, data=data, **self._refined(1.0 / factor), **changes)

    def _refined(self, by: float) -> dict[str, Any]:
        world = self.world
        vz, vy, vx = self.voxel_nm
        sz, sy, sx = self.pixel_step
        oz, oy, ox = world.translate
        # centre of the first fine pixel = centre of the coarse one - (coarse size - fine size) / 2
        shift = (1 - 1 / by) / 2
        return {
            "image_rows": None,
            "voxel_nm": (vz, None if vy is None else vy / by, None if vx is None else vx / by),
            "pixel_step": (sz, sy / by, sx / by),
            "origin_nm": (oz, oy - shift * world.scale[1], ox - shift * world.scale[2]),
        }

    def cropped(
        self,
        slices: tuple[int, int] | None = None,
        region: tuple[tuple[int, int], tuple[int, int]] | None = None,
    ) -> "SemStack":
        """Return part of the stack, where it lies: ``slices`` = (first, end), ``region`` = ((y0, y1), (x0, x1)).

        Raises
        ------
        InputError
            If the part is empty or reaches outside the stack.
        """
        bounds = (
            slices or (0, self.shape[0]),
            *(region or ((0, self.shape[1]), (0, self.shape[2]))),
        )
        for axis, (start, stop), size in zip("zyx", bounds, self.shape, strict=True):
            if not 0 <= start < stop <= size:
                raise InputError(
                    f"The part {start}:{stop} along {axis} does not lie in 0:{size} of '{self.name}'; "
                    "give start < end inside the stack."
                )
        world = self.world
        origin = tuple(
            t + start * s
            for t, s, (start, _) in zip(world.translate, world.scale, bounds, strict=True)
        )
        return replace(
            self,
            data=self.data[tuple(np.s_[a:b] for a, b in bounds)],
            image_rows=None if region else self.image_rows,
            origin_nm=(origin[0], origin[1], origin[2]),
        )

    @cached_property
    def content_hash(self) -> str:
        """Hash of what the stack is made of: bytes of its files in order, or its pixels; ``blake2b:...``."""
        digest = hashlib.blake2b(digest_size=20)
        if self.paths:
            for file in _files(self.paths):
                digest.update(os.fsencode(file.name))
                with file.open("rb") as stream:
                    while block := stream.read(HASH_CHUNK):
                        digest.update(block)
        # the same file may be read in part (a crop, one series), so shape and dtype belong to it
        digest.update(repr((self.shape, str(self.dtype), self.origin_nm)).encode())
        digest.update(self.part.encode())
        if not self.paths:
            for z in range(self.shape[0]):
                digest.update(np.ascontiguousarray(self.slice(z)).data)
        return f"blake2b:{digest.hexdigest()}"


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(_within(path, frozenset())) if path.is_dir() else (path,)


def _within(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Files in a folder, also behind links, of which one that leads back is not followed."""
    for path in () if (there := folder.resolve()) in above else folder.iterdir():
        if path.is_dir():
            yield from _within(path, above | {there})
        elif path.is_file():
            yield path
