"""What a training run is validated on: images it never learned from and, for the gap, some that it did."""

from collections.abc import Generator
from typing import Any

import numpy.typing as npt
import torch

from napari_sem_sr.events import Event
from napari_sem_sr.model.generator import Generator as Network
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.evaluation import (
    Pair,
    bicubic_score,
    crop_with_content,
    glances,
    iter_scores,
    iter_upscaled,
    mean_bands,
    mean_scores,
)


class ValidationImages:
    """Middle parts of held-out teachers and of some learned from, with what bicubic makes of them.

    Parameters
    ----------
    unseen
        Teachers held out; may be none.
    known
        Teachers learned from.
    settings
        Factor and degradation.
    device
        Where networks compute.
    """

    def __init__(
        self,
        unseen: tuple[Teacher, ...],
        known: tuple[Teacher, ...],
        settings: TrainSettings,
        device: torch.device,
    ) -> None:
        self._device = device
        self._unseen = glances(unseen, settings.factor, settings.degradation)
        self._known = glances(known, settings.factor, settings.degradation)
        self._bicubic = {
            **mean_scores([bicubic_score(p) for p in self._unseen], "bicubic_"),
            **mean_scores([bicubic_score(p) for p in self._known], "train_bicubic_"),
        }
        self.patch: Pair = crop_with_content((self._unseen or self._known)[0])
        """A small part with content, held out where anything is."""
        self.patch_nm = (unseen or known)[0].pixel_nm
        """Size of its HR pixels, where known."""

    @property
    def hold_out(self) -> bool:
        """Whether anything is held out."""
        return bool(self._unseen)

    def iter_scores(self, network: Network) -> Generator[Event, None, dict[str, float]]:
        """Mean scores by name, those of teachers learned from with ``train_``, beside bicubic's.

        Parameters
        ----------
        network
            As it stands.
        """
        unseen = yield from iter_scores(self._unseen, network, self._device)
        known = yield from iter_scores(self._known, network, self._device)
        return {
            **mean_scores(unseen),
            **mean_scores(known, "train_"),
            **self._bicubic,
            **mean_bands(unseen),
        }

    def iter_patch(self, network: Network) -> Generator[Event, None, npt.NDArray[Any]]:
        """SR of the patch.

        Parameters
        ----------
        network
            As it stands.
        """
        return (yield from iter_upscaled(self.patch, network, self._device))
