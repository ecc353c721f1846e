"""What is subtracted from SR, where the stacks lie on screen."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import dask.array as da
import numpy as np
import zarr
from napari.layers import Image

from napari_sem_sr.checking.alignment import align
from napari_sem_sr.checking.difference import Band, difference_stack
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of
from napari_sem_sr.io.write_zarr import KEY, done_slices
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets import layers
from napari_sem_sr.widgets.layers import Role

Against = Literal["HR", "bicubic"]
SAMPLED_SLICES = 5


@dataclass(frozen=True)
class Difference:
    """What is subtracted from SR: HR or the bicubic picture of LR, in all or some spatial frequencies."""

    against: Against
    band: Band = "all"

    @property
    def title(self) -> str:
        """Name of the pane."""
        what = f"SR−{self.against}" if self.band == "all" else f"{self.band} band"
        return f"{what}, grey levels"


def iter_difference(
    seats: Mapping[Role, SemStack], wanted: Difference, done: frozenset[int] | None
) -> Generator[Event, None, tuple[SemStack, float]]:
    """Make a lazy difference and a symmetric limit for its colours, the same for all slices.

    Parameters
    ----------
    done
        SR slices that are there; None for all.
    """
    yield Progress("aligning", 0, SAMPLED_SLICES, "slices")
    stack = difference_of(seats, wanted)
    picks = np.unique(np.linspace(0, stack.shape[0] - 1, SAMPLED_SLICES).round().astype(int))
    if done is not None:
        picks = np.array(
            sorted(done & set(range(stack.shape[0])))[:: max(1, len(done) // SAMPLED_SLICES)], int
        )
    worst = 0.0
    for count, z in enumerate(picks):
        yield Progress("measuring the difference", count, len(picks), "slices")
        grey = range_of(stack.slice(int(z)))
        worst = max(worst, abs(grey.low), abs(grey.high))
    return stack, worst or 1.0


def difference_of(seats: Mapping[Role, SemStack], wanted: Difference) -> SemStack:
    """Lazy signed difference where SR lies.

    Raises
    ------
    InputError
        If what is needed for it is missing or does not cover the same field.
    """
    sr, lr, hr = seats.get("SR"), seats.get("LR"), seats.get("HR")
    if sr is None:
        raise InputError("A difference needs SR; choose it.")
    if wanted.against == "bicubic":
        if lr is None:
            raise InputError("The difference to bicubic needs LR; choose it.")
        covered = align(lr, sr)
        reference = bicubic_stack(covered.lr_part, covered.factor)
        return difference_stack(covered.sr, reference, covered.factor, wanted.band)
    if hr is None:
        raise InputError("There is no HR to subtract; choose one, or the difference to bicubic.")
    if lr is not None:
        covered = align(lr, sr, hr)
        if covered.hr is None:
            raise InputError("HR does not lie over LR.")
        return difference_stack(covered.sr, covered.hr, covered.factor, wanted.band)
    if wanted.band != "all":
        raise InputError("Bands are divided at the Nyquist frequency of LR; choose LR.")
    if sr.world != hr.world:
        raise InputError("SR and HR do not lie in the same place; choose LR too, to line them up.")
    return difference_stack(sr, hr, 1)


def bicubic_stack(lr: SemStack, factor: int) -> SemStack:
    """Bicubic picture of a stack, lazily, in place."""

    def block(image: Any) -> Any:
        from napari_sem_sr.checking.baseline import upscale_bicubic

        return upscale_bicubic(image[0], factor)[np.newaxis]

    z, y, x = lr.shape
    data = da.map_blocks(
        block,
        lr.data.rechunk((1, -1, -1)),
        chunks=((1,) * z, (factor * y,), (factor * x,)),
        dtype=lr.dtype,
        meta=np.empty((0, 0, 0), lr.dtype),
    )
    return replace(lr.upscaled(data, factor), name="bicubic", paths=())


def slices_there(layer: Image) -> frozenset[int] | None:
    """Slices of an unfinished output of ours that are on disk; None where all are."""
    path = layers.path_of(layer)
    if path is None or layers.role_of(layer) != "SR" or not path.is_dir():
        return None
    mark: Any = zarr.open_group(path, mode="r").attrs.get(KEY, {})
    if mark.get("complete", True):
        return None
    return done_slices(path, layers.full_shape(layer)[-3])
