"""What is given of the whole stack before any slice is looked at, and its slices as they are asked for."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from threading import Lock
from typing import Any, Literal

import numpy.typing as npt

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.view.networks import Networks
from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.pipeline import Stopwatch
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.teachers.registration.register import Registration

Image = npt.NDArray[Any]
Role = Literal["lr", "sr", "hr"]


class Shelf:
    """Slices that were read or will be wanted soon; read in a thread of its own.

    Parameters
    ----------
    read
        Reads a slice ``(y, x)`` of the field; LR whole, as networks look beyond the field.
    """

    def __init__(self, read: Callable[[Role, int], Image]) -> None:
        self._read = read
        self._lock = Lock()
        self._there: dict[tuple[Role, int], Future[Image]] = {}
        self._reader = ThreadPoolExecutor(1)

    def get(self, role: Role, index: int) -> Image:
        """A slice of the field, read now if it is not there.

        Parameters
        ----------
        role
            ``"lr"``, ``"sr"`` or ``"hr"``.
        index
            Number of the slice in the field.
        """
        return self._ask(role, index).result()

    def put(self, role: Role, index: int, image: Image) -> None:
        """Lay down a slice that somebody has at hand, so that it need not be read.

        Parameters
        ----------
        role
            ``"lr"``, ``"sr"`` or ``"hr"``.
        index
            Number of the slice in the field.
        image
            ``(y, x)``.
        """
        future: Future[Image] = Future()
        future.set_result(image)
        with self._lock:
            self._there[role, index] = future

    def want(self, wanted: Iterable[tuple[Role, int]]) -> None:
        """Begin to read these slices, and forget all others.

        Parameters
        ----------
        wanted
            Role and number of each slice.
        """
        wanted = tuple(wanted)
        with self._lock:
            for key in [k for k in self._there if k not in wanted]:
                del self._there[key]
        for role, index in wanted:
            self._ask(role, index)

    def has(self, role: Role, index: int) -> bool:
        """Whether a slice is here, or on its way.

        Parameters
        ----------
        role
            ``"lr"``, ``"sr"`` or ``"hr"``.
        index
            Number of the slice in the field.
        """
        with self._lock:
            return (role, index) in self._there

    def forget(self, before: int) -> None:
        """Keep no slice before this one.

        Parameters
        ----------
        before
            Number of the slice in the field.
        """
        with self._lock:
            for key in [k for k in self._there if k[1] < before]:
                del self._there[key]

    def close(self) -> None:
        """Read no more."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def _ask(self, role: Role, index: int) -> "Future[Image]":
        with self._lock:
            if (role, index) not in self._there:
                self._there[role, index] = self._reader.submit(self._read, role, index)
            return self._there[role, index]


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that kinds of evidence share, of one stack.

    Parameters
    ----------
    field
        LR, SR and HR, placed over each other.
    model
        The model that made SR, if it is at hand.
    intensity
        Range that its networks see as [0, 1], that of the upscaling.
    data_range
        Peak of PSNR and SSIM.
    sigma
        Noise of LR in grey levels.
    sharpness
        Of SR, if known: where it is 0, SR is the twin itself and the model's GAN is compared with it instead.
    reference
        Teachers whose statistics are held beside the stack's, as `ReferenceEvidence` takes them.
    registration
        Where HR lies over LR, or why nobody knows.
    clock
        Is told how long reading takes.
    device, precision, tile
        Of the networks, as of `Engine`.
    reader
        Reads slices (y, x), LR whole, where they are not read from ``field``, as on a machine that has a part of it.
    glimpsed
        What `glimpses` has looked at; emptied once everything is prepared.
    sr_source
        Gives a region of a slice of SR where SR is not read from ``field``, as while it is made.
    """

    field: Field
    model: Model | None
    intensity: IntensityRange
    data_range: float
    sigma: float
    sharpness: float | None = None
    reference: object | None = None
    registration: Registration | str | None = None
    clock: Stopwatch = dataclass_field(default_factory=Stopwatch)
    device: str = "auto"
    precision: str = "auto"
    tile: int | None = None
    reader: Callable[[Role, int], Image] | None = None
    sr_source: Callable[[int, Region], Image] | None = None
    glimpsed: list[Any] = dataclass_field(default_factory=list)

    @cached_property
    def shelf(self) -> Shelf:
        """Slices that were read or will be wanted soon."""
        return Shelf(self._read)

    def _read(self, role: Role, index: int) -> Image:
        with self.clock.timed("read"):
            if self.reader is not None:
                return self.reader(role, index)
            if role == "sr" and self.sr_source is not None:
                return self.sr_source(index, self.region)
            if role == "lr":
                return self.field.lr.slice(self.field.slices[0] + index)
            stack = self.field.sr if role == "sr" else self.field.hr
            assert stack is not None, "only asked for where there is HR"
            return stack.slice(index)

    @property
    def sr_is_twin(self) -> bool:
        """Whether SR is what the twin makes."""
        return self.sharpness == 0

    @property
    def degradation(self) -> Degradation:
        """HR to LR, as the model was taught."""
        return AREA_AVERAGE if self.model is None else self.model.card.degradation

    @property
    def unit(self) -> float:
        """Grey levels of this stack in a 255th of the intensity range."""
        return (self.intensity.high - self.intensity.low) / 255

    @cached_property
    def networks(self) -> Networks | None:
        """The model's networks, ready to run."""
        if self.model is None:
            return None
        return Networks(self.model, self.sharpness, self.device, self.precision, self.tile)

    @property
    def region(self) -> Region:
        """All of the field's LR pixels, counted from its first."""
        _, height, width = self.field.lr_part.shape
        return (0, height), (0, width)

    def part(self, whole_lr: Image, region: Region) -> Image:
        """LR pixels of a ``region`` of the field, from a whole slice of LR.

        Parameters
        ----------
        whole_lr
            ``(y, x)``.
        """
        (y0, y1), (x0, x1) = self.in_lr(region)
        return whole_lr[y0:y1, x0:x1]

    def in_lr(self, region: Region) -> Region:
        """A region of the field in pixels of the whole LR slice.

        Parameters
        ----------
        region
            ((y0, y1), (x0, x1)) in LR pixels of the field, half open.
        """
        (top, _), (left, _) = self.field.region
        (y0, y1), (x0, x1) = region
        return (top + y0, top + y1), (left + x0, left + x1)

    def sr(self, index: int, region: Region) -> Image:
        """SR of a region of slice ``index``.

        Parameters
        ----------
        region
            ((y0, y1), (x0, x1)) in LR pixels of the field, half open.
        """
        if self.sr_source is not None and region != self.region and not self.shelf.has("sr", index):
            return self.sr_source(index, region)
        return self.fine(self.shelf.get("sr", index), region)

    def fine(self, image: Image, region: Region) -> Image:
        """A region of a picture on the SR grid.

        Parameters
        ----------
        image
            ``(f y, f x)``.
        region
            ((y0, y1), (x0, x1)) in LR pixels of the field, half open.
        """
        f = self.field.factor
        (y0, y1), (x0, x1) = region
        return image[f * y0 : f * y1, f * x0 : f * x1]

    def upscale(self, engine: Engine, index: int, region: Region) -> Image:
        """What a network makes of a region of slice ``index``, in the dtype of LR.

        Parameters
        ----------
        engine
            Of the network.
        region
            ((y0, y1), (x0, x1)) in LR pixels of the field, half open.
        """
        lr = self.shelf.get("lr", index)
        where = self.in_lr(region)
        return engine.upscale_slice(lr, self.intensity, lr.dtype, where, index).image

    def bicubic(self, index: int) -> Image:
        """Bicubic picture of slice ``index`` of the field, in the dtype of LR."""
        f = self.field.factor
        (y0, y1), (x0, x1) = self.field.region
        whole = upscale_bicubic(self.shelf.get("lr", index), f)
        return whole[f * y0 : f * y1, f * x0 : f * x1]

    def twin(self, index: int) -> Image | None:
        """What the model's twin makes of slice ``index``, in the dtype of LR; None without a model."""
        if self.networks is None:
            return None
        return self.upscale(self.networks.twin, index, self.region)

    def want(self, index: int, more: Iterable[int] = ()) -> None:
        """Read what slice ``index`` needs, and the slices ``more`` that come after it."""
        kept = self.field.kept
        place = kept.index(index)
        around = (*kept[:place][-1:], index, *kept[place + 1 :][:1])
        wanted: list[tuple[Role, int]] = [("lr", index), ("sr", index)]
        wanted += [("sr", z) for z in around if z != index]
        if self.field.hr is not None:
            wanted.append(("hr", index))
        for z in more:
            wanted += [("lr", z), ("sr", z)]
        self.shelf.want(dict.fromkeys(wanted))
