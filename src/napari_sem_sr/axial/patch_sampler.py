"""Patches to learn from: lateral planes of the stack, thinned along one axis as slices thin the depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_sem_sr.axial.resample import rows_at
from napari_sem_sr.axial.settings import Section
from napari_sem_sr.errors import InputError

Float = npt.NDArray[np.float32]

PATCH_ROWS, FEWEST_ROWS = 16, 6
PATCH_PIXELS = 48
# Draws before a plane full of invalid pixels is given up.
_TRIES = 50


@dataclass(frozen=True, eq=False)
class PatchSampler:
    """Draws pairs: rows as slices would have sampled them, and all rows.

    Parameters
    ----------
    planes
        Lateral planes (y, x) on the network's scale; NaN where there is nothing to learn from.
    ratio
        Slice spacing in pixels.
    phases
        Rows of the answer per row of the question.
    section
        "thin": a slice shows a layer no thicker than a pixel, as FIB-SEM does; "thick": it shows the mean over the
        whole spacing, as a section seen in transmission or at high voltage does.
    rows
        Rows of a question.
    """

    planes: Sequence[Float]
    ratio: float
    phases: int
    section: Section
    rows: int

    @classmethod
    def of(
        cls, planes: Sequence[Float], ratio: float, phases: int, section: Section
    ) -> "PatchSampler":
        """Choose patches that fit into the planes.

        Parameters
        ----------
        planes
            ``(y, x)`` each, on the network's scale.
        ratio
            Slice spacing over pixel size.
        phases
            Places per slice spacing.
        section
            How a slice averages over its depth.

        Raises
        ------
        InputError
            If the planes are too small.
        """
        rows = rows_of_patches(min(min(p.shape) for p in planes), ratio, section)
        return cls(planes, ratio, phases, section, rows)

    def draw(self, count: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """``count`` questions (N, 1, rows, W) and answers (N, 1, (rows - 1) * phases + 1, W).

        Parameters
        ----------
        random
            Draws places, directions and turns.
        """
        pairs = [self._pair(random) for _ in range(count)]
        questions, answers = (np.stack(part)[:, None] for part in zip(*pairs, strict=True))
        return torch.from_numpy(questions), torch.from_numpy(answers)

    def _pair(self, random: np.random.Generator) -> tuple[Float, Float]:
        for _ in range(_TRIES):
            fine = self._fine(random)
            if np.isfinite(fine).all():
                break
        else:
            raise InputError(
                "Too little of the slices is free of NaN to learn from; crop the stack to where there is data."
            )
        if random.random() < 0.5:
            fine = fine[:, ::-1]
        if random.random() < 0.5:
            fine = fine[::-1]
        margin = self._margin
        answer = fine[margin : len(fine) - margin]
        question = _mean_over(fine, self.phases) if self.section == "thick" else answer
        return np.ascontiguousarray(question[:: self.phases]), np.ascontiguousarray(answer)

    @property
    def _margin(self) -> int:
        return (self.phases + 1) // 2 if self.section == "thick" else 0

    def _fine(self, random: np.random.Generator) -> Float:
        """Rows of a window, at the answer's spacing, of a plane lying either way."""
        plane = self.planes[int(random.integers(len(self.planes)))]
        if random.random() < 0.5:
            plane = plane.T
        count = (self.rows - 1) * self.phases + 1 + 2 * self._margin
        step = self.ratio / self.phases
        start = float(random.integers(int(plane.shape[0] - 1 - (count - 1) * step + 1e-6) + 1))
        left = int(random.integers(plane.shape[1] - PATCH_PIXELS + 1))
        window = plane[:, left : left + PATCH_PIXELS]
        return rows_at(window, start + step * np.arange(count))


def rows_of_patches(side: int, ratio: float, section: Section) -> int:
    """Rows of a question on planes of ``side`` pixels.

    Parameters
    ----------
    ratio
        Slice spacing over pixel size.
    section
        How a slice averages over its depth.

    Raises
    ------
    InputError
        If the planes are too small to learn from.
    """
    room = side - 1 - (ratio if section == "thick" else 0)
    rows = min(PATCH_ROWS, int(room / ratio) + 1)
    if rows < FEWEST_ROWS or side < PATCH_PIXELS:
        raise InputError(
            f"Slices of {side} pixels are too small to learn from at {ratio:.3g} pixels between slices; give "
            f"slices of at least {max(PATCH_PIXELS, int(np.ceil(FEWEST_ROWS * ratio)) + 1)} pixels."
        )
    return rows


def _mean_over(fine: Float, phases: int) -> Float:
    """Mean over one slice spacing around each inner row; an even number of rows counts half of those at its ends."""
    margin = (phases + 1) // 2
    weights = np.ones(2 * margin + 1, np.float32)
    if phases % 2 == 0:
        weights[[0, -1]] = 0.5
    else:
        weights[[0, -1]] = 0.0
    windows = np.lib.stride_tricks.sliding_window_view(fine, len(weights), axis=0)
    mean: Float = (windows @ (weights / weights.sum())).astype(np.float32)
    return mean
