"""One slice, or a piece of one, as all kinds of evidence see it: what they share is computed once, when first asked for."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.checking.view.filter_bank import (
    Lasting,
    compare_with_neighbours,
    without_gaps,
)
from napari_sem_sr.checking.view.invention_maps import Invention, invention
from napari_sem_sr.checking.view.setup import Setup
from napari_sem_sr.degradation.degrade import expected
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.sampling import evenly_spaced

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

# What is usual in a stack is measured on so many slices, on pieces of so many LR pixels along a side: enough for
# a few dozen numbers, however large the slices.
GLIMPSES, GLIMPSE_PX = 4, 256
# Where in a slice a piece lies, as shares of the way; another one in each slice.
PLACES = ((0.5, 0.5), (0.2, 0.8), (0.8, 0.2), (0.3, 0.3), (0.7, 0.7))
# A piece with less data than this is passed over for the next place.
ENOUGH_DATA = 0.9


class Seen:
    """One slice of the field; arrays are ``(y, x)`` in grey levels, maps are on the LR grid.

    Parameters
    ----------
    setup
        Of the stack.
    index
        Of the slice in the field.
    region
        The part of it, in LR pixels of the field; all by default.
    """

    def __init__(self, setup: Setup, index: int, region: Region | None = None) -> None:
        self.setup = setup
        self.index = index
        self.region = region or setup.region

    @property
    def device(self) -> torch.device:
        """Where evidence is computed: where the networks run."""
        networks = self.setup.networks
        return torch.device("cpu") if networks is None else networks.twin.device

    @cached_property
    def lr(self) -> Image:
        """LR."""
        return self.setup.part(self.setup.shelf.get("lr", self.index), self.region)

    @cached_property
    def sr(self) -> Image:
        """SR."""
        return self._sr(self.index)

    @cached_property
    def hr(self) -> Image | None:
        """HR, if there is one."""
        field = self.setup.field
        if field.hr is None:
            return None
        return self.setup.fine(self.setup.shelf.get("hr", self.index), self.region)

    @cached_property
    def twin(self) -> Image | None:
        """What the model's twin makes of LR, in its dtype; None without a model."""
        networks = self.setup.networks
        if networks is None:
            return None
        return self.setup.upscale(networks.twin, self.index, self.region)

    @cached_property
    def generated(self) -> Image:
        """SR, or what the model's GAN makes of LR where SR is the twin."""
        networks = self.setup.networks
        if networks is None or not self.setup.sr_is_twin:
            return self.sr
        return self.setup.upscale(networks.gan, self.index, self.region)

    @cached_property
    def degraded(self) -> Float:
        """SR degraded to LR."""
        f, degradation = self.setup.field.factor, self.setup.degradation
        if degradation.averages_on_average:
            return area_average(self.sr, f).astype(np.float32)
        return expected(self.sr, f, degradation).astype(np.float32)

    @cached_property
    def residual(self) -> Float:
        """SR degraded − LR; NaN where either is."""
        return np.asarray(self.degraded - self.lr, np.float32)

    @cached_property
    def invention(self) -> Invention | None:
        """What was added to the twin, and how far both agree; None without a model."""
        if self.twin is None:
            return None
        field = self.setup.field
        return invention(self.generated, self.twin, field.factor, self.setup.intensity, self.device)

    @cached_property
    def lasting(self) -> Lasting:
        """How far the detail of SR is in the slices before and after it."""
        kept = self.setup.field.kept
        place = kept.index(self.index)
        before, after = kept[:place][-1:], kept[place + 1 :][:1]
        images = [
            None if not z else without_gaps(self._sr(z[0]))[0]
            for z in ((self.index,), before, after)
        ]
        here, earlier, later = images
        assert here is not None
        # a slice that was left out comes between
        follows = bool(after) and after[0] == self.index + 1
        return compare_with_neighbours(
            here,
            earlier,
            later,
            self.setup.field.factor,
            self.setup.intensity,
            self.device,
            sums=follows,
        )

    def tensor(self, image: Image) -> Tensor:
        """A map on the device, in float32.

        Parameters
        ----------
        image
            ``(y, x)`` in memory.
        """
        return torch.from_numpy(np.ascontiguousarray(image, np.float32)).to(self.device)

    def _sr(self, index: int) -> Image:
        return self.setup.sr(index, self.region)


def glimpses(setup: Setup) -> tuple[Seen, ...]:
    """Pieces of a few slices, on which is measured what is usual.

    Parameters
    ----------
    setup
        The stack.
    """
    if not setup.glimpsed:
        kept = setup.field.kept
        setup.glimpsed.extend(
            Seen(setup, kept[pick], _piece(setup, kept[pick], number))
            for number, pick in enumerate(evenly_spaced(len(kept), GLIMPSES))
        )
    return tuple(setup.glimpsed)


def _piece(setup: Setup, index: int, number: int) -> Region:
    """A piece of a slice where there is data."""
    lr = setup.part(setup.shelf.get("lr", index), setup.region)
    found: list[tuple[float, Region]] = []
    for turn in range(len(PLACES)):
        shares = PLACES[(number + turn) % len(PLACES)]
        top, left = (
            int(share * max(0, n - GLIMPSE_PX)) for share, n in zip(shares, lr.shape, strict=True)
        )
        piece = (
            (top, min(lr.shape[0], top + GLIMPSE_PX)),
            (left, min(lr.shape[1], left + GLIMPSE_PX)),
        )
        there = float(np.isfinite(lr[slice(*piece[0]), slice(*piece[1])]).mean())
        if there >= ENOUGH_DATA:
            return piece
        found.append((there, piece))
    return max(found)[1]
