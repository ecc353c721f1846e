"""Panes that are computed: what is subtracted from what, where the stacks lie on screen."""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import dask.array as da
import numpy as np
import zarr
from napari.layers import Image

from napari_sem_sr.checking.evidence.consistency import residual_stack
from napari_sem_sr.checking.field import align
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of
from napari_sem_sr.io.zarr_layout import KEY, done_slices
from napari_sem_sr.metrics.difference import Band, difference_stack, magnitude_stack
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes.panes import Computed
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.words import tr

Subject = Literal["SR − HR", "SR − bicubic", "averaged SR − LR"]
SAMPLED_SLICES = 5
# blue where SR is darker, red where it is brighter, readable by colour-blind people
DIVERGING = "RdBu_r"
MAGNITUDE = "magma"


@dataclass(frozen=True)
class Difference:
    """What is subtracted from what, with or without its sign, in all or some spatial frequencies.

    Parameters
    ----------
    subject
        What is subtracted from what.
    band
        Spatial frequencies.
    signed
        Whether the sign is shown.
    """

    subject: Subject
    band: Band = "all"
    signed: bool = True

    @property
    def title(self) -> str:
        """Name of the pane."""
        what = self.subject.replace(" − ", "−")
        what = what if self.signed else f"|{what}|"
        band = "" if self.band == "all" else f", {self.band} band"
        return f"{what}{band} (grey)"


def iter_difference(
    seats: Mapping[Role, SemStack],
    wanted: Difference,
    done: frozenset[int] | None,
    excluded: Collection[int] = (),
) -> Generator[Event, None, Computed]:
    """Make a lazy difference with limits for its colours that are the same for all slices.

    Parameters
    ----------
    seats
        Stacks by role, where they lie on screen.
    wanted
        Which difference.
    done
        SR slices that are there; None for all.
    excluded
        Slices of LR that say nothing.
    """
    yield Progress("aligning", 0, SAMPLED_SLICES, "slices")
    stack, first = difference_of(seats, wanted)
    there = set(range(stack.shape[0]))
    usable = sorted(z for z in there if (done is None or z in done) and first + z not in excluded)
    picks = usable[:: max(1, len(usable) // SAMPLED_SLICES)]
    worst = 0.0
    for count, z in enumerate(picks):
        yield Progress(tr("measuring the difference"), count, len(picks), "slices")
        grey = range_of(stack.slice(z))
        worst = max(worst, abs(grey.low), abs(grey.high))
    limit = worst or 1.0
    if wanted.signed:
        return Computed(stack, wanted.title, (-limit, limit), DIVERGING)
    return Computed(magnitude_stack(stack), wanted.title, (0.0, limit), MAGNITUDE)


def difference_of(seats: Mapping[Role, SemStack], wanted: Difference) -> tuple[SemStack, int]:
    """Lazy signed difference, and the slice of LR at which it begins.

    Parameters
    ----------
    seats
        Stacks by role, where they lie on screen.
    wanted
        Which difference.

    Raises
    ------
    InputError
        If what is needed for it is missing or does not cover the same field.
    """
    sr, lr, hr = seats.get("SR"), seats.get("LR"), seats.get("HR")
    if sr is None:
        raise InputError(tr("A difference needs SR; choose it."))
    if wanted.subject == "SR − HR":
        return _to_hr(sr, lr, hr, wanted.band)
    if lr is None:
        raise InputError(tr("This difference needs LR; choose it."))
    covered = align(lr, sr)
    if wanted.subject == "averaged SR − LR":
        # it has no band above LR's own
        stack = residual_stack(covered.sr, covered.lr_part, covered.factor)
    else:
        reference = bicubic_stack(covered.lr_part, covered.factor)
        stack = difference_stack(covered.sr, reference, covered.factor, wanted.band)
    return stack, covered.slices[0]


def _to_hr(
    sr: SemStack, lr: SemStack | None, hr: SemStack | None, band: Band
) -> tuple[SemStack, int]:
    if hr is None:
        raise InputError(
            tr("There is no HR to subtract; choose one, or the difference to bicubic.")
        )
    if lr is not None:
        covered = align(lr, sr, hr)
        if covered.hr is None:
            raise InputError(tr("HR does not lie over LR."))
        stack = difference_stack(covered.sr, covered.hr, covered.factor, band)
        return stack, covered.slices[0]
    if band != "all":
        raise InputError(tr("Bands are divided at the Nyquist frequency of LR; choose LR."))
    if sr.world != hr.world:
        raise InputError(
            tr("SR and HR do not lie in the same place; choose LR too, to line them up.")
        )
    return difference_stack(sr, hr, 1), 0


def bicubic_stack(lr: SemStack, factor: int) -> SemStack:
    """Bicubic picture of a stack, lazily, in place.

    Parameters
    ----------
    lr
        The stack.
    factor
        SR pixels per LR pixel.
    """

    def block(image: Any) -> Any:
        from napari_sem_sr.model.bicubic import upscale_bicubic

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
    """Slices of an unfinished output of ours that are on disk; None where all are.

    Parameters
    ----------
    layer
        Which shows an output.
    """
    path = layers.path_of(layer)
    if path is None or layers.role_of(layer) != "SR" or not path.is_dir():
        return None
    mark: Any = zarr.open_group(path, mode="r").attrs.get(KEY, {})
    if mark.get("complete", True):
        return None
    return done_slices(path, layers.full_shape(layer)[-3])
